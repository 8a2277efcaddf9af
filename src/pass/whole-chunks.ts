import { addSizes, ceilSize, constantSize, divideSizes, evaluateSize, type Size } from "../ir/size.ts";

/** ⌊size / factor⌋ = ⌈(size - factor + 1) / factor⌉. */
export function wholeChunks(size: Size, factor: number): Size {
  const known = evaluateSize(size, new Map());
  if (known !== undefined) return constantSize(Math.floor(known / factor));
  const quotient = divideSizes(addSizes(size, constantSize(1 - factor)), constantSize(factor));
  if (quotient === undefined) throw new Error(`internal: ${size.text} is not divided by ${factor}`);
  return ceilSize(quotient);
}
