import type { IndexExpression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { evaluate, evaluateRaw } from "./expression.ts";
import type { Context } from "./frame.ts";
import { applyAccess, takeIndexAxes } from "./read-access.ts";
import { planReads, type Reading } from "./read-plan.ts";
import { areReadTogether, type Lookup, readTogether } from "./read-together.ts";
import { mapRecord } from "./record.ts";
import { knownNumber } from "./static.ts";
import { BOTTOM, describe, INVALID, type Meaning, type TensorValue, type VisibleAxis } from "./value.ts";

/** `x[t-1]`, `v[:t+1, n]`, `W[ids]`, `sizes[0]`. */
export function evaluateIndex(context: Context, expression: IndexExpression): Meaning {
  const object = evaluateRaw(context, expression.object);
  if (object.kind === "invalid" || object.kind === "bottom") return object.kind === "bottom" ? BOTTOM : object;
  if (object.kind === "list") return listItem(context, object.items, expression);
  if (object.kind === "record") return mapRecord(object, (field) => read(context, field, expression));
  if (object.kind === "tensor") return read(context, object, expression);
  if (object.kind === "several") {
    const first = object.items[0];
    return first?.kind === "tensor" ? read(context, first, expression) : INVALID;
  }
  const called = object.kind === "instance" || object.kind === "builtin" || object.kind === "definition";
  context.session.report.add("wrong-kind", expression.object.span, `${describe(object)} has no positions to read`, {
    hint: called ? `call it: ${printExpression(expression.object)}(...)` : undefined,
  });
  return INVALID;
}

function listItem(context: Context, items: readonly Meaning[], expression: IndexExpression): Meaning {
  const subscript = expression.subscripts[0];
  if (subscript?.kind === "slice") {
    const [from, to] = [subscript.from, subscript.to].map((end) =>
      end === undefined ? undefined : knownNumber(context, evaluate(context, end)),
    );
    return { kind: "list", items: items.slice(from, to) };
  }
  const at = subscript === undefined ? undefined : knownNumber(context, evaluate(context, subscript.value));
  const item = at === undefined ? undefined : items[at];
  if (item !== undefined && expression.subscripts.length === 1) return item;
  const count =
    items.length === 0 ? "this list is empty" : `this list has ${items.length} items, 0 to ${items.length - 1}`;
  context.session.report.add(
    "wrong-option",
    expression.span,
    at === undefined ? `which item this is must be known: ${count}` : `there is no item ${at}: ${count}`,
    {
      hint: "items count from 0",
    },
  );
  return INVALID;
}

function read(context: Context, value: TensorValue, expression: IndexExpression): Meaning {
  const readings = planReads(context, value, expression);
  if (readings === "bottom") return BOTTOM;
  if (readings === undefined) return INVALID;
  const renamed = takeIndexAxes(context, value, readings);
  let current: TensorValue = { ...renamed, visible: [] };
  const visible: VisibleAxis[] = [];
  for (let position = 0; position < readings.length; ) {
    const [axis, reading] = [renamed.visible[position], readings[position]];
    if (axis === undefined || reading === undefined) break;
    const others = [...renamed.visible, ...visible];
    const lookups = lookupsFrom(renamed, readings, position);
    const together = areReadTogether(context, current, lookups);
    const step = together
      ? readTogether(context, current, lookups, others)
      : applyAccess(context, current, axis, reading, others);
    current = step.value;
    visible.push(...step.visible);
    position += together ? lookups.length : 1;
  }
  const rest = renamed.visible.slice(readings.length);
  return { ...current, visible: [...visible, ...rest], from: value.from };
}

/** The lookups that stand one after another from a position on. */
function lookupsFrom({ visible }: TensorValue, readings: readonly Reading[], from: number): readonly Lookup[] {
  const found: Lookup[] = [];
  for (let position = from; position < readings.length; position++) {
    const [axis, access] = [visible[position], readings[position]?.access];
    if (axis === undefined || access?.kind !== "gather") break;
    found.push({ axis, index: access.index, condition: access.condition });
  }
  return found;
}
