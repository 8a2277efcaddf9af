import { usualOrder } from "../../plan/usual-order.ts";
import { isMoving } from "./bind.ts";
import type { GpuModule } from "./module.ts";

/** See `usualOrder`: of the memory of a program that moves when sizes change. */
export function placementOrder({ cells, sizes }: GpuModule): readonly number[] | undefined {
  return usualOrder(sizes, (values) =>
    cells.filter(isMoving).map(({ bytes, first = 0, last = Number.MAX_SAFE_INTEGER }) => ({
      // Usual sizes need not be such that all others are whole numbers.
      bytes: typeof bytes === "number" ? bytes : Math.max(0, Math.round(bytes(...values))),
      first,
      last,
    })),
  );
}
