import { constantSize, laidOutSize, multiplySizes, type Size, sizeConstant, substituteSize } from "../../ir/size.ts";
import type { Axis } from "../../ir/type.ts";
import { type Expression, number } from "./program.ts";

/** A size as tensors have it: known names become numbers, and a part of an axis is as long as the whole. */
export function laidOut(size: Size, known: ReadonlyMap<string, number>): Size {
  const values = new Map([...known].map(([name, value]) => [name, constantSize(value)]));
  return laidOutSize(substituteSize(size, values));
}

export function sizeExpression(size: Size): Expression {
  const value = sizeConstant(size);
  return value === undefined ? { kind: "size", size } : number(value);
}

/** How many entries the axes have together. */
export function productOf(axes: readonly Axis[]): Size {
  return axes.reduce((product, axis) => multiplySizes(product, axis.size), constantSize(1));
}
