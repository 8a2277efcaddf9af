import { sizeConstant } from "../ir/size.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { add, mul, sub, toFloat, toInt } from "../op/map.ts";
import { expand, gather } from "../op/move.ts";
import { constant, extent, iota } from "../op/source.ts";
import type { Emitter } from "./emitter.ts";

/*
 * What carries start with: values of the region that the loop stands in.
 */

/**
 * What stands where nothing has been computed yet. Nobody relies on it, but derivatives pass through it on their way to a mask,
 * and 0 times infinity is no number: so it lies inside the domain of log(x), log(1-x), 1/x, √x, √(1-x²) and their derivatives.
 */
const FILLER = 0.5;

export function zeros(region: Emitter, type: Type): string {
  return filled(region, type, 0, "zeros");
}

/** A legal value that is masked wherever it would matter. */
export function anything(region: Emitter, type: Type): string {
  return filled(region, type, type.dtype === "float" ? FILLER : 0, "any");
}

function filled(region: Emitter, type: Type, value: number, name: string): string {
  const number = region.add(constant, [], { value, dtype: type.dtype }, name);
  return type.axes.length === 0 ? number : region.add(expand, [number], { axes: type.axes }, name);
}

export function int(region: Emitter, value: number): string {
  return region.add(constant, [], { value, dtype: "int" }, "c");
}

/** first + step*k for each k of an axis. */
export function ramp(region: Emitter, axis: Axis, first: number, step: number): string {
  const positions = region.add(iota, [], { axis }, axis.id);
  const scaled = step === 1 ? positions : region.add(mul, [positions, int(region, step)], {}, "index");
  return first === 0 ? scaled : region.add(add, [scaled, int(region, first)], {}, "index");
}

export interface Start {
  /** What a read gives before the first position: a value of the region; undefined where nobody relies on it. */
  readonly otherwise: string | undefined;
  /** The axis that the loop runs over, as the value read calls it. */
  readonly axis: string;
  readonly reverse: boolean;
}

/** The carry's start: `otherwise` where it is read `steps` (an int value) positions after the start, as a value of `type`. */
export function startValue(region: Emitter, { otherwise, axis, reverse }: Start, steps: string, type: Type): string {
  if (otherwise === undefined) return anything(region, type);
  const own = region.type(otherwise).axes.find((other) => other.id === axis);
  const name = `${otherwise}.start`;
  let value = otherwise;
  if (own !== undefined) {
    const index = reverse ? region.add(sub, [lastOf(region, own), steps], {}, "index") : steps;
    value = region.add(gather, [value, index], { axis }, name);
  }
  if (type.dtype === "float" && region.type(value).dtype === "int") value = region.add(toFloat, [value], {}, name);
  const missing = type.axes.filter((other) => !hasAxis(region.type(value), other.id));
  return missing.length === 0 ? value : region.add(expand, [value], { axes: missing }, name);
}

/** Whether a carry's start depends on the position where it is read. */
export function varies(region: Emitter, { otherwise, axis }: Start): boolean {
  return otherwise !== undefined && hasAxis(region.type(otherwise), axis);
}

function lastOf(region: Emitter, axis: Axis): string {
  const size = sizeConstant(axis.size);
  if (size !== undefined) return int(region, size - 1);
  const count = region.add(toInt, [region.add(extent, [], { size: axis.size }, "size")], {}, "size");
  return region.add(sub, [count, int(region, 1)], {}, "last");
}
