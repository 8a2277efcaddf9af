import { type FileHandle, open } from "node:fs/promises";
import { DataError, listed } from "./data/error.ts";

/*
 * The safetensors format: 8 bytes little-endian header size, a JSON header {name: {dtype, shape, data_offsets}}, then the tensors'
 * bytes without gaps (https://github.com/huggingface/safetensors, "Format").
 */

/** A tensor in a file. Half-precision ones are read as float32; integers of 64 bits stay exact. */
export type StoredTensor =
  | { readonly dtype: "F32" | "F16" | "BF16"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "F64"; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly dtype: "I32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: "I64"; readonly shape: readonly number[]; readonly data: BigInt64Array }
  | { readonly dtype: "U8" | "BOOL"; readonly shape: readonly number[]; readonly data: Uint8Array };

/** Types of the format that nothing here reads, with the bytes of an element. */
const FOREIGN_BYTES = { I8: 1, I16: 2, U16: 2, U32: 4, U64: 8, F8_E4M3: 1, F8_E5M2: 1, C64: 8 } as const;

/** A tensor that is not read. */
export interface ForeignTensor {
  readonly dtype: keyof typeof FOREIGN_BYTES;
  readonly shape: readonly number[];
}

export type StoredType = StoredTensor["dtype"];

/** The types that are written; half precision is only read. */
export type WritableTensor = Exclude<StoredTensor, { readonly data: Float32Array }> | Float32Tensor;

interface Float32Tensor {
  readonly dtype: "F32";
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface TensorFile {
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes of one element. */
const ELEMENT_BYTES: Readonly<Record<StoredType, number>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  U8: 1,
  BOOL: 1,
};

/** What a header may take; the reference implementation has the same limit. */
const HEADER_LIMIT = 100_000_000;

/**
 * The bytes of a file, in pieces to write one behind the other: the header, then each tensor. The same tensors and metadata give the
 * same bytes, whatever their order. Throws where a tensor's shape and data disagree: a fault of the caller.
 */
export function encodeTensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: ReadonlyMap<string, string>,
): readonly Uint8Array[] {
  // Wide elements first, so that every tensor is aligned in the file.
  const order = [...tensors].sort(
    ([a, left], [b, right]) => ELEMENT_BYTES[right.dtype] - ELEMENT_BYTES[left.dtype] || (a < b ? -1 : 1),
  );
  const sorted = Object.fromEntries([...metadata].sort(([a], [b]) => (a < b ? -1 : 1)));
  const entries: [string, unknown][] = metadata.size > 0 ? [["__metadata__", sorted]] : [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of order) {
    const elements = shape.reduce((all, size) => all * size, 1);
    if (data.length !== elements || name === "__metadata__")
      throw new Error(`internal: tensor ${name} of shape [${shape}] has ${data.length} elements`);
    entries.push([name, { dtype, shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, 8);
  return [head, ...order.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/** Whether a tensor can be weights. */
export function isFloating(
  tensor: StoredTensor | ForeignTensor,
): tensor is Extract<StoredTensor, { readonly data: Float32Array | Float64Array }> {
  return "data" in tensor && (tensor.data instanceof Float32Array || tensor.data instanceof Float64Array);
}

/**
 * Reads a whole file. Every fault of the file is a `DataError`.
 * @param foreign takes the tensors whose type nothing here reads; where it is not given they are a fault
 */
export async function readTensors(file: string, foreign?: Map<string, ForeignTensor>): Promise<TensorFile> {
  const handle = await open(file, "r").catch((error: unknown) => {
    throw new DataError(`it cannot be opened: ${error instanceof Error ? error.message : error}`, { place: { file } });
  });
  try {
    return await readOpen(file, handle, foreign);
  } finally {
    await handle.close();
  }
}

async function readOpen(
  file: string,
  handle: FileHandle,
  foreign: Map<string, ForeignTensor> | undefined,
): Promise<TensorFile> {
  const { size } = await handle.stat();
  if (size < 8) throw new DataError(`a file of ${size} bytes is no safetensors file`, { place: { file } });
  const headerSize = Number(new DataView((await readAt(handle, 0, 8)).buffer).getBigUint64(0, true));
  if (headerSize > HEADER_LIMIT || headerSize < 2)
    throw new DataError(`this is no safetensors file: it claims a header of ${headerSize} bytes`, {
      place: { file, byte: 0 },
    });
  if (8 + headerSize > size)
    throw new DataError(`the file is cut off: its header takes ${headerSize} bytes, the file has ${size}`, {
      place: { file, byte: size },
    });
  const begin = 8 + headerSize;
  const { entries, metadata } = parseHeader(file, await readAt(handle, 8, headerSize), size - begin);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, from, to } of entries) {
    if (isKnown(dtype)) tensors.set(name, decodeTensor(dtype, shape, await readAt(handle, begin + from, to - from)));
    else if (foreign !== undefined) foreign.set(name, { dtype, shape });
    else throw unknownType(file, name, dtype);
  }
  return { tensors, metadata };
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, 1 << 30), position + at);
    if (bytesRead === 0) throw new Error(`internal: the file shrank while it was read`);
    at += bytesRead;
  }
  return bytes;
}

function isKnown(dtype: Entry["dtype"]): dtype is StoredType {
  return Object.hasOwn(ELEMENT_BYTES, dtype);
}

function unknownType(file: string, name: string, dtype: unknown): DataError {
  return fault(
    file,
    name,
    `has the type ${JSON.stringify(dtype) ?? "none"}; known are ${listed(Object.keys(ELEMENT_BYTES))}`,
  );
}

interface Entry {
  readonly name: string;
  readonly dtype: StoredType | ForeignTensor["dtype"];
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** Checks a header against the `available` bytes behind it. */
function parseHeader(
  file: string,
  bytes: Uint8Array,
  available: number,
): { readonly entries: readonly Entry[]; readonly metadata: ReadonlyMap<string, string> } {
  const header = parseObject(file, bytes);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== "__metadata__") entries.push(parseEntry(file, name, value));
    else if (isObject(value)) for (const [key, text] of Object.entries(value)) metadata.set(key, String(text));
  }
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  let before = "the header";
  for (const { name, from, to } of entries) {
    if (from < end)
      throw fault(file, name, `begins at byte ${from}, within ${JSON.stringify(before)}, which ends at ${end}`);
    if (from > end)
      throw fault(file, name, `begins at byte ${from}; the ${from - end} bytes before it belong to no tensor`);
    end = to;
    before = name;
  }
  if (end > available)
    throw new DataError(`the file is cut off: its tensors take ${end} bytes, ${available} are there`, {
      place: { file },
    });
  if (end < available)
    throw new DataError(`${available - end} bytes at the end belong to no tensor`, { place: { file } });
  return { entries, metadata };
}

