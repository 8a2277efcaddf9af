import type { Program } from "../../src/build/program.ts";
import { evaluateSize, type Size } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Chance } from "./chance.ts";
import { createChance } from "./chance.ts";
import type { NamedArray } from "./feed.ts";

export type Arrays = Readonly<Record<string, NamedArray>>;
export type Sizes = Readonly<Record<string, number>>;

/** Whether examples of the program differ in length. */
export function isRagged(program: Program): boolean {
  return [...program.params.values()].some((role) => role.kind === "length");
}

/**
 * The same examples, laid out for longer times, with junk wherever no example has a position: large numbers, any token.
 * `more` positions are appended along every `time`.
 */
export function withJunk(program: Program, arrays: Arrays, sizes: Sizes, more: number, seed: number): Arrays {
  const chance = createChance(seed);
  const longer = Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [name, isTime(program, name) ? size + more : size]),
  );
  const result: Record<string, NamedArray> = { ...arrays };
  for (const spec of program.inputs) {
    const array = arrays[spec.name];
    if (array === undefined || spec.times.every((time) => time === undefined)) continue;
    const dimensions = spec.shape.map((size) => sizeOf(size, sizes));
    const wider = spec.shape.map((size) => sizeOf(size, longer));
    const count = sizeOf(spec.vocabulary, sizes);
    const junk = spec.dtype === "float" ? large : (some: Chance) => some.below(spec.dtype === "bool" ? 2 : count);
    const B = array.shape[0] ?? 0;
    const shape = [B, ...wider];
    const data = Float64Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, place) => {
      const at = positionOf(shape, place);
      const example = at[0] ?? 0;
      const inside = spec.times.every(
        (time, axis) => time === undefined || (at[axis + 1] ?? 0) < lengthOf(arrays, time, example),
      );
      return inside ? (array.data[placeOf([B, ...dimensions], at)] ?? Number.NaN) : junk(chance);
    });
    result[spec.name] = { shape, data };
  }
  return result;
}

function large(chance: Chance): number {
  return chance.pick([-1, 1]) * 10 ** chance.between(3, 6);
}

/** One example of the batch by itself, as long as it is. */
export function alone(program: Program, arrays: Arrays, sizes: Sizes, example: number): Arrays {
  const result: Record<string, NamedArray> = { ...arrays };
  const own = ownSizes(program, arrays, sizes, example);
  for (const [name, { data }] of Object.entries(arrays)) {
    const time = name.replace(/\.length$/, "");
    if (name.endsWith(".length") && isTime(program, time)) result[name] = { shape: [1], data: [data[example] ?? 0] };
  }
  for (const spec of program.inputs) {
    const array = arrays[spec.name];
    if (array === undefined) continue;
    const from = [array.shape[0] ?? 0, ...spec.shape.map((size) => sizeOf(size, sizes))];
    const shape = [1, ...spec.shape.map((size) => sizeOf(size, own))];
    const data = Float64Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, place) => {
      const [, ...rest] = positionOf(shape, place);
      return array.data[placeOf(from, [example, ...rest])] ?? Number.NaN;
    });
    result[spec.name] = { shape, data };
  }
  return result;
}

/** The sizes of one example by itself. */
export function ownSizes(program: Program, arrays: Arrays, sizes: Sizes, example: number): Sizes {
  const entries = Object.entries(sizes).map(([name, size]): [string, number] => [
    name,
    isTime(program, name) ? lengthOf(arrays, name, example) : size,
  ]);
  return { ...Object.fromEntries(entries), B: 1 };
}

function isTime(program: Program, name: string): boolean {
  return [...program.params.values()].some((role) => role.kind === "length" && role.time === name);
}

export function lengthOf(arrays: Arrays, time: string, example: number): number {
  return arrays[`${time}.length`]?.data[example] ?? Number.POSITIVE_INFINITY;
}

function sizeOf(size: Size | undefined, sizes: Sizes): number {
  const value = size === undefined ? 0 : evaluateSize(size, new Map(Object.entries(sizes)));
  if (value === undefined) throw new Error(`the size ${size?.text} is not known`);
  return value;
}

export function positionOf(shape: readonly number[], place: number): readonly number[] {
  const position: number[] = [];
  let rest = place;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    position[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return position;
}

function placeOf(shape: readonly number[], position: readonly number[]): number {
  return shape.reduce((place, size, axis) => place * size + (position[axis] ?? 0), 0);
}

/**
 * The entries of a result that lie inside their examples, by position. `batch` and `times` are ids of axes; the axis of
 * a `time` has its id.
 */
export function insideEntries(tensor: Tensor, arrays: Arrays, example?: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const batch = tensor.axes.indexOf("B");
  tensor.data.forEach((value, place) => {
    const position = positionOf(tensor.shape, place);
    const row = example ?? position[batch] ?? 0;
    const outside = tensor.axes.some(
      (axis, index) => (position[index] ?? 0) >= lengthOf(arrays, axis.replace(/~\d+$/, ""), row),
    );
    if (outside) return;
    const named = tensor.axes.map(
      (axis, index) => `${axis}=${index === batch && example !== undefined ? example : position[index]}`,
    );
    found.set(named.sort().join(" "), value);
  });
  return found;
}
