import { nearest } from "../base/nearest.ts";
import type { InputSpec } from "../build/program.ts";
import { evaluateSize } from "../ir/size.ts";
import { DataError, listed } from "./data/error.ts";
import { elementCount, type HostArray } from "./executor.ts";
import { inputAxes } from "./fit.ts";
import type { StoredTensor } from "./safetensors.ts";

/** Input arrays of one batch, checked against a model. */
export interface Given {
  readonly size: number;
  readonly columns: ReadonlyMap<string, HostArray>;
  /** By `time` name: how many positions each example has. */
  readonly lengths: ReadonlyMap<string, Int32Array>;
  readonly isRagged: boolean;
}

const LENGTH = ".length";

/**
 * Reads the inputs of a model out of named tensors: batch first, then the declared axes, of which those of size 1 may be left out;
 * `x.length` holds the lengths of the first ragged axis of `x`, `T.length` those of `time T`. What stands behind an example's end is
 * replaced by its last element. `sizes` are those that are known.
 */
export function readGiven(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  specs: readonly InputSpec[],
  sizes: ReadonlyMap<string, number>,
): Given {
  const present = specs.filter((spec) => tensors.has(spec.name));
  const first = tensors.get(present[0]?.name ?? "");
  const size = first?.shape[0];
  if (size === undefined || size === 0) {
    throw new DataError(
      first === undefined
        ? `it has none of the inputs ${specs.map(({ name }) => name).join(", ")}`
        : "its inputs have no batch axis, or an empty one",
      { place: { file }, hint: "inputs are batched: their first axis counts examples" },
    );
  }
  const found = { file, size, sizes: new Map([...sizes, ["B", size] as const]) };
  const arrays = new Map(present.map((spec) => [spec.name, inputArray(found, spec, tensors.get(spec.name))]));
  const lengths = readLengths(found, tensors, specs);
  const columns = new Map<string, HostArray>();
  for (const spec of present) {
    const array = arrays.get(spec.name);
    if (array === undefined) continue;
    const padded = withLegalEnds(spec, array, lengths);
    checkValues(file, spec, padded, found.sizes);
    columns.set(spec.name, padded);
  }
  const isRagged = [...lengths].some(([time, values]) => values.some((length) => length !== found.sizes.get(time)));
  return { size, columns, lengths, isRagged };
}

interface Found {
  readonly file: string;
  readonly size: number;
  /** Times are added as they are seen. */
  readonly sizes: Map<string, number>;
}

function inputArray(found: Found, spec: InputSpec, tensor: StoredTensor | undefined): HostArray {
  const { file, size, sizes } = found;
  if (tensor === undefined) throw new Error(`internal: ${spec.name} is not there`);
  const wrong = (reason: string): DataError =>
    new DataError(`tensor ${JSON.stringify(spec.name)} ${reason}`, { place: { file }, span: spec.span });
  const axes = inputAxes(spec);
  const declared = spec.shape.map((axis) => axis.text);
  const shape =
    tensor.shape.length === declared.length + 1
      ? tensor.shape.filter((_, axis) => axis === 0 || spec.shape[axis - 1]?.text !== "1")
      : tensor.shape;
  const wanted = `[${["B", ...declared].join(", ")}]`;
  const misfit = (): DataError => wrong(`is [${tensor.shape.join(", ")}], the model takes ${wanted}`);
  if (shape.length !== axes.length + 1 || elementCount(shape) !== tensor.data.length) throw misfit();
  if (shape[0] !== size) throw wrong(`has ${shape[0]} examples, other inputs have ${size}`);
  axes.forEach((axis, place) => {
    const actual = shape[place + 1] ?? 0;
    const expected = evaluateSize(axis.size, sizes);
    if (axis.time !== undefined && expected === undefined) sizes.set(axis.time, actual);
    else if (expected !== undefined && expected !== actual) {
      throw wrong(`is [${tensor.shape.join(", ")}], the model takes ${wanted} with ${axis.size.text} = ${expected}`);
    }
    if (actual === 0) throw wrong(`has no positions along ${axis.size.text}`);
  });
  return { shape, data: numbers(spec, tensor, wrong) };
}

function numbers(spec: InputSpec, tensor: StoredTensor, wrong: (reason: string) => DataError): HostArray["data"] {
  const { data } = tensor;
  const values = data instanceof BigInt64Array ? Float64Array.from(data, Number) : data;
  if (spec.dtype === "float") return values;
  const what = spec.dtype === "int" ? "tokens: I32, I64 or U8" : "truths: BOOL, or 0 and 1";
  const whole = values.every(
    (value) => Number.isInteger(value) && (spec.dtype === "int" || value === 0 || value === 1),
  );
  if (!whole) throw wrong(`holds ${tensor.dtype} values, the model takes ${what}`);
  return spec.dtype === "int" ? Int32Array.from(values) : Uint8Array.from(values);
}

