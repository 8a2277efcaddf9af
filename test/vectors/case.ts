import type { Program } from "../../src/build/program.ts";
import type { Executor } from "../support/execute.ts";
import type { Feed, NamedArray } from "../support/feed.ts";
import { expectArray, readArray } from "../support/read.ts";

/** Numbers that another implementation published, for a program of ours. */
export interface VectorCase {
  readonly name: string;
  readonly program: Program;
  readonly feed: Feed;
  readonly expected: readonly Expected[];
}

export interface Expected {
  /** A result of the program. */
  readonly result: string;
  readonly kind: "output" | "gradient";
  readonly array: NamedArray;
  /** Entries that mean nothing: past an example's end. */
  readonly skip?: (place: number) => boolean;
}

/** Runs the case and compares everything that the vectors say. */
export async function checkCase(
  { program, feed, expected }: VectorCase,
  execute: Executor,
  tolerance: Readonly<Record<Expected["kind"], number>>,
): Promise<void> {
  if (expected.length === 0) throw new Error("the vectors say nothing");
  const results = await execute(program.graph)(feed.inputs, feed.sizes);
  for (const { result, kind, array, skip } of expected) {
    const within = tolerance[kind];
    expectArray(result, readArray(program, results, result), array, skip === undefined ? { within } : { within, skip });
  }
}

/** Row-major numbers of a function of the place. */
export function arrayOf(shape: readonly number[], value: (place: number) => number): NamedArray {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float64Array.from({ length: count }, (_, place) => value(place)) };
}

/** One entry of the first axis. */
export function entryOf({ shape, data }: NamedArray, place: number): NamedArray {
  const [, ...rest] = shape;
  const count = rest.reduce((product, size) => product * size, 1);
  return { shape: rest, data: Array.from(data).slice(place * count, (place + 1) * count) };
}

/** The columns `from` to `to` of a matrix, each a row of the result; of a vector, those entries. */
export function columns({ shape, data }: NamedArray, from: number, to: number): NamedArray {
  const [rows = 0, width] = shape;
  if (width === undefined) return { shape: [to - from], data: Array.from(data).slice(from, to) };
  return arrayOf([to - from, rows], (place) => data[(place % rows) * width + from + Math.floor(place / rows)] ?? Number.NaN);
}
