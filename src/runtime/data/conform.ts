import { refuseMissing } from "./combine.ts";
import { type Column, type Dataset, product, table } from "./dataset.ts";
import { DataError } from "./error.ts";
import type { Expected } from "./expected.ts";
import { dense } from "./gather.ts";
import { rank, shapeText } from "./join.ts";

/**
 * The rows as the model's examples: checks axes and sizes, and makes one example of a long sequence, where each row is a position of
 * the model's time axis.
 */
export function conform(dataset: Dataset, expected: readonly Expected[]): Dataset {
  const columns = new Map<string, Column>();
  for (const [name, column] of dataset.columns) {
    const input = expected.find((one) => one.name === name);
    if (input !== undefined) columns.set(name, conformColumn(column, input));
  }
  return columns.size === 0 ? dataset : table(columns, true);
}

/** Whether each row is a position of one long example. */
export function isSequence(column: Column, expected: Expected): boolean {
  return expected.ragged && rank(column) + 1 === expected.sizes.length;
}

function conformColumn(column: Column, expected: Expected): Column {
  if (!expected.optional) refuseMissing(column);
  if (isSequence(column, expected)) {
    refuseMissing(column);
    const series = dense(column);
    checkSizes(series, expected, expected.sizes.slice(1), false);
    return {
      ...series,
      rows: 1,
      starts: new Uint32Array(1),
      lengths: Uint32Array.of(column.rows),
      place: () => ({ file: column.place(0).file }),
    };
  }
  const units = column.lengths === undefined ? trailingUnits(column.shape, rank(column) - expected.sizes.length) : 0;
  const squeezed = units === 0 ? column : { ...column, shape: column.shape.slice(0, column.shape.length - units) };
  checkSizes(squeezed, expected, expected.sizes, expected.ragged);
  return squeezed;
}

/** How many trailing axes of size 1 there are, at most `most`: `[28, 28, 1]` serves as `[28, 28]`. */
function trailingUnits(shape: readonly number[], most: number): number {
  let count = 0;
  while (count < most && shape.at(-1 - count) === 1) count++;
  return count;
}

function checkSizes(column: Column, expected: Expected, sizes: readonly (number | undefined)[], ragged: boolean): void {
  const found = column.lengths === undefined ? column.shape : [undefined, ...column.shape];
  const wanted = `[${sizes.map((size) => size ?? "any").join(", ")}]`;
  const at = { place: column.place(0), span: expected.span };
  if (found.length !== sizes.length || sizes.some((size, axis) => differs(size, found[axis])))
    throw new DataError(`${expected.name} is ${shapeText(column)} in the data, ${wanted} in the model`, {
      ...at,
      hint: adviceFor(column, sizes),
    });
  if (column.lengths !== undefined && !ragged) {
    const other = column.lengths.findIndex((length) => length !== column.lengths?.[0]);
    throw new DataError(
      `rows of ${expected.name} differ in length (${column.lengths[0]}, then ${column.lengths[other]}), and its first axis is no time axis`,
      { ...at, place: column.place(Math.max(other, 0)), hint: "declare it: time T" },
    );
  }
}

function differs(wanted: number | undefined, found: number | undefined): boolean {
  return wanted !== undefined && found !== undefined && wanted !== found;
}

function adviceFor(column: Column, sizes: readonly (number | undefined)[]): string | undefined {
  if (sizes.length === 1 && column.shape.length > 1 && [undefined, product(column.shape)].includes(sizes[0]))
    return "write flat(...) around the reader";
  return undefined;
}
