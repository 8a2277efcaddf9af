import { evaluateSize, type Size, sizeNames } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import type { PassOptions } from "./pass.ts";

/** What cost models think that sizes are: known ones themselves, names not known `rows`. */
export interface Estimate {
  size(size: Size): number;
  /** How many positions some axes have together. */
  positions(axes: readonly Axis[]): number;
  /** How many numbers a value has. */
  elements(type: Type): number;
  /** Whether a size is known while compiling. */
  isKnown(size: Size): boolean;
}

export function createEstimate({ sizes, rows }: PassOptions): Estimate {
  const cache = new Map<string, number>();
  const size = (of: Size): number => {
    const known = cache.get(of.text);
    if (known !== undefined) return known;
    const binding = new Map([...sizeNames(of)].map((name) => [name, sizes.get(name) ?? rows] as const));
    const value = Math.max(1, Math.round(evaluateSize(of, binding) ?? rows));
    cache.set(of.text, value);
    return value;
  };
  const positions = (axes: readonly Axis[]): number => axes.reduce((product, axis) => product * size(axis.size), 1);
  return {
    size,
    positions,
    elements: (type) => positions(type.axes),
    isKnown: (of) => [...sizeNames(of)].every((name) => sizes.has(name)),
  };
}
