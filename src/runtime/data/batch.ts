import { type Column, type Dataset, isPresent, product, rowStart } from "./dataset.ts";
import { DataError } from "./error.ts";

/** Examples stacked along a first axis, as a program takes them. */
export interface Batch {
  /** How many examples. */
  readonly size: number;
  readonly columns: ReadonlyMap<string, BatchColumn>;
}

export type BatchColumn = BatchLayout &
  (
    | { readonly kind: "float"; readonly data: Float32Array }
    | { readonly kind: "int"; readonly data: Int32Array }
    | { readonly kind: "bool"; readonly data: Uint8Array }
  );

export interface BatchLayout {
  /** `[B, ...]`, a ragged axis second, as long as the longest row. */
  readonly shape: readonly number[];
  /** Each row's own length [B] where rows are ragged. Past it stands the row's last element again, never a zero. */
  readonly lengths: Int32Array | undefined;
  /** 0 [B] for rows that have no value; what stands there is legal but means nothing. Undefined where all have one. */
  readonly present: Uint8Array | undefined;
}

/** The rows with these numbers as one batch. */
export function makeBatch(dataset: Dataset, rows: Uint32Array): Batch {
  const columns = [...dataset.columns].map(([name, column]) => [name, batchColumn(name, column, rows)] as const);
  return { size: rows.length, columns: new Map(columns) };
}

function batchColumn(name: string, column: Column, rows: Uint32Array): BatchColumn {
  const lengths = column.lengths && lengthsOf(column.lengths, rows);
  const longest = lengths && longestOf(lengths);
  const layout: BatchLayout = {
    shape: [rows.length, ...(longest === undefined ? [] : [longest]), ...column.shape],
    lengths,
    present: column.present && Uint8Array.from(rows, (row) => (isPresent(column, row) ? 1 : 0)),
  };
  const total = product(layout.shape);
  switch (column.kind) {
    case "float": {
      const data = copyRows(column, column.data, rows, new Float32Array(total), longest);
      const { scale, offset } = column;
      if (scale !== 1 || offset !== 0) for (let at = 0; at < total; at++) data[at] = data[at]! * scale + offset;
      return { kind: "float", ...layout, data };
    }
    case "tokens":
    case "int":
      return { kind: "int", ...layout, data: copyRows(column, column.data, rows, new Int32Array(total), longest) };
    case "bool":
      return { kind: "bool", ...layout, data: copyRows(column, column.data, rows, new Uint8Array(total), longest) };
    case "text":
      throw new DataError(`${name} is text: the model does not say what it means`, { place: column.place(0) });
  }
}

function lengthsOf(all: Uint32Array, rows: Uint32Array): Int32Array {
  const lengths = new Int32Array(rows.length);
  for (let at = 0; at < rows.length; at++) lengths[at] = all[rows[at]!]!;
  return lengths;
}

/** At least 1. */
function longestOf(lengths: Int32Array): number {
  let longest = 1;
  for (const length of lengths) if (length > longest) longest = length;
  return longest;
}

interface Target {
  [index: number]: number;
  copyWithin(target: number, start: number, end: number): unknown;
  set(values: ArrayLike<number>, at: number): void;
}

/** Copies rows into `out`; a ragged row is filled up to `longest` with its last element. */
function copyRows<T extends Target>(
  column: Column,
  data: { subarray(from: number, to: number): ArrayLike<number> },
  rows: Uint32Array,
  out: T,
  longest: number | undefined,
): T {
  const size = product(column.shape);
  let at = 0;
  for (const row of rows) {
    // A row without positions (a missing value) takes the column's first element, which is legal.
    const length = column.lengths === undefined ? 1 : Math.max(1, column.lengths[row]!);
    const from = column.lengths?.[row] === 0 ? 0 : rowStart(column, row);
    out.set(data.subarray(from, from + length * size), at);
    at += length * size;
    for (let position = length; position < (longest ?? 1); position++, at += size) out.copyWithin(at, at - size, at);
  }
  return out;
}
