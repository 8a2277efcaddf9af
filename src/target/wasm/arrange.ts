import { placeInOrder, planArena, type Span } from "../../plan/arena.ts";
import { partOf } from "../../plan/part.ts";
import { type Arrangement, isBuffer, layOutMemory } from "./bind.ts";
import type { ModuleCell, WasmModule } from "./module.ts";

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

/**
 * In which order the buffers of a program for one thread are placed so that its arena is tight, for small sizes as for large ones: the order
 * that is best at some and least bad at the others. A program in a file carries it in place of the search.
 */
export function placementOrder(module: WasmModule): readonly number[] {
  const cells = module.cells.map(roughly);
  const cases = USUAL_SIZES.map((size) => {
    const sizes = module.sizes.map(() => size);
    const { spans } = layOutMemory({ ...module, cells }, sizes, searched()).arena;
    return { spans, arena: planArena(spans) };
  });
  const worst = (order: readonly number[]): number =>
    Math.max(...cases.map(({ spans, arena }) => placeInOrder(spans, order).bytes / Math.max(1, arena.bytes)));
  return cases.map(({ arena }) => arena.order).reduce((best, order) => (worst(order) < worst(best) ? order : best));
}

const USUAL_SIZES = [8, 32, 128];

/** Usual sizes need not be such that all others are whole numbers. */
function roughly(cell: ModuleCell): ModuleCell {
  if (!isBuffer(cell)) return null;
  const { bytes } = cell;
  return typeof bytes === "number" ? cell : { ...cell, bytes: (...sizes) => Math.max(0, Math.round(bytes(...sizes))) };
}
