import { isNode } from "../ir/graph.ts";
import { expand, rename, reshape, slice } from "../op/move.ts";
import { prefix, suffix } from "../op/window.ts";
import type { AxisOrder } from "./layout.ts";
import type { Value } from "./value.ts";

/** Whether a value is some positions of a stored one in place: reading it needs other strides only. */
export function isView(value: Value, stored: ReadonlySet<Value>, order: AxisOrder): boolean {
  if (stored.has(value)) return true;
  const { definition } = value;
  if (definition.kind === "entry") return isView(definition.of, stored, order);
  if (definition.kind !== "node") return false;
  const { node, inputs } = definition;
  const [input] = inputs;
  if (input === undefined) return false;
  const keeps = [expand, rename, slice, prefix, suffix].some((op) => op.name === node.op.name);
  if (keeps) return isView(input, stored, order);
  if (!isNode(node, reshape)) return false;
  return isView(input, stored, order) && isRun(input, node.attributes.from, stored, order);
}

/** Whether axes lie one inside the other in memory, in this order. */
function isRun(value: Value, axes: readonly string[], stored: ReadonlySet<Value>, order: AxisOrder): boolean {
  if (axes.length === 1) return true;
  if (!stored.has(value)) return false;
  const ids = order(value.axes).map((axis) => axis.id);
  const first = ids.indexOf(axes[0] ?? "");
  return axes.every((id, at) => ids[first + at] === id);
}