function readLengths(
  { file, size, sizes }: Found,
  tensors: ReadonlyMap<string, StoredTensor>,
  specs: readonly InputSpec[],
): ReadonlyMap<string, Int32Array> {
  const lengths = new Map<string, Int32Array>();
  for (const [name, tensor] of tensors) {
    if (specs.some((spec) => spec.name === name)) continue;
    const time = name.endsWith(LENGTH) ? timeOf(name.slice(0, -LENGTH.length), specs) : undefined;
    if (time === undefined) {
      const known = specs.flatMap((spec) => [
        spec.name,
        ...(timeOf(spec.name, specs) === undefined ? [] : [spec.name + LENGTH]),
      ]);
      const near = nearest(name, known);
      throw new DataError(`tensor ${JSON.stringify(name)} is no input of the model`, {
        place: { file },
        hint: near === undefined ? `its inputs are ${listed(known)}` : `did you mean ${near}?`,
      });
    }
    const longest = sizes.get(time) ?? 0;
    const values = Array.from(tensor.data, Number);
    const fits = tensor.shape.length === 1 && values.length === size;
    const bad = values.find((length) => !(Number.isInteger(length) && length >= 1 && length <= longest));
    if (!fits || bad !== undefined) {
      const text = fits
        ? `has ${bad}: a length is from 1 to ${longest}`
        : `is [${tensor.shape.join(", ")}], not [${size}]`;
      throw new DataError(`tensor ${JSON.stringify(name)} ${text}`, { place: { file } });
    }
    const before = lengths.get(time);
    if (before?.some((length, row) => length !== values[row]) === true) {
      throw new DataError(`tensor ${JSON.stringify(name)} gives ${time} other lengths than another input does`, {
        place: { file },
      });
    }
    lengths.set(time, Int32Array.from(values));
  }
  for (const time of new Set(specs.flatMap((spec) => spec.times))) {
    const longest = time === undefined ? undefined : sizes.get(time);
    if (time !== undefined && longest !== undefined && !lengths.has(time)) {
      lengths.set(time, new Int32Array(size).fill(longest));
    }
  }
  return lengths;
}

/** The `time` that a name means: its own, or that of an input's first ragged axis. */
function timeOf(name: string, specs: readonly InputSpec[]): string | undefined {
  const spec = specs.find((one) => one.name === name);
  return (
    spec?.times.find((time) => time !== undefined) ?? specs.flatMap((one) => one.times).find((time) => time === name)
  );
}

/** Behind an example's end stands its last element: legal values, whatever the file has there. */
function withLegalEnds(
  spec: InputSpec,
  { shape, data }: HostArray,
  lengths: ReadonlyMap<string, Int32Array>,
): HostArray {
  let current = data;
  inputAxes(spec).forEach(({ time }, place) => {
    const own = time === undefined ? undefined : lengths.get(time);
    if (own === undefined) return;
    const axis = place + 1;
    const length = shape[axis] ?? 0;
    const inner = elementCount(shape.slice(axis + 1));
    const outer = elementCount(shape.slice(1, axis));
    const out = current.slice();
    for (let block = 0; block < (shape[0] ?? 0) * outer; block++) {
      const end = own[Math.floor(block / outer)] ?? length;
      const base = block * length * inner;
      for (let position = end; position < length; position++) {
        out.copyWithin(base + position * inner, base + (end - 1) * inner, base + end * inner);
      }
    }
    current = out;
  });
  return { shape, data: current };
}

/** Tokens lie below their vocabulary's size, floats are finite. */
function checkValues(
  file: string,
  spec: InputSpec,
  { shape, data }: HostArray,
  sizes: ReadonlyMap<string, number>,
): void {
  const limit = spec.vocabulary === undefined ? Number.POSITIVE_INFINITY : evaluateSize(spec.vocabulary, sizes);
  if (limit === undefined) return;
  const isWrong = (value: number): boolean =>
    spec.dtype === "int" ? value < 0 || value >= limit : !Number.isFinite(value);
  const bad = data.findIndex(isWrong);
  if (bad < 0) return;
  const place: number[] = [];
  for (let rest = bad, axis = shape.length - 1; axis >= 0; axis--) {
    place.unshift(rest % (shape[axis] ?? 1));
    rest = Math.floor(rest / (shape[axis] ?? 1));
  }
  const rule =
    spec.dtype === "int" ? `tokens are from 0 on, below ${spec.vocabulary?.text} = ${limit}` : "numbers are finite";
  throw new DataError(`tensor ${JSON.stringify(spec.name)} has ${data[bad]} at [${place.join(", ")}]: ${rule}`, {
    place: { file },
    span: spec.span,
  });
}