function parseObject(file: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(header)) return header;
  } catch {
    // Reported below: what JSON.parse says of a binary file helps nobody.
  }
  throw new DataError("this is no safetensors file: its header is not a JSON object", { place: { file, byte: 8 } });
}

function parseEntry(file: string, name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = isObject(value) ? value : {};
  const bytes: Readonly<Record<string, number>> = { ...ELEMENT_BYTES, ...FOREIGN_BYTES };
  if (typeof dtype !== "string" || !Object.hasOwn(bytes, dtype)) throw unknownType(file, name, dtype);
  if (!isSizes(shape)) throw fault(file, name, `has no proper shape: ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw fault(file, name, `has no proper data_offsets: ${JSON.stringify(offsets)}`);
  const [from, to] = offsets as readonly [number, number];
  const needed = shape.reduce((all, size) => all * size, 1) * (bytes[dtype] ?? 0);
  if (to - from !== needed) throw fault(file, name, `of ${dtype} [${shape}] needs ${needed} bytes, has ${to - from}`);
  return { name, dtype: dtype as Entry["dtype"], shape, from, to };
}

function fault(file: string, name: string, what: string): DataError {
  return new DataError(`tensor ${JSON.stringify(name)} ${what}`, { place: { file } });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function decodeTensor(dtype: StoredType, shape: readonly number[], bytes: Uint8Array<ArrayBuffer>): StoredTensor {
  switch (dtype) {
    case "F32":
      return { dtype, shape, data: new Float32Array(bytes.buffer) };
    case "F64":
      return { dtype, shape, data: new Float64Array(bytes.buffer) };
    case "I32":
      return { dtype, shape, data: new Int32Array(bytes.buffer) };
    case "I64":
      return { dtype, shape, data: new BigInt64Array(bytes.buffer) };
    case "U8":
    case "BOOL":
      return { dtype, shape, data: bytes };
    case "F16":
      return { dtype, shape, data: Float32Array.from(new Uint16Array(bytes.buffer), halfToFloat) };
    case "BF16":
      return { dtype, shape, data: bfloatToFloat(new Uint16Array(bytes.buffer)) };
  }
}

/** IEEE 754 binary16. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A bfloat16 is the upper half of a float32. */
function bfloatToFloat(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}
