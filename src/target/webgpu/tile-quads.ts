import { type Size, sizeConstant } from "../../ir/size.ts";
import type { Tile } from "./tile.ts";

/** Threads next to one another that have the same rows, and columns next to one another by turns. */
export const QUAD = 4;
/** Threads of a group: few, so that small products are spread over a processor's cores, and few threads have nothing to do. */
export const DIRECT_THREADS = 16;
const QUADS = DIRECT_THREADS / QUAD;
/** So many sums of one thread at most. */
const MOST_SUMS = 64;

/**
 * The tile that reads least for each product of two numbers: what is read of the left matrix serves all columns, what is read of the right
 * one all rows. Rows and columns that the matrix does not have count as well. Undefined where no tile has room for all sums.
 */
export function quadTile(m: Size, n: Size, sums: number): Tile | undefined {
  const [rows, columns] = [sizeConstant(m), sizeConstant(n)];
  let best: { readonly cost: number; readonly down: number; readonly across: number } | undefined;
  for (const down of [16, 8, 4])
    for (const across of [8, 4, 2, 1]) {
      if (down * across * sums > MOST_SUMS) continue;
      const reads = down / QUAD + across * sums;
      const cost = (reads / (down * across * sums)) * excess(rows, down) * excess(columns, QUAD * across);
      if (best === undefined || cost < best.cost) best = { cost, down, across };
    }
  if (best === undefined) return undefined;
  const { down, across } = best;
  // As many beside one another as the matrix has columns for.
  const wide = QUAD * across;
  const beside = Math.min(QUADS, columns === undefined ? QUAD : 2 ** Math.ceil(Math.log2(Math.max(columns / wide, 1))));
  return { rows: (down * QUADS) / beside, columns: wide * beside, across };
}

/** How many times what is there is walked, in whole tiles. */
function excess(size: number | undefined, tile: number): number {
  return size === undefined || size === 0 ? 1 : (Math.ceil(size / tile) * tile) / size;
}
