import type { Diagnostic } from "../base/diagnostic.ts";
import { createReport } from "../base/report.ts";
import { hasAxis, unionAxes } from "../ir/type.ts";
import * as move from "../op/make_move.ts";
import type { Equation, IndexExpression } from "../syntax/tree.ts";
import { descendants, printExpression } from "../syntax/walk.ts";
import { blamingFrame } from "./blame.ts";
import type { Session, Slot, SlotGroup } from "./frame.ts";
import { holdPastEnd } from "./hold.ts";
import { dottedPath } from "./member.ts";
import { BOTTOM, INVALID, type Meaning, type TensorValue } from "./value.ts";

const MOST_PASSES = 5;

/** What a name means, found out now if it was not yet. Inside its own recurrence it is what is assumed of it so far. */
export function demand(session: Session, slot: Slot): Meaning {
  const { group } = slot;
  if (group.state === "busy") {
    group.recursive = true;
    return group.assumed?.[slot.index] ?? BOTTOM;
  }
  if (group.state === "todo") blamingFrame(session, slot.frame, () => solve(session, slot));
  return group.meanings[slot.index] ?? INVALID;
}

/**
 * The least solution of a recurrence (lowering 2): the first pass takes the value itself as unknown, the next ones
 * assume the type that came out, until it comes out again. Names that were found out on a wrong assumption are forgotten.
 */
function solve(session: Session, slot: Slot): void {
  const { group } = slot;
  group.state = "busy";
  session.busy.push(slot);
  const { moved } = session;
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    group.recursive = false;
    const mark = session.trail.length;
    const { meanings, findings } = attempt(session, () => slot.compute(group.assumed));
    const again = group.recursive && !meanings.some((meaning) => meaning.kind === "invalid");
    const settled = group.assumed !== undefined && agrees(session, group.assumed, meanings);
    if (!again || settled || meanings.some((meaning) => meaning.kind === "bottom")) repeat(session, findings);
    if (!again) {
      finish(session, slot, meanings);
      return;
    }
    const empty = group.assumed !== undefined && settled && isItself(session, group.assumed, meanings);
    if (empty || meanings.some((meaning) => meaning.kind === "bottom")) {
      reportCircle(session, slot);
      finish(
        session,
        slot,
        meanings.map(() => INVALID),
      );
      return;
    }
    if (group.assumed !== undefined && settled) {
      const closed = closeAll(session, group.assumed, meanings);
      finish(session, slot, closed);
      return;
    }
    for (const later of session.trail.splice(mark)) forget(later.group);
    session.moved = moved;
    group.assumed = meanings.map((meaning) => assume(session, slot, meaning));
  }
  reportUnstable(session, slot);
  finish(session, slot, group.meanings.length > 0 ? group.meanings : [INVALID]);
}

/** Findings of a pass on a wrong assumption do not count, so each pass has a report of its own. */
function attempt(
  session: Session,
  compute: () => readonly Meaning[],
): { readonly meanings: readonly Meaning[]; readonly findings: readonly Diagnostic[] } {
  const outer = session.report;
  const own = createReport();
  session.report = own;
  try {
    return { meanings: compute(), findings: own.diagnostics };
  } finally {
    session.report = outer;
  }
}

function repeat({ report }: Session, findings: readonly Diagnostic[]): void {
  for (const { code, span, message, ...more } of findings) report.add(code, span, message, more);
}

function finish(session: Session, slot: Slot, meanings: readonly Meaning[]): void {
  slot.group.state = "done";
  slot.group.meanings = meanings;
  slot.group.assumed = undefined;
  session.busy.pop();
  session.trail.push(slot);
}

function forget(group: SlotGroup): void {
  group.state = "todo";
  group.meanings = [];
  group.assumed = undefined;
}

/** A reserved value of the same type, to stand for the name inside its own recurrence. */
function assume(session: Session, slot: Slot, meaning: Meaning): Meaning {
  if (meaning.kind === "tensor") return assumeTensor(session, slot.name, meaning);
  if (meaning.kind === "record") {
    const fields = new Map<string, TensorValue>();
    for (const [name, field] of meaning.fields) fields.set(name, assumeTensor(session, `${slot.name}.${name}`, field));
    return { ...meaning, fields };
  }
  return meaning;
}

function assumeTensor(session: Session, name: string, value: TensorValue): TensorValue {
  const { builder } = session;
  const type = builder.type(value.id);
  const visible = value.visible.filter((axis) => !axis.unit).map((axis) => axis.axis);
  return { ...value, id: builder.forward(name, { dtype: type.dtype, axes: unionAxes(visible, type.axes) }) };
}

