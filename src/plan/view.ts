import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, equalSizes, multiplySizes, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { expand, rename, reshape, slice } from "../op/move.ts";
import { prefix, suffix } from "../op/window.ts";
import { type AxisOrder, paddedLayout } from "./layout.ts";
import type { Place } from "./place.ts";
import type { Value } from "./value.ts";

/** Where a value lies that is stored itself, or some positions of one that is. */
export interface View {
  readonly place: Place;
  /** The stored value. */
  readonly root: Value;
}

/** What lies in memory, and where. */
export interface Memory {
  readonly stored: ReadonlySet<Value>;
  readonly places: Pick<ReadonlyMap<Value, Place>, "get">;
}

/** How to read a value in place; undefined where it must be computed. Axes without a stride repeat. */
export function viewOf(plan: Memory, value: Value): View | undefined {
  if (plan.stored.has(value)) {
    const place = plan.places.get(value);
    return place === undefined ? undefined : { place, root: value };
  }
  const { definition } = value;
  if (definition.kind === "entry") {
    const { loop, of } = definition;
    const view = viewOf(plan, of);
    const stride = view?.place.strides.get(loop.axis.id);
    if (view === undefined) return undefined;
    const steps = [...view.place.steps, ...(stride === undefined ? [] : [{ loop, stride }])];
    return { ...view, place: { ...view.place, steps, strides: without(view.place.strides, [loop.axis.id]) } };
  }
  if (definition.kind !== "node") return undefined;
  const { node, inputs } = definition;
  const view = inputs[0] === undefined ? undefined : viewOf(plan, inputs[0]);
  if (view === undefined) return undefined;
  const changed = (strides: ReadonlyMap<string, Size> | undefined): View | undefined =>
    strides === undefined ? undefined : { ...view, place: { ...view.place, strides } };
  const { strides } = view.place;
  if (isNode(node, expand)) return view;
  if (isNode(node, rename))
    return changed(
      renamed(
        strides,
        node.attributes.from,
        node.attributes.to.map((axis) => axis.id),
      ),
    );
  if (isNode(node, prefix) || isNode(node, suffix))
    return changed(renamed(strides, [node.attributes.axis], [node.attributes.to.id]));
  if (isNode(node, slice)) {
    const { axis, to, start } = node.attributes;
    const further = multiplySizes(start, strides.get(axis) ?? constantSize(0));
    const offset = addSizes(view.place.offset ?? constantSize(0), further);
    return { ...view, place: { ...view.place, offset, strides: renamed(strides, [axis], [to.id]) } };
  }
  if (isNode(node, reshape))
    return changed(reshaped(strides, inputs[0]?.axes ?? [], node.attributes.from, node.attributes.to));
  return undefined;
}

function without(strides: ReadonlyMap<string, Size>, ids: readonly string[]): ReadonlyMap<string, Size> {
  return new Map([...strides].filter(([id]) => !ids.includes(id)));
}

function renamed(
  strides: ReadonlyMap<string, Size>,
  from: readonly string[],
  to: readonly string[],
): ReadonlyMap<string, Size> {
  return new Map([...strides].map(([id, stride]) => [to[from.indexOf(id)] ?? id, stride]));
}

/** Axes that lie one inside the other, cut anew. */
function reshaped(
  strides: ReadonlyMap<string, Size>,
  axes: readonly Axis[],
  from: readonly string[],
  to: readonly Axis[],
): ReadonlyMap<string, Size> | undefined {
  let stride: Size | undefined;
  let next: Size | undefined;
  for (const id of from.toReversed()) {
    const own = strides.get(id);
    const size = axes.find((axis) => axis.id === id)?.size;
    if (own === undefined && stride === undefined) continue;
    if (own === undefined || size === undefined || (next !== undefined && !equalSizes(own, next))) return undefined;
    stride ??= own;
    next = multiplySizes(own, size);
  }
  if (stride === undefined) return from.some((id) => strides.has(id)) ? undefined : strides;
  const result = new Map(without(strides, from));
  let inner = stride;
  for (const { id, size } of to.toReversed()) {
    result.set(id, inner);
    inner = multiplySizes(inner, size);
  }
  return result;
}

/** Whether a value will be some positions of a stored one in place, before places are known. */
export function isView(value: Value, stored: Pick<ReadonlySet<Value>, "has">, order: AxisOrder): boolean {
  if (stored.has(value)) return true;
  const { definition } = value;
  if (definition.kind === "entry") return isView(definition.of, stored, order);
  if (definition.kind !== "node") return false;
  const { node, inputs } = definition;
  const [input] = inputs;
  if (input === undefined) return false;
  const keeps = [expand, rename, slice, prefix, suffix].some((op) => op.name === node.op.name);
  if (keeps) return isView(input, stored, order);
  return isNode(node, reshape) && isView(input, stored, order) && isRun(input, node.attributes.from, stored, order);
}

/** Whether axes lie one inside the other in memory, in this order, without gaps. */
function isRun(
  value: Value,
  axes: readonly string[],
  stored: Pick<ReadonlySet<Value>, "has">,
  order: AxisOrder,
): boolean {
  if (axes.length === 1) return true;
  if (!stored.has(value)) return false;
  const { strides } = paddedLayout(order(value.axes));
  return reshaped(strides, value.axes, axes, []) !== undefined;
}
