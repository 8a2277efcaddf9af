import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import type { Scan } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { apply, inputNames, stateItems } from "./apply.ts";
import { inRange } from "./condition.ts";
import { demand } from "./equation.ts";
import { evaluate, evaluateRaw } from "./expression.ts";
import type { Context, Slot, SlotGroup } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { mapRecord, otherwise, settle } from "./record.ts";
import { fitStart, startRecord } from "./state.ts";
import {
  BOTTOM,
  type DefinitionValue,
  describe,
  INVALID,
  type InstanceValue,
  type Meaning,
  type RecordValue,
  type TensorValue,
  visibleAxis,
} from "./value.ts";

/**
 * `y, s = scan f over x from s0` is `y[t], s[t] = f(x[t], s[t-1] else s0)`; `reverse` reads `s[t+1]`. The final state is
 * the read at each example's last position, or in reverse at its first.
 */
export function evaluateScan(context: Context, scan: Scan): Meaning {
  const cell = evaluateRaw(context, scan.cell);
  const over = evaluate(context, scan.over);
  const from = scan.from === undefined ? undefined : evaluate(context, scan.from);
  if (cell.kind === "invalid" || over.kind === "invalid" || from?.kind === "invalid") return INVALID;
  if (cell.kind !== "instance" || cell.definition.definitionKind !== "cell") return reportCell(context, scan, cell);
  if (over.kind === "bottom" || from?.kind === "bottom") return BOTTOM;
  const sequence = asTensor(context, over, scan.over.span);
  const [first] = sequence?.visible ?? [];
  if (sequence === undefined) return INVALID;
  if (first === undefined || first.unit) {
    context.session.report.add(
      "rank",
      scan.over.span,
      `scan walks the first axis, and ${describe(sequence)} has none`,
      {
        related: [{ span: sequence.from, message: "its shape comes from here" }],
        hint: "a scan walks a sequence, as in [T, D]",
      },
    );
    return INVALID;
  }
  const start = startOf(context, scan, cell, from);
  return start === undefined ? INVALID : run(context, scan, cell, sequence, first.axis, start);
}

function startOf(
  context: Context,
  scan: Scan,
  cell: InstanceValue,
  from: Meaning | undefined,
): RecordValue | undefined {
  if (from === undefined) return startRecord(context, cell, scan.span);
  const settled = settle(context, from);
  const span = scan.from?.span ?? scan.span;
  if (settled.kind === "record") return fitStart(context, cell, settled, span);
  const [field, ...others] = stateItems(cell.definition).map((item) => item.name.text);
  const text =
    settled.kind === "tensor" && others.length === 0 && scan.from !== undefined ? printExpression(scan.from) : "...";
  context.session.report.add("wrong-kind", span, `from takes a state, this is ${describe(settled)}`, {
    related: settled.kind === "tensor" ? [{ span: settled.from, message: `${describe(settled)} comes from here` }] : [],
    hint: `write from ${cell.path}.state(${field}: ${text})`,
  });
  return undefined;
}

function reportCell(context: Context, scan: Scan, cell: Meaning): Meaning {
  const hint = cell.kind === "definition" || cell.kind === "instance" ? scanHint(cell) : undefined;
  context.session.report.add(
    "wrong-kind",
    scan.cell.span,
    `scan needs a cell that has a name, this is ${describe(cell)}`,
    { hint },
  );
  return INVALID;
}

function scanHint(found: DefinitionValue | InstanceValue): string {
  const { definitionKind, name } = found.definition;
  if (definitionKind === "cell") return `give it a name first: use l = ${name.text}(...), then scan l over x`;
  return `a ${definitionKind} keeps no state between positions: call it, ${found.kind === "instance" ? found.path : name.text}(x)`;
}

function run(
  context: Context,
  scan: Scan,
  cell: InstanceValue,
  sequence: TensorValue,
  axis: Axis,
  start: RecordValue,
): Meaning {
  const inner: Context = { ...context, hidden: [...context.hidden, axis] };
  const element: TensorValue = { ...sequence, visible: sequence.visible.slice(1) };
  const [input] = inputNames(cell.definition);
  if (input === undefined || inputNames(cell.definition).length > 1) {
    context.session.report.add(
      "wrong-arguments",
      scan.span,
      `scan gives one input, ${cell.definition.name.text} takes ${inputNames(cell.definition).length}`,
      {
        hint: `write y[t], s[t] = ${cell.path}(a[t], b[t], s[t-1])`,
      },
    );
    return INVALID;
  }
  const step = (assumed: readonly Meaning[] | undefined): readonly Meaning[] => {
    const state = assumed?.[0];
    const before = state?.kind === "record" ? previous(inner, state, axis, scan.reverse, start) : BOTTOM;
    const inputs = new Map([[input, { meaning: element as Meaning, span: scan.over.span }]]);
    const applied = apply(inner, cell, { inputs, state: { meaning: before, span: scan.span } }, scan.span);
    if (applied?.state === undefined) return [INVALID];
    return [over(applied.state, axis), ...applied.outs.map((out) => over(out, axis))];
  };
  const meanings = solved(context, scan, cell, step);
  const [state, ...outs] = meanings;
  if (state?.kind !== "record") return INVALID;
  return { kind: "several", items: [...outs, final(context, state, axis, scan.reverse)] };
}

/** The scan is a recurrence like one that the user writes: its state is found out by the same passes. */
function solved(
  context: Context,
  scan: Scan,
  cell: InstanceValue,
  step: (assumed: readonly Meaning[] | undefined) => readonly Meaning[],
): readonly Meaning[] {
  const group: SlotGroup = { state: "todo", meanings: [], assumed: undefined, recursive: false };
  const compute = (assumed: readonly Meaning[] | undefined): readonly Meaning[] => {
    group.recursive = true;
    return step(assumed);
  };
  const slot: Slot = {
    name: cell.path,
    span: scan.span,
    kind: "equation",
    compute,
    equation: undefined,
    group,
    index: 0,
  };
  demand(context.session, slot);
  return group.meanings;
}

/** The state one position before, or after in reverse; outside the example its start. */
function previous(context: Context, state: RecordValue, axis: Axis, reverse: boolean, start: RecordValue): Meaning {
  const offset = reverse ? 1 : -1;
  const fields = new Map<string, TensorValue>();
  for (const [name, field] of state.fields) {
    const id = move.shift(context.session.builder, field.id, axis.id, offset);
    const read: TensorValue = {
      ...field,
      id,
      visible: field.visible.slice(1),
      condition: inRange(axis.id, -offset, offset),
    };
    const instead = start.fields.get(name);
    const settled = instead === undefined ? INVALID : otherwise(context, read, instead);
    if (settled.kind !== "tensor") return INVALID;
    fields.set(name, settled);
  }
  return { ...state, fields };
}

function over(value: Meaning, axis: Axis): Meaning {
  const front = (tensor: TensorValue): TensorValue => ({ ...tensor, visible: [visibleAxis(axis), ...tensor.visible] });
  if (value.kind === "record") return mapRecord(value, front);
  return value.kind === "tensor" ? front(value) : value;
}

function final(context: Context, state: RecordValue, axis: Axis, reverse: boolean): Meaning {
  const { builder, axes } = context.session;
  const last = make.sub(builder, axes.count(axis), make.int(builder, 1));
  const at = reverse ? make.int(builder, 0) : last;
  return mapRecord(state, (field) => ({
    ...field,
    id: move.gather(builder, move.expand(builder, field.id, [axis]), at, axis.id),
    visible: field.visible.slice(1),
  }));
}