function agrees(session: Session, assumed: readonly Meaning[], meanings: readonly Meaning[]): boolean {
  return meanings.every((meaning, index) => {
    const before = assumed[index];
    if (meaning.kind === "tensor" && before?.kind === "tensor") return sameType(session, before, meaning);
    if (meaning.kind === "record" && before?.kind === "record") {
      return [...meaning.fields].every(([name, field]) => {
        const other = before.fields.get(name);
        return other !== undefined && sameType(session, other, field);
      });
    }
    return meaning.kind === before?.kind;
  });
}

/** The value may be constant along axes that were assumed; it must not have others, nor hold in fewer places. */
function sameType(session: Session, assumed: TensorValue, value: TensorValue): boolean {
  const [before, after] = [session.builder.type(assumed.id), session.builder.type(value.id)];
  const valid = (tensor: TensorValue): string =>
    tensor.visible.map((axis) => `${axis.axis.id}:${axis.valid?.low ?? 0}:${axis.valid?.high ?? 0}`).join(",");
  return (
    before.dtype === after.dtype &&
    after.axes.every((axis) => hasAxis(before, axis.id)) &&
    valid(assumed) === valid(value)
  );
}

/** `a[t] = a[t]`: nothing is said but that the value is itself. */
function isItself({ builder }: Session, assumed: readonly Meaning[], meanings: readonly Meaning[]): boolean {
  const same = (before: TensorValue | undefined, after: TensorValue): boolean =>
    before !== undefined && builder.resolve(before.id) === builder.resolve(after.id);
  return meanings.some((meaning, index) => {
    const before = assumed[index];
    if (meaning.kind === "tensor") return before?.kind === "tensor" && same(before, meaning);
    if (meaning.kind !== "record" || before?.kind !== "record") return false;
    return [...meaning.fields].some(([name, field]) => same(before.fields.get(name), field));
  });
}

function closeAll(session: Session, assumed: readonly Meaning[], meanings: readonly Meaning[]): readonly Meaning[] {
  const close = (reserved: TensorValue, value: TensorValue): TensorValue => {
    const { builder } = session;
    const full = move.expand(builder, value.id, builder.type(reserved.id).axes);
    const held = holdPastEnd(session, reserved, full);
    builder.close(reserved.id, held);
    return { ...value, id: held };
  };
  return meanings.map((meaning, index) => {
    const before = assumed[index];
    if (meaning.kind === "tensor" && before?.kind === "tensor") return close(before, meaning);
    if (meaning.kind === "record" && before?.kind === "record") {
      const fields = new Map<string, TensorValue>();
      for (const [name, field] of meaning.fields) {
        const reserved = before.fields.get(name);
        fields.set(name, reserved === undefined ? field : close(reserved, field));
      }
      return { ...meaning, fields };
    }
    return meaning;
  });
}

function reportCircle(session: Session, slot: Slot): void {
  const start = session.busy.indexOf(slot);
  const circle = session.busy.slice(start).filter((other) => other.kind === "equation");
  const names = [...new Set(circle.map((other) => other.name)), slot.name];
  const text = names.length > 2 ? names.join(" → ") : `${slot.name} → ${slot.name}`;
  const message =
    names.length > 2
      ? `${names[0]} needs ${names[1]} and ${names.at(-2)} needs ${slot.name} at the same index: ${text}`
      : `${slot.name} needs itself: ${text}`;
  session.report.add("no-delay", slot.span, message, {
    related: circle.slice(1).map((other) => ({ span: other.span, message: `${other.name} is part of the circle` })),
    hint: circleHint(circle.flatMap((other) => other.equation ?? [])),
  });
}

/** `x[t-1]` */
function isShifted({ subscripts }: IndexExpression): boolean {
  return subscripts.some((subscript) => subscript.kind === "at" && subscript.value.kind === "binary");
}

function reportUnstable(session: Session, slot: Slot): void {
  const { equation } = slot;
  const reads = (equation === undefined ? [] : [...descendants(equation.value)]).filter(
    (found): found is IndexExpression => found.kind === "index",
  );
  const read = reads.find(({ object }) => dottedPath(object) === slot.name) ?? reads.find(isShifted);
  const text = read === undefined ? `${slot.name}[t-1]` : printExpression(read);
  session.report.add(
    "missing-else",
    read?.span ?? slot.span,
    `${text} has nothing to read where ${slot.name} begins, so ${slot.name} would hold nowhere`,
    {
      related: [{ span: slot.span, message: `${slot.name} reads itself` }],
      hint: `say what it is there: ${text} else 0`,
    },
  );
}

/** How a circle is broken: along an index, or by the state of a cell. */
export function circleHint(equations: readonly Equation[]): string {
  const [indexed] = equations.flatMap(({ targets }) => targets.filter((target) => target.indices.length > 0));
  if (indexed === undefined)
    return "nothing can be computed from itself: what the step before left is the state of a cell, or has an index, as in y[t-1]";
  const [first = "t", ...others] = indexed.indices.map((index) => index.name.text);
  return `read one of them at an earlier index, as in ${indexed.name.text}[${[`${first}-1`, ...others].join(", ")}] else 0`;
}
