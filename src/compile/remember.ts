import type { Diagnostic } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import { definitionNames, findDefinition, type Modules } from "../check/modules.ts";
import type { Declaration } from "../syntax/tree.ts";
import type { Remember } from "./check.ts";

/** Findings from check to check of a file that changes, one entry for each declaration. */
export interface CheckMemory {
  /**
   * For the next check, which is of these modules. A quick one makes no findings of regimes, generations and expectations: where what they
   * depend on has changed, they keep those that they had.
   */
  remembering(modules: Modules, quick?: boolean): Remember;
}

/** An empty memory. Findings move with the declarations that they stand in. */
export function createCheckMemory(): CheckMemory {
  let before: ReadonlyMap<string, Entry> = new Map();
  return {
    remembering(modules, quick = false) {
      const places = createPlaces(modules);
      const texts = createTexts(modules);
      const now = new Map<string, Entry>();
      const last = before;
      before = now;
      return (declaration, file, make) => {
        const key = `${file} ${keyOf(declaration)}`;
        const depends = texts.dependencies(declaration, file);
        const entry = last.get(key);
        const known = entry && isStill(entry, depends, definitionNames(modules, file)) && recalled(entry, places);
        if (known) {
          now.set(key, entry);
          return known;
        }
        if (quick && declaration.kind !== "definition") {
          if (entry !== undefined) now.set(key, entry);
          return (entry && recalled(entry, places)) ?? [];
        }
        const findings = make();
        const anchored = findings.map((finding) => mapSpans(finding, (span) => places.anchor(span)));
        if (anchored.every((finding) => finding !== undefined)) {
          now.set(key, { depends, names: definitionNames(modules, file).join(), findings: anchored });
        }
        return findings;
      };
    },
  };
}

interface Entry {
  /** The text of the declaration and of all definitions that it depends on. */
  readonly depends: string;
  /** Names that could be suggested. */
  readonly names: string;
  /** Spans begin where their declaration does. */
  readonly findings: readonly Diagnostic[];
}

function isStill({ depends, names, findings }: Entry, now: string, known: readonly string[]): boolean {
  return depends === now && (findings.length === 0 || names === known.join());
}

function recalled({ findings }: Entry, places: Places): readonly Diagnostic[] | undefined {
  const found = findings.flatMap((finding) => mapSpans(finding, (span) => places.find(span)) ?? []);
  return found.length === findings.length ? found : undefined;
}

/** A finding elsewhere; undefined where one of its places is nowhere. */
function mapSpans(finding: Diagnostic, move: (span: Span) => Span | undefined): Diagnostic | undefined {
  const span = move(finding.span);
  const related = finding.related.flatMap((one) => {
    const moved = move(one.span);
    return moved === undefined ? [] : [{ ...one, span: moved }];
  });
  const edits = finding.fix?.edits.flatMap((edit) => {
    const moved = move(edit.span);
    return moved === undefined ? [] : [{ ...edit, span: moved }];
  });
  const isWhole = related.length === finding.related.length && edits?.length === finding.fix?.edits.length;
  if (span === undefined || !isWhole) return undefined;
  const { fix } = finding;
  return { ...finding, span, related, ...(fix && edits && { fix: { ...fix, edits } }) };
}

interface Places {
  /** A span as its declaration's key, in place of a file, and offsets from where that begins. */
  anchor(span: Span): Span | undefined;
  find(anchored: Span): Span | undefined;
}

function createPlaces({ all }: Modules): Places {
  const byKey = new Map<string, Span>();
  const byFile = new Map<string, readonly (readonly [string, Span])[]>();
  for (const [file, { tree }] of all) {
    const own = tree.declarations.map((one): readonly [string, Span] => [`${file} ${keyOf(one)}`, one.span]);
    byFile.set(file, own);
    for (const [key, span] of own) byKey.set(key, span);
  }
  return {
    anchor(span) {
      const around = byFile.get(span.file)?.find(([, { start, end }]) => start <= span.start && span.end <= end);
      if (around === undefined || byKey.get(around[0]) !== around[1]) return undefined;
      const [key, { start }] = around;
      return { file: key, start: span.start - start, end: span.end - start };
    },
    find({ file: key, start, end }) {
      const declared = byKey.get(key);
      return declared && { file: declared.file, start: declared.start + start, end: declared.start + end };
    },
  };
}

function keyOf(declaration: Declaration): string {
  switch (declaration.kind) {
    case "definition":
    case "train":
    case "generate":
      return `${declaration.kind} ${declaration.name.text}`;
    case "import":
    case "expect":
      return `${declaration.kind} ${declaration.span.start}`;
    default:
      return declaration satisfies never;
  }
}

interface Texts {
  /** What a declaration's findings depend on, as one text. */
  dependencies(declaration: Declaration, file: string): string;
}

function createTexts(modules: Modules): Texts {
  const textOf = ({ file, start, end }: Span): string => modules.all.get(file)?.text.slice(start, end) ?? "";
  const mentioned = new Map<string, ReadonlySet<string>>();
  const wordsOf = (text: string): ReadonlySet<string> => {
    const known = mentioned.get(text) ?? new Set(text.match(/[A-Za-z_]\w*/g));
    mentioned.set(text, known);
    return known;
  };
  return {
    dependencies(declaration, file) {
      const found = new Map<string, string>([[`${file} itself`, textOf(declaration.span)]]);
      const visit = (text: string, from: string): void => {
        for (const word of wordsOf(text)) {
          const definition = findDefinition(modules, from, word);
          if (definition === undefined || found.has(`${definition.file} ${word}`)) continue;
          const own = textOf(definition.definition.span);
          found.set(`${definition.file} ${word}`, own);
          visit(own, definition.file);
        }
      };
      visit(textOf(declaration.span), file);
      return [...found].map(([key, text]) => `${key}\n${text}`).join("\n");
    },
  };
}
