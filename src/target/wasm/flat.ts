import { isNode } from "../../ir/graph.ts";
import { constantSize, multiplySizes, sizeConstant } from "../../ir/size.ts";
import type { Axis } from "../../ir/type.ts";
import { expand } from "../../op/move.ts";
import { constant, extent } from "../../op/source.ts";
import type { Place } from "../../plan/place.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Value } from "../../plan/value.ts";
import { viewOf } from "../../plan/view.ts";

/**
 * How many positions elementwise values have where all of them can be walked as one row: whatever is read or written lies densely in the
 * order of `axes`, or has none of them. Undefined where that is not so, or a size is not known.
 */
export function flatCount(plan: Plan, outputs: readonly Value[], axes: readonly Axis[]): number | undefined {
  const own = new Set(outputs);
  const seen = new Map<Value, boolean>();
  const isFlat = (value: Value): boolean => {
    const before = seen.get(value) ?? decide(value);
    seen.set(value, before);
    return before;
  };
  const decide = (value: Value): boolean => {
    const view = own.has(value) ? undefined : viewOf(plan, value);
    if (view !== undefined && !own.has(view.root)) return liesFlat(view.place, value, axes);
    const { definition } = value;
    if (definition.kind !== "node") return false;
    const { node, inputs } = definition;
    if (isNode(node, constant) || isNode(node, extent)) return true;
    return (node.op.scalar !== undefined || isNode(node, expand)) && inputs.every(isFlat);
  };
  const written = outputs.every((output) => {
    const place = plan.places.get(output);
    return place !== undefined && liesFlat(place, output, axes) && isFlat(output);
  });
  return written ? sizeConstant(countOf(axes)) : undefined;
}

function countOf(axes: readonly Axis[]) {
  return axes.reduce((product, { size }) => multiplySizes(product, size), constantSize(1));
}

function liesFlat({ strides }: Place, { axes: own }: Value, axes: readonly Axis[]): boolean {
  if (own.length === 0) return true;
  return (
    own.length === axes.length &&
    axes.every(
      ({ id }, at) => strides.get(id)?.text === countOf(axes.slice(at + 1)).text && own.some((axis) => axis.id === id),
    )
  );
}
