import type { Program } from "../build/program.ts";
import { sizeNames } from "../ir/size.ts";

/** Sizes that weights have and nobody knows. */
export function openSizes({ weights, sizes }: Program): readonly string[] {
  const names = weights.flatMap(({ shape }) => shape.flatMap((size) => [...sizeNames(size)]));
  return [...new Set(names)].filter((name) => !sizes.has(name));
}
