import type { Axis } from "../../ir/type.ts";
import { insideOf } from "../../plan/part.ts";
import type { Extent } from "../../plan/product.ts";
import type { Kernel, Scalar } from "./kernel.ts";

/** The axis along which each thread does a part of a kernel; without one it does all. */
export type Share = Axis;

export interface Part {
  readonly first: Scalar;
  readonly count: Scalar;
}

/** The positions along an axis that this thread is to do. */
export function shareOf(kernel: Kernel, { id, size }: Axis, share: Share | undefined): Part {
  if (id !== share?.id) return { first: kernel.constant(0), count: kernel.size(size) };
  const { cells } = kernel.context.plan;
  return { first: kernel.cell(cells.part(size, "first")), count: kernel.cell(cells.part(size, "count")) };
}

/** The same of an extent, which may be several axes that lie one inside the other. */
export function shareOfExtent(kernel: Kernel, extent: Extent, share: Share | undefined): Part {
  const { axes, size } = extent;
  const [axis] = axes;
  if (axis === undefined || axis.id !== share?.id) return { first: kernel.constant(0), count: kernel.size(size) };
  const inside = insideOf(extent);
  if (inside === undefined) throw new Error(`internal: a part along ${axis.id} of ${size.text} positions`);
  const { first, count } = shareOf(kernel, axis, share);
  return { first: kernel.multiply(first, kernel.size(inside)), count: kernel.multiply(count, kernel.size(inside)) };
}
