import type { Batch } from "./batch.ts";
import { makeBatch } from "./batch.ts";
import type { Column, Dataset, Layout } from "./dataset.ts";
import { product } from "./dataset.ts";
import { DataError } from "./error.ts";

/** `bptt 128` with `batch 64`: how one long sequence is read. */
export interface StreamRule {
  /** Parallel streams at most: the batch. */
  readonly streams: number;
  /** Predictions a chunk: where the gradient is cut. */
  readonly length: number;
  /** How many positions beside its predictions a chunk reads: 1 for `emit ids[t+1]`. */
  readonly overlap: number;
}

/** A chunk of every stream; the state that the chunk before left is carried into it, unless it is `fresh`. */
export interface Chunk extends Batch {
  readonly fresh: boolean;
}

export interface Streams {
  /** Chunks an epoch; the last may be shorter. */
  readonly count: number;
  /** How many streams there are: fewer than asked for where the sequence is too short for one chunk each. */
  readonly size: number;
  chunk(position: number): Chunk;
}

/**
 * Cuts one long sequence into equally long parallel streams, and these into chunks for truncated backpropagation through time
 * (Williams & Peng 1990). Each prediction is made once an epoch; the less than `streams` that are left over at the end are not made.
 */
export function streams(dataset: Dataset, rule: StreamRule): Streams {
  const positions = sequenceLength(dataset);
  const predictions = positions - rule.overlap;
  if (predictions < 1)
    throw new DataError(`a sequence of ${positions} is too short: a prediction reads ${rule.overlap + 1}`, {
      place: firstColumn(dataset).place(0),
    });
  const size = Math.max(1, Math.min(rule.streams, Math.floor(predictions / rule.length)));
  const each = Math.floor(predictions / size);
  return {
    count: Math.ceil(each / rule.length),
    size,
    chunk(position) {
      const from = position * rule.length;
      const length = Math.min(rule.length, each - from) + rule.overlap;
      const starts = Uint32Array.from({ length: size }, (_, stream) => stream * each + from);
      return { ...makeBatch(pieces(dataset, starts, length), rowNumbers(size)), fresh: position === 0 };
    },
  };
}

function pieces(dataset: Dataset, starts: Uint32Array, length: number): Dataset {
  const cut = (column: Column): Column => {
    const size = product(column.shape);
    const layout: Layout = {
      rows: starts.length,
      shape: [length, ...column.shape],
      starts: starts.map((start) => (column.starts?.[0] ?? 0) + start * size),
      lengths: undefined,
      present: undefined,
      place: () => column.place(0),
    };
    return { ...column, ...layout };
  };
  const columns = new Map([...dataset.columns].map(([name, column]) => [name, cut(column)] as const));
  return { ...dataset, rows: starts.length, columns };
}

function sequenceLength(dataset: Dataset): number {
  const first = firstColumn(dataset);
  for (const column of dataset.columns.values()) {
    if (column.rows !== 1 || column.lengths === undefined)
      throw new DataError(`bptt needs one long sequence, the data has ${column.rows} examples`, {
        place: column.place(0),
        hint: "leave bptt out: examples of this length are backpropagated whole",
      });
    if (column.lengths[0] !== first.lengths?.[0])
      throw new DataError("the sequences differ in length", { place: column.place(0) });
  }
  return first.lengths?.[0] ?? 0;
}

function firstColumn(dataset: Dataset): Column {
  const [column] = dataset.columns.values();
  if (column === undefined) throw new DataError("there is no column", {});
  return column;
}

function rowNumbers(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, row) => row);
}
