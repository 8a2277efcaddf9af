import { editDistance } from "../base/nearest.ts";

/** What is measured of whole sequences, outside the graph. Everything here is a pure function. */

/** A mean in the making: the sum of values and of their weights. */
export interface Mean {
  readonly sum: number;
  readonly weight: number;
}

export const EMPTY_MEAN: Mean = { sum: 0, weight: 0 };

/** One more value, as a batch's mean loss with its number of positions. Nothing is added where the weight is 0. */
export function addToMean(mean: Mean, value: number, weight = 1): Mean {
  return weight === 0 ? mean : { sum: mean.sum + value * weight, weight: mean.weight + weight };
}

/** Undefined where nothing was added. */
export function meanOf({ sum, weight }: Mean): number | undefined {
  return weight === 0 ? undefined : sum / weight;
}

/** A decoded sequence and what it should have been: ids up to, not including, EOS. */
export interface Pair {
  readonly found: ArrayLike<number>;
  readonly wanted: ArrayLike<number>;
}

/** Insertions, deletions and substitutions, as a share of all wanted tokens: phone, character or word error rate. */
export function editRate(mean: Mean, { found, wanted }: Pair): Mean {
  return { sum: mean.sum + editDistance(found, wanted), weight: mean.weight + wanted.length };
}

/** The share of sequences that are right from end to end. */
export function exact(mean: Mean, { found, wanted }: Pair): Mean {
  const right = found.length === wanted.length && Array.from(found).every((id, at) => id === wanted[at]);
  return addToMean(mean, right ? 1 : 0);
}

/** The share of positions that are right; a position that only one of the two has is wrong. */
export function accuracy(mean: Mean, { found, wanted }: Pair): Mean {
  let right = 0;
  for (let at = 0; at < Math.min(found.length, wanted.length); at++) if (found[at] === wanted[at]) right++;
  return { sum: mean.sum + right, weight: mean.weight + Math.max(found.length, wanted.length) };
}

/** How often a class was found and wanted. */
export interface Counts {
  /** Found and wanted. */
  readonly both: number;
  readonly found: number;
  readonly wanted: number;
}

export const EMPTY_COUNTS: Counts = { both: 0, found: 0, wanted: 0 };

/** Counts the positions of class `of`. */
export function countClass(counts: Counts, { found, wanted }: Pair, of: number): Counts {
  const longest = Math.max(found.length, wanted.length);
  let { both, found: foundCount, wanted: wantedCount } = counts;
  for (let at = 0; at < longest; at++) {
    if (found[at] === of) foundCount++;
    if (wanted[at] === of) wantedCount++;
    if (found[at] === of && wanted[at] === of) both++;
  }
  return { both, found: foundCount, wanted: wantedCount };
}

/** The harmonic mean of precision and recall; undefined where the class was neither found nor wanted. */
export function f1Of({ both, found, wanted }: Counts): number | undefined {
  return found + wanted === 0 ? undefined : (2 * both) / (found + wanted);
}

/** The part of a sequence of ids before its first `end`. */
export function beforeEnd(ids: ArrayLike<number>, end: number | undefined): readonly number[] {
  const all = Array.from(ids);
  const at = end === undefined ? -1 : all.indexOf(end);
  return at < 0 ? all : all.slice(0, at);
}
