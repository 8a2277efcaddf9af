import type { Numbers } from "../strided.ts";
import type { InputEntry } from "./spec.ts";

/** InputArray in nested lists, the batch first, or row-major with their shape. Rows along a `time` axis may have different lengths. */
export type InputArray = NumberList | ShapedNumbers;
export type NumberList = readonly (number | NumberList)[];
export interface ShapedNumbers {
  /** The batch first. */
  readonly shape: readonly number[];
  readonly data: Numbers;
  /** How many positions along the first `time` axis count in each example; all where left out. */
  readonly lengths?: Numbers;
}

/** The arrays of one batch, ready for a program. */
export interface Batch {
  /** `B`, and every time's length: that of the longest example. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly arrays: ReadonlyMap<string, Numbers>;
  /** By time, how many positions count in each example. */
  readonly lengths: ReadonlyMap<string, Int32Array>;
}

/**
 * Reads what a caller gives. Throws where an array is missing, is none of the model's, or has another shape, where two disagree about the
 * batch or a length, and where a token is none.
 */
export function readBatch(
  model: string,
  entries: readonly InputEntry[],
  given: Readonly<Record<string, InputArray | undefined>>,
): Batch {
  const known = entries.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw new TypeError(`${model} has no input ${name}: it has ${known.length === 0 ? "none" : known.join(", ")}`);
    }
  }
  // What reads nothing is run for one example.
  const sizes = new Map<string, number>(entries.length === 0 ? [["B", 1]] : []);
  const from: Record<string, string> = {};
  const agree = (size: string, value: number, name: string): void => {
    const before = sizes.get(size);
    if (before !== undefined && before !== value) {
      const what = size === "B" ? "examples" : `positions along ${size}`;
      throw new RangeError(`${name} has ${value} ${what}, ${from[size]} has ${before}`);
    }
    sizes.set(size, value);
    from[size] = name;
  };
  const shaped = entries.map((entry) => {
    const value = given[entry.name];
    if (value === undefined) throw new TypeError(`${model} needs the input ${entry.name}: ${describe(entry)}`);
    const array = "shape" in value ? value : flattened(entry, value);
    if (array.shape.includes(0)) throw new RangeError(`${entry.name} is empty: it is ${describe(entry)}`);
    checkShape(entry, array);
    agree("B", array.shape[0] ?? 0, entry.name);
    entry.axes.forEach(({ time }, axis) => {
      if (time !== undefined) agree(time, array.shape[axis + 1] ?? 0, entry.name);
    });
    return { entry, array };
  });
  const lengths = new Map<string, Int32Array>();
  for (const { entry, array } of shaped) {
    checkValues(entry, array);
    addLengths(lengths, entry, array);
  }
  return { sizes, lengths, arrays: new Map(shaped.map(({ entry, array }) => [entry.name, array.data])) };
}

/** `int32 [B, T], below 83`. */
function describe({ dtype, axes, below }: InputEntry): string {
  const shape = axes.map(({ size, time }) => time ?? String(size));
  const type = { float: "float32", int: "int32", bool: "boolean" }[dtype];
  return `${type} [${["B", ...shape].join(", ")}]${below === undefined ? "" : `, below ${below}`}`;
}

function checkShape(entry: InputEntry, { shape, data }: ShapedNumbers): void {
  const { axes } = entry;
  const count = shape.reduce((all, size) => all * size, 1);
  const fits = axes.every(
    ({ size, time }, axis) => time !== undefined || typeof size === "string" || shape[axis + 1] === size,
  );
  if (fits && shape.length === axes.length + 1 && data.length === count) return;
  throw new RangeError(
    `${entry.name} is ${describe(entry)}, given is [${shape.join(", ")}] with ${data.length} numbers`,
  );
}

/** Nested lists as one array. Shorter rows along the first `time` axis are filled up with their last element, which does not count. */
function flattened(entry: InputEntry, value: NumberList): ShapedNumbers {
  const ragged = entry.axes.findIndex(({ time }) => time !== undefined) + 1;
  const shape: number[] = [];
  const measure = (list: NumberList, depth: number): void => {
    const before = shape[depth];
    if (before !== undefined && before !== list.length && depth !== ragged) {
      throw new RangeError(
        `${entry.name} is ${describe(entry)}, but its lists have ${before} and ${list.length} items`,
      );
    }
    shape[depth] = Math.max(before ?? 0, list.length);
    for (const item of list) if (typeof item !== "number") measure(item, depth + 1);
  };
  measure(value, 0);
  const data: number[] = [];
  const write = (list: NumberList, depth: number): void => {
    const count = shape[depth] ?? 0;
    if (list.length === 0 && count > 0) throw new RangeError(`${entry.name} has an example without any position`);
    for (let at = 0; at < count; at++) {
      const item = list[Math.min(at, list.length - 1)] ?? 0;
      const isLeaf = depth === entry.axes.length;
      if ((typeof item === "number") !== isLeaf) {
        throw new RangeError(`${entry.name} is ${describe(entry)}: its lists are nested otherwise`);
      }
      if (typeof item === "number") data.push(item);
      else write(item, depth + 1);
    }
  };
  write(value, 0);
  const isList = (item: number | NumberList): item is NumberList => typeof item !== "number";
  const lengths = ragged === 1 ? value.filter(isList).map((row) => row.length) : undefined;
  return { shape, data, ...(lengths !== undefined && { lengths }) };
}

function checkValues({ name, dtype, below }: InputEntry, { data }: ShapedNumbers): void {
  if (dtype === "float") return;
  const limit = dtype === "bool" ? 2 : (below ?? Number.POSITIVE_INFINITY);
  for (let at = 0; at < data.length; at++) {
    const value = Number(data[at]);
    if (Number.isInteger(value) && value >= 0 && value < limit) continue;
    throw new RangeError(`${name} has ${value}: it takes whole numbers from 0${limit < 1e9 ? ` to ${limit - 1}` : ""}`);
  }
}

function addLengths(all: Map<string, Int32Array>, { name, axes }: InputEntry, array: ShapedNumbers): void {
  const [batch = 0, ...rest] = array.shape;
  let isFirst = true;
  axes.forEach(({ time }, axis) => {
    if (time === undefined) return;
    const size = rest[axis] ?? 0;
    const own =
      isFirst && array.lengths !== undefined ? Int32Array.from(array.lengths) : new Int32Array(batch).fill(size);
    isFirst = false;
    if (own.length !== batch || own.some((length) => length < 0 || length > size)) {
      throw new RangeError(`the lengths of ${name} are ${batch} whole numbers from 0 to ${size}`);
    }
    const before = all.get(time);
    if (before?.some((length, at) => length !== own[at])) {
      throw new RangeError(`${name} and another input disagree how long the examples are along ${time}`);
    }
    all.set(time, own);
  });
}
