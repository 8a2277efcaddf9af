import { planArena, type Span } from "../../plan/arena.ts";
import { partOf } from "../../plan/part.ts";
import { usualOrder } from "../../plan/usual-order.ts";
import { type Arrangement, isBuffer, isFixed } from "./bind.ts";
import type { WasmModule } from "./module.ts";

/** A tight arena is searched for each choice of sizes. */
export function searched(threads = 1): Arrangement {
  return {
    threads,
    part: ({ unit, edge }, count, thread) => partOf(count, unit, edge, thread, threads),
    span: ({ bytes, first, last }, { regions = [] }): Span => {
      // In a region threads do not wait for one another: what is used in one is not used anew there.
      const around = (position: number) => regions.find((one) => one.first <= position && position <= one.last);
      return { bytes, first: around(first)?.first ?? first, last: around(last)?.last ?? last };
    },
    place: planArena,
  };
}

/** See `usualOrder`: of the buffers of a program for one thread. */
export function placementOrder({ cells, sizes }: WasmModule): readonly number[] | undefined {
  const moving = cells.filter(isBuffer).filter((buffer) => !isFixed(buffer));
  return usualOrder(sizes, (values) =>
    moving.map(({ bytes, first = 0, last = Number.MAX_SAFE_INTEGER }) => ({
      // Usual sizes need not be such that all others are whole numbers.
      bytes: typeof bytes === "number" ? bytes : Math.max(0, Math.round(bytes(...values))),
      first,
      last,
    })),
  );
}
