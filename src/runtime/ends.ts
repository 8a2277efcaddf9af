import type { InputSpec } from "../build/program.ts";
import { type Dataset, mapColumns, rowStart, type TokenColumn } from "./data/dataset.ts";
import { DataError } from "./data/error.ts";
import { specialId } from "./data/vocabulary.ts";

/** The data with an EOS behind every row of the inputs whose sequences end in one. */
export function withEnds(dataset: Dataset, specs: readonly InputSpec[]): Dataset {
  return mapColumns(dataset, (column, name) => {
    const spec = specs.find((one) => one.name === name);
    if (spec === undefined || !spec.ends || column.kind !== "tokens") return column;
    const end = specialId(column.vocabulary, "EOS");
    if (end === undefined) throw new Error(`internal: the vocabulary of ${name} has no EOS`);
    if (column.lengths === undefined ? column.shape.length !== 1 : column.shape.length > 0) {
      throw new DataError(`${name} ends in EOS, so each row is one sequence of tokens`, {
        place: column.place(0),
        span: spec.span,
      });
    }
    return ended(column, end);
  });
}

function ended(column: TokenColumn, end: number): TokenColumn {
  const fixed = column.lengths === undefined;
  const before = (row: number): number => column.lengths?.[row] ?? column.shape[0] ?? 0;
  const lengths = Uint32Array.from({ length: column.rows }, (_, row) => before(row) + 1);
  const data = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
  const starts = new Uint32Array(column.rows);
  let at = 0;
  for (let row = 0; row < column.rows; row++) {
    const from = rowStart(column, row);
    starts[row] = at;
    data.set(column.data.subarray(from, from + before(row)), at);
    at += before(row);
    data[at++] = end;
  }
  return {
    ...column,
    data,
    starts,
    shape: fixed ? [(column.shape[0] ?? 0) + 1] : [],
    lengths: fixed ? undefined : lengths,
  };
}
