import type { WeightSpec } from "../build/program.ts";
import { addSizes, constantSize, multiplySizes, type Size, substituteSize } from "../ir/size.ts";

/** The number of entries of all trained weights, as a size. */
export function parameterCount(weights: readonly WeightSpec[]): Size {
  return weights
    .filter((weight) => weight.trained)
    .reduce((sum, weight) => addSizes(sum, entryCount(weight)), constantSize(0));
}

export function entryCount({ shape }: WeightSpec): Size {
  return shape.reduce((product, size) => multiplySizes(product, size), constantSize(1));
}

/** A size with the names that are known replaced by their numbers. */
export function knownPart(size: Size, sizes: ReadonlyMap<string, number>): Size {
  return substituteSize(size, new Map([...sizes].map(([name, value]) => [name, constantSize(value)])));
}
