/** A float32 array with its shape. */
interface StoredArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * The safetensors format: 8 bytes little-endian header size, a JSON header {name: {dtype, shape, data_offsets}}, then the arrays'
 * bytes (https://github.com/huggingface/safetensors, "Format"). The same arrays give the same bytes, whatever their order.
 */
export function encodeSafetensors(arrays: ReadonlyMap<string, StoredArray>): Uint8Array {
  const sorted = [...arrays].sort(([a], [b]) => (a < b ? -1 : 1));
  let end = 0;
  const header = Object.fromEntries(
    sorted.map(([name, { shape, data }]) => {
      const begin = end;
      end += data.byteLength;
      return [name, { dtype: "F32", shape, data_offsets: [begin, end] }];
    }),
  );
  const json = new TextEncoder().encode(JSON.stringify(header));
  // The header is filled up with spaces, so that the arrays are aligned.
  const begin = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(begin + end).fill(0x20, 8, begin);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(begin - 8), true);
  bytes.set(json, 8);
  let at = begin;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Reads the float32 arrays of a safetensors file; throws where the bytes are none, or an array is not float32 or cut off. */
export function decodeSafetensors(bytes: Uint8Array): ReadonlyMap<string, StoredArray> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.byteLength < 8 ? -1 : Number(view.getBigUint64(0, true));
  if (size < 2 || 8 + size > bytes.byteLength) throw new Error("this is no safetensors file, or it is cut off");
  const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size)));
  if (typeof header !== "object" || header === null) throw new Error("the header of the safetensors file is no object");
  const arrays = new Map<string, StoredArray>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") arrays.set(name, decodeArray(name, entry, bytes.subarray(8 + size)));
  }
  return arrays;
}

function decodeArray(name: string, entry: unknown, bytes: Uint8Array): StoredArray {
  const { dtype, shape, data_offsets: offsets }: Partial<Record<string, unknown>> = Object(entry);
  if (dtype !== "F32") throw new Error(`${name} is ${String(dtype)}, not F32`);
  if (!isCounts(shape) || !isCounts(offsets)) throw new Error(`${name} has no proper shape and offsets`);
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== 4 * shape.reduce((count, length) => count * length, 1) || end > bytes.byteLength) {
    throw new Error(`${name} of shape [${shape.join(", ")}] does not have its ${end - begin} bytes`);
  }
  // A copy: files need not start where floats may, and `slice` of Node's buffers does not copy.
  return { shape, data: new Float32Array(Uint8Array.from(bytes.subarray(begin, end)).buffer) };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
