import { isNode } from "../ir/graph.ts";
import { constantSize, multiplySizes, type Size, sizeConstant } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import type { Item, Value, ValueGraph } from "./value.ts";

/** The order in which a value's axes lie in memory, outermost first. */
export type AxisOrder = (axes: readonly Axis[]) => readonly Axis[];

/**
 * One order of axes for the whole graph, so that values meet without transposing: axes that a loop walks, outer loops first, so
 * that an entry is one piece of memory; the batch; fixed axes along which products are repeated (heads); other axes of variable
 * length; other fixed axes. Among equals the order of the type.
 */
export function axisOrder(graph: ValueGraph): AxisOrder {
  const depths = new Map<string, number>();
  const repeated = new Set<string>();
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.kind === "value") {
        for (const id of batchAxes(item.value)) repeated.add(id);
        continue;
      }
      const { axis, depth, body } = item.loop;
      depths.set(axis.id, Math.min(depth, depths.get(axis.id) ?? depth));
      walk(body);
    }
  };
  walk(graph.items);
  const rank = ({ id, size }: Axis): number => {
    const depth = depths.get(id);
    if (depth !== undefined) return depth;
    const loops = graph.items.length + depths.size;
    if (id === BATCH) return loops;
    const fixed = sizeConstant(size) !== undefined;
    if (fixed && repeated.has(id)) return loops + 1;
    return fixed ? loops + 3 : loops + 2;
  };
  return (axes) => axes.toSorted((a, b) => rank(a) - rank(b));
}

/** The axis of examples. */
const BATCH = "B";

function batchAxes({ definition }: Value): readonly string[] {
  if (definition.kind !== "node" || !isNode(definition.node, contract)) return [];
  const [a, b] = definition.inputs;
  const { over } = definition.node.attributes;
  return (a?.axes ?? [])
    .map((axis) => axis.id)
    .filter((id) => !over.includes(id) && b?.axes.some((axis) => axis.id === id));
}

/** Row-major strides, in elements, of axes in this order; listed in it. */
export function denseStrides(axes: readonly Axis[]): ReadonlyMap<string, Size> {
  const strides: (readonly [string, Size])[] = [];
  let stride = constantSize(1);
  for (const axis of axes.toReversed()) {
    strides.unshift([axis.id, stride]);
    stride = multiplySizes(stride, axis.size);
  }
  return new Map(strides);
}

/** How many positions axes have together. */
export function countOf(axes: readonly Axis[]): Size {
  return axes.reduce((count, axis) => multiplySizes(count, axis.size), constantSize(1));
}
