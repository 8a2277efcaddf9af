import {
  type Column,
  type Dataset,
  elementAt,
  type FloatColumn,
  type IntegerColumn,
  isPresent,
  mapColumns,
  product,
  rowElements,
  rowStart,
} from "./dataset.ts";
import { DataError } from "./error.ts";
import { dense } from "./gather.ts";

/**
 * Windows over the rows: each `length` rows in order become one row, the next starts `step` rows later. A rest that fills no
 * window is left out. By default numbers slide by one, and tokens are cut into pieces, so that each lies in one window.
 */
export function windows(dataset: Dataset, length: number, step: number | undefined): Dataset {
  const series = [...dataset.columns.values()];
  const stride = step ?? (series.some((column) => column.kind === "tokens") ? length : 1);
  if (length < 1 || stride < 1) throw new DataError("a window's length and step are at least 1", {});
  if (dataset.rows < length)
    throw new DataError(`a window of ${length} does not fit into ${dataset.rows} rows`, { place: firstPlace(dataset) });
  const count = Math.floor((dataset.rows - length) / stride) + 1;
  return mapColumns(dataset, (column) => windowed(column, length, stride, count));
}

function windowed(column: Column, length: number, stride: number, count: number): Column {
  if (column.kind === "text" || column.lengths !== undefined)
    throw new DataError("windows are cut from one long sequence; here each row is one of its own", {
      place: column.place(0),
      hint: 'read the text whole: windows(chars("..."), n)',
    });
  refuseMissing(column);
  const series = dense(column);
  const size = product(series.shape);
  return {
    ...series,
    rows: count,
    shape: [length, ...series.shape],
    starts: Uint32Array.from({ length: count }, (_, row) => row * stride * size),
    place: (row) => series.place(row * stride),
  };
}

/** Mean 0 and standard deviation 1 over all values of the column, missing ones left out. */
export function standard(dataset: Dataset): Dataset {
  return mapColumns(dataset, (column, name) => {
    const numbers = numeric(column, name, "standard");
    const { count, sum } = fold(numbers, { count: 0, sum: 0 }, (state, value) => {
      state.count++;
      state.sum += value;
    });
    const mean = sum / count;
    const { squares } = fold(numbers, { squares: 0 }, (state, value) => {
      state.squares += (value - mean) ** 2;
    });
    const deviation = Math.sqrt(squares / count);
    if (deviation === 0) throw constant(numbers, "standard");
    return affine(numbers, 1 / deviation, -mean / deviation);
  });
}

/** The least value becomes `low`, the greatest `high`. */
export function scaled(dataset: Dataset, low: number, high: number): Dataset {
  return mapColumns(dataset, (column, name) => {
    const numbers = numeric(column, name, "scaled");
    const { least, most } = fold(numbers, { least: Infinity, most: -Infinity }, (state, value) => {
      if (value < state.least) state.least = value;
      if (value > state.most) state.most = value;
    });
    if (least === most) throw constant(numbers, "scaled");
    const scale = (high - low) / (most - least);
    return affine(numbers, scale, low - least * scale);
  });
}

/** The fixed axes of a row merged into one; a ragged axis stays. */
export function flat(dataset: Dataset): Dataset {
  return mapColumns(dataset, (column) => ({
    ...column,
    shape: column.shape.length === 0 ? [] : [product(column.shape)],
  }));
}

/** An error that names the first row without a value, where there is one. */
export function refuseMissing(column: Column): void {
  const missing = column.present?.indexOf(0) ?? -1;
  if (missing >= 0)
    throw new DataError("the value is missing", {
      place: column.place(missing),
      hint: "only what is emitted may be missing: drop the row, or fill it in",
    });
}

function affine(column: FloatColumn | IntegerColumn, scale: number, offset: number): FloatColumn {
  const before = column.kind === "float" ? column : { scale: 1, offset: 0 };
  return { ...column, kind: "float", scale: before.scale * scale, offset: before.offset * scale + offset };
}

function numeric(column: Column, name: string, reader: string): FloatColumn | IntegerColumn {
  if (column.kind === "float" || column.kind === "int") return column;
  throw new DataError(`${reader} needs numbers, ${JSON.stringify(name)} has ${column.kind}`, {
    place: column.rows > 0 ? column.place(0) : undefined,
  });
}

function constant(column: Column, reader: string): DataError {
  return new DataError(`all values are equal: ${reader} cannot stretch them`, { place: column.place(0) });
}

function fold<S>(column: FloatColumn | IntegerColumn, state: S, step: (state: S, value: number) => void): S {
  for (let row = 0; row < column.rows; row++) {
    if (!isPresent(column, row)) continue;
    const from = rowStart(column, row);
    const to = from + rowElements(column, row);
    for (let element = from; element < to; element++) step(state, elementAt(column, element));
  }
  return state;
}

function firstPlace(dataset: Dataset) {
  const column = [...dataset.columns.values()][0];
  return column === undefined || column.rows === 0 ? undefined : column.place(0);
}
