import { divideSizes, type Size, sizeConstant } from "../ir/size.ts";
import type { PartEdge } from "./place.ts";
import { type Extent, WIDE_PANEL } from "./product.ts";

/** Parts of a size start at multiples of this: whole cache lines, or whole wide panels, where that leaves enough parts. */
export function unitOf(size: Size): number {
  const count = sizeConstant(size) ?? 0;
  if (count >= 8 * WIDE_PANEL) return WIDE_PANEL;
  return count >= 4 * LINE ? LINE : 1;
}

const LINE = 16;

/** Where a thread's part of `count` positions starts, or how many they are. */
export function partOf(count: number, unit: number, edge: PartEdge, thread: number, threads: number): number {
  const units = Math.ceil(count / unit);
  const start = (at: number): number => Math.min(count, Math.floor((units * at) / threads) * unit);
  return edge === "first" ? start(thread) : start(thread + 1) - start(thread);
}

/** How many positions of an extent one position of its outermost axis is. */
export function insideOf({ axes: [axis], size }: Extent): Size | undefined {
  return axis === undefined ? undefined : divideSizes(size, axis.size);
}

/** Whether parts of an extent start at whole panels of so many columns. */
export function startsAtPanels(extent: Extent, panel: number): boolean {
  const inside = insideOf(extent);
  const step = inside === undefined ? undefined : sizeConstant(inside);
  const [axis] = extent.axes;
  return step !== undefined && axis !== undefined && (unitOf(axis.size) * step) % panel === 0;
}
