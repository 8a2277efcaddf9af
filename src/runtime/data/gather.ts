import { type Column, type Layout, type Numbers, product, rowElements, rowStart } from "./dataset.ts";
import { startsOf } from "./tokens.ts";

/** The same rows with their elements copied one behind the other; a column that is so already is returned as it is. */
export function dense(column: Column): Column {
  if (column.starts === undefined) return column;
  const layout: Layout = {
    ...layoutOf(column),
    starts: column.lengths === undefined ? undefined : startsOf(column.lengths, product(column.shape)),
  };
  if (column.kind === "text") {
    const { starts, data } = column;
    return { ...column, ...layout, data: Array.from(starts, (start) => data[start]!) };
  }
  let total = 0;
  for (let row = 0; row < column.rows; row++) total += rowElements(column, row);
  const data = arrayLike(column.data, total);
  let at = 0;
  for (let row = 0; row < column.rows; row++) {
    const from = rowStart(column, row);
    const count = rowElements(column, row);
    data.set(column.data.subarray(from, from + count), at);
    at += count;
  }
  return column.kind === "bool"
    ? { ...column, ...layout, data: Uint8Array.from(data) }
    : { ...column, ...layout, data };
}

/** A column's layout without its values. */
function layoutOf({ rows, shape, starts, lengths, present, place }: Layout): Layout {
  return { rows, shape, starts, lengths, present, place };
}

/** The arrays one behind the other, in a type that holds all of them exactly. */
export function concatNumbers(parts: readonly Numbers[]): Numbers {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  const result = parts.every((part) => sameType(part, parts[0]!))
    ? arrayLike(parts[0]!, total)
    : parts.every(fitsInt32)
      ? new Int32Array(total)
      : new Float64Array(total);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function sameType(a: Numbers, b: Numbers): boolean {
  return a.constructor === b.constructor;
}

function fitsInt32(data: Numbers): boolean {
  return !(data instanceof Float32Array || data instanceof Float64Array || data instanceof Uint32Array);
}

function arrayLike(data: Numbers, length: number): Numbers {
  if (data instanceof Uint8Array) return new Uint8Array(length);
  if (data instanceof Int8Array) return new Int8Array(length);
  if (data instanceof Uint16Array) return new Uint16Array(length);
  if (data instanceof Int16Array) return new Int16Array(length);
  if (data instanceof Uint32Array) return new Uint32Array(length);
  if (data instanceof Int32Array) return new Int32Array(length);
  return data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}
