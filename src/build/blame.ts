import type { DiagnosticCode } from "../base/codes.ts";
import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Definition } from "../syntax/tree.ts";
import type { Context, Frame, Session } from "./frame.ts";
import type { InstanceValue } from "./value.ts";

/** A definition at work: what was written where, and what led to it. */
interface Work {
  readonly file: string;
  readonly definition: Definition;
  /** Where it got its parameters: its `use`, or the call. */
  readonly made: Span;
  /** Where it is applied. */
  readonly call: Span;
}

/**
 * Runs what belongs to a definition. A finding inside a definition of another file is told where the user's file makes use of
 * it, with the place inside beside it; one inside the user's own definition names the use that led there.
 */
export function blaming<T>(session: Session, work: Work, run: () => T): T {
  const outer = session.report;
  session.report = toldAtUse(outer, work, session.modules.entry.file);
  try {
    return run();
  } finally {
    session.report = outer;
  }
}

/** What a frame's names report. The frame of a model, or of a definition on its own, is nobody's use. */
export function blamingFrame<T>(session: Session, frame: Frame | undefined, run: () => T): T {
  if (frame?.caller === undefined || frame.caller.frame.caller === undefined) return run();
  const { file, definition, made, caller } = frame;
  return blaming(session, { file, definition, made, call: caller.span }, run);
}

/** What applying an instance reports. */
export function blamingInstance<T>(context: Context, instance: InstanceValue, call: Span, run: () => T): T {
  if (context.frame.caller === undefined) return run();
  const { file, definition, declared } = instance;
  return blaming(context.session, { file, definition, made: declared, call }, run);
}

/** Hints about a size or a gap of the compiler help at the use too; others say how to rewrite what stands inside. */
const HELPS_AT_USE: ReadonlySet<DiagnosticCode> = new Set(["does-not-divide", "unknown-size", "not-yet"]);

const USED = " is used here";

/** Findings about how definitions use each other are told where they are. */
const UNBLAMED: ReadonlySet<DiagnosticCode> = new Set(["endless-definition", "too-involved"]);

function toldAtUse(outer: Report, { file, definition, made, call }: Work, entry: string): Report {
  const { text } = definition.name;
  const parameters = definition.parameters.map(({ name }) => name.text);
  const usage = parameters.length === 0 ? text : `${text}(${parameters.join(", ")})`;
  return {
    get diagnostics() {
      return outer.diagnostics;
    },
    get hasErrors() {
      return outer.hasErrors;
    },
    add(code, span, message, more = {}) {
      const related = more.related ?? [];
      const isDeep = related.some((place) => place.message.endsWith(USED) && isInside(place.span, file, definition));
      if (UNBLAMED.has(code)) outer.add(code, span, message, more);
      else if (isDeep && file === entry) {
        outer.add(code, span, message, { ...more, related: [...related, { span: call, message: `${text}${USED}` }] });
      } else if (!isInside(span, file, definition)) outer.add(code, span, message, more);
      else if (file !== entry) {
        if (more.severity === "warning") return;
        outer.add(code, made, message, {
          severity: more.severity,
          related: [{ span, message: `inside ${text}` }, ...related],
          hint: HELPS_AT_USE.has(code) ? more.hint : `check what ${text} is given here: ${usage}`,
        });
      } else if (related.some((place) => place.span.start === call.start && place.span.file === call.file)) {
        outer.add(code, span, message, more);
      } else
        outer.add(code, span, message, {
          ...more,
          related: [...related, { span: call, message: `${text}${USED}` }],
        });
    },
  };
}

function isInside(span: Span, file: string, definition: Definition): boolean {
  return span.file === file && span.start >= definition.span.start && span.end <= definition.span.end;
}
