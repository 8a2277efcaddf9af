import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, multiplySizes, type Size, sizeConstant } from "../ir/size.ts";
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

/** How values lie in memory: strides in elements, outermost axis first, and how many elements they take. */
export interface Layout {
  readonly strides: ReadonlyMap<string, Size>;
  readonly count: Size;
}

/** Row-major, without gaps. */
export function denseLayout(axes: readonly Axis[]): Layout {
  return layoutOf(axes, constantSize(0));
}

/**
 * Row-major, with a gap behind rows whose length is a multiple of half a page: six such rows, read side by side, would fall on the same few
 * lines of the nearest cache, and a product of matrices would take twice as long.
 */
export function paddedLayout(axes: readonly Axis[]): Layout {
  const row = sizeConstant(axes.at(-1)?.size ?? constantSize(1));
  const bad = row !== undefined && row > 0 && (4 * row) % HALF_PAGE === 0;
  return layoutOf(axes, constantSize(bad ? GAP : 0));
}

const HALF_PAGE = 2048;
/** Elements: one cache line. */
const GAP = 16;

function layoutOf(axes: readonly Axis[], gap: Size): Layout {
  const strides: (readonly [string, Size])[] = [];
  let count = constantSize(1);
  for (const axis of axes.toReversed()) {
    strides.unshift([axis.id, count]);
    count = multiplySizes(count, axis.size);
    if (strides.length === 1 && axes.length > 1) count = addSizes(count, gap);
  }
  return { strides: new Map(strides), count };
}
