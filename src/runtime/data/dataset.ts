import { DataError, listed, type Place } from "./error.ts";
import type { Vocabulary } from "./vocabulary.ts";

/**
 * Named columns of equally many rows; a row is one example. A long text or a series is a column too: one row a token or
 * number, in order. Whether its rows are examples or the positions of one sequence is said by the model (`conform`).
 */
export interface Dataset {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
  /** Whether the columns' names mean something: then `data a, b =` looks them up, else it takes them in order. */
  readonly named: boolean;
}

export type Column = TokenColumn | FloatColumn | IntegerColumn | BooleanColumn | TextColumn;

/** Where the rows of a column lie in its `data`. */
export interface Layout {
  readonly rows: number;
  /** Sizes of one row's axes, without the ragged one. */
  readonly shape: readonly number[];
  /** Element at which each row starts; undefined where rows follow each other without a gap. Rows may overlap. */
  readonly starts: Uint32Array | undefined;
  /** Lengths of the rows' first axis where rows are ragged; undefined where every row is of `shape`. Never 0 in a present row. */
  readonly lengths: Uint32Array | undefined;
  /** 1 where the row has a value; undefined where all have. */
  readonly present: Uint8Array | undefined;
  /** Where a row was read, for messages. */
  readonly place: (row: number) => Place;
}

export type Numbers =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export interface TokenColumn extends Layout {
  readonly kind: "tokens";
  readonly vocabulary: Vocabulary;
  readonly data: Numbers;
}

/** A value is `data · scale + offset`: `standard` and `scaled` copy nothing, and the way back to the file's units is kept. */
export interface FloatColumn extends Layout {
  readonly kind: "float";
  readonly data: Numbers;
  readonly scale: number;
  readonly offset: number;
}

export interface IntegerColumn extends Layout {
  readonly kind: "int";
  readonly data: Numbers;
}

export interface BooleanColumn extends Layout {
  readonly kind: "bool";
  readonly data: Uint8Array;
}

/** Strings whose meaning is not settled: labels for `tok(K)`, sequences of characters for `tok(V)[T]`. */
export interface TextColumn extends Layout {
  readonly kind: "text";
  readonly data: readonly string[];
}

/** A dataset of one unnamed column. */
export function single(column: Column): Dataset {
  return { rows: column.rows, columns: new Map([["value", column]]), named: false };
}

/** A dataset of columns that must have equally many rows. */
export function table(columns: ReadonlyMap<string, Column>, named: boolean): Dataset {
  const [first, ...rest] = [...columns];
  if (first === undefined) throw new DataError("there is no column", {});
  for (const [name, column] of rest) {
    if (column.rows !== first[1].rows)
      throw new DataError(
        `${JSON.stringify(first[0])} has ${first[1].rows} rows, ${JSON.stringify(name)} has ${column.rows}`,
        { place: { file: column.place(0).file } },
      );
  }
  return { rows: first[1].rows, columns, named };
}

/** The only column; an error where there are several. */
export function onlyColumn(dataset: Dataset): Column {
  const [column, ...rest] = dataset.columns.values();
  if (column !== undefined && rest.length === 0) return column;
  throw new DataError(
    `one column is needed here, not ${dataset.columns.size}: ${listed([...dataset.columns.keys()])}`,
    {
      hint: `choose one, as in csv("x.csv").${[...dataset.columns.keys()].at(-1)}`,
    },
  );
}

/** Applies a function to every column. */
export function mapColumns(dataset: Dataset, change: (column: Column, name: string) => Column): Dataset {
  const columns = new Map([...dataset.columns].map(([name, column]) => [name, change(column, name)]));
  return { rows: [...columns.values()][0]?.rows ?? 0, columns, named: dataset.named };
}

export function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}

/** The number of elements of a row. */
export function rowElements(column: Layout, row: number): number {
  return (column.lengths?.[row] ?? 1) * product(column.shape);
}

/** The element of `data` at which a row starts. */
export function rowStart(column: Layout, row: number): number {
  return column.starts?.[row] ?? row * product(column.shape);
}

export function isPresent(column: Layout, row: number): boolean {
  return column.present === undefined || column.present[row] === 1;
}

/** One element as a number (a token's id, 0 and 1 for booleans). */
export function elementAt(column: Exclude<Column, TextColumn>, element: number): number {
  const value = column.data[element]!;
  return column.kind === "float" ? value * column.scale + column.offset : value;
}

/** The rows with these numbers, in this order, as a view: nothing is copied. */
export function selectRows(dataset: Dataset, rows: Uint32Array): Dataset {
  return { ...mapColumns(dataset, (column) => selectColumn(column, rows)), rows: rows.length };
}

/** Rows `from` ... `to`-1, as a view. */
export function sliceRows(dataset: Dataset, from: number, to: number): Dataset {
  return { ...mapColumns(dataset, (column) => sliceColumn(column, from, to)), rows: to - from };
}

function selectColumn(column: Column, rows: Uint32Array): Column {
  return {
    ...column,
    rows: rows.length,
    starts: rows.map((row) => rowStart(column, row)),
    lengths: column.lengths && rows.map((row) => column.lengths![row]!),
    present: column.present && Uint8Array.from(rows, (row) => column.present![row]!),
    place: (row) => column.place(rows[row]!),
  };
}

function sliceColumn(column: Column, from: number, to: number): Column {
  const layout: Layout = {
    shape: column.shape,
    rows: to - from,
    starts: column.starts?.subarray(from, to),
    lengths: column.lengths?.subarray(from, to),
    present: column.present?.subarray(from, to),
    place: (row) => column.place(row + from),
  };
  if (column.starts !== undefined) return { ...column, ...layout };
  const size = product(column.shape);
  if (column.kind === "text") return { ...column, ...layout, data: column.data.slice(from * size, to * size) };
  if (column.kind === "bool") return { ...column, ...layout, data: column.data.subarray(from * size, to * size) };
  return { ...column, ...layout, data: column.data.subarray(from * size, to * size) };
}
