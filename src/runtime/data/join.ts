import { type Column, type Dataset, elementAt, type IntegerColumn, type Layout, product, table } from "./dataset.ts";
import { DataError, listed } from "./error.ts";
import { concatNumbers, dense } from "./gather.ts";
import { renumber, startsOf } from "./tokens.ts";
import { mergeVocabularies, tokenId, type Vocabulary } from "./vocabulary.ts";

/** The rows of all datasets, one behind the other. With `source`, a further column of that name says from which one a row is (0, 1, ...). */
export function join(datasets: readonly Dataset[], source: string | undefined): Dataset {
  const first = datasets[0]!;
  const named = datasets.every((dataset) => dataset.named);
  const names = [...first.columns.keys()];
  for (const other of datasets) {
    const theirs = [...other.columns.keys()];
    if (theirs.length !== names.length || (named && names.some((name) => !other.columns.has(name))))
      throw new DataError(`joined data must have the same columns: ${listed(names)} here, ${listed(theirs)} there`, {});
  }
  const columns = names.map((name, at) => {
    const parts = datasets.map((dataset) => (named ? dataset.columns.get(name)! : [...dataset.columns.values()][at]!));
    return [name, joinColumns(parts, name)] as const;
  });
  const result = table(new Map(columns), named);
  if (source === undefined) return result;
  if (result.columns.has(source)) throw new DataError(`there is a column ${JSON.stringify(source)} already`, {});
  return table(new Map([...result.columns, [source, sourceColumn(datasets, columns[0]![1])]]), named);
}

function sourceColumn(datasets: readonly Dataset[], beside: Column): IntegerColumn {
  const data = new Int32Array(beside.rows);
  let row = 0;
  datasets.forEach((dataset, index) => {
    data.fill(index, row, row + dataset.rows);
    row += dataset.rows;
  });
  const layout = { rows: beside.rows, shape: [], starts: undefined, lengths: undefined, present: undefined };
  return { kind: "int", ...layout, place: beside.place, data };
}

function joinColumns(parts: readonly Column[], name: string): Column {
  const columns = parts.map(dense);
  const first = columns[0]!;
  const layout = joinLayouts(columns, name);
  const kinds = new Set(columns.map((column) => column.kind));
  if (kinds.size > 1 && [...kinds].some((kind) => kind !== "int" && kind !== "float"))
    throw new DataError(`${JSON.stringify(name)} is ${[...kinds].join(" in one, ")} in the other`, {
      place: columns.find((column) => column.kind !== first.kind)?.place(0),
    });
  switch (first.kind) {
    case "text":
      return { ...first, ...layout, data: columns.flatMap((column) => (column.kind === "text" ? column.data : [])) };
    case "bool":
      return { ...first, ...layout, data: Uint8Array.from(concatNumbers(columns.flatMap(numbersOf))) };
    case "tokens":
      return joinTokens(columns, layout, name);
    case "int":
    case "float":
      return joinNumbers(columns, layout);
  }
}

function joinNumbers(columns: readonly Column[], layout: Layout): Column {
  if (columns.every((column) => column.kind === "int"))
    return { kind: "int", ...layout, data: concatNumbers(columns.flatMap(numbersOf)) };
  const scales = columns.map((column) => (column.kind === "float" ? column : { scale: 1, offset: 0 }));
  const { scale, offset } = scales[0]!;
  if (scales.every((other) => other.scale === scale && other.offset === offset))
    return { kind: "float", ...layout, data: concatNumbers(columns.flatMap(numbersOf)), scale, offset };
  const values = columns.map((column) =>
    column.kind === "text"
      ? new Float64Array(0)
      : Float64Array.from({ length: column.data.length }, (_, element) => elementAt(column, element)),
  );
  return { kind: "float", ...layout, data: concatNumbers(values), scale: 1, offset: 0 };
}

function joinTokens(columns: readonly Column[], layout: Layout, name: string): Column {
  let merged: Vocabulary | undefined;
  for (const column of columns) {
    if (column.kind !== "tokens") continue;
    if (merged !== undefined && merged.unit !== column.vocabulary.unit)
      throw new DataError(
        `${JSON.stringify(name)} has ${merged.unit}s in one, ${column.vocabulary.unit}s in the other`,
        { place: column.place(0) },
      );
    merged = merged === undefined ? column.vocabulary : mergeVocabularies(merged, column.vocabulary);
  }
  const vocabulary = merged!;
  const data = columns.flatMap((column) =>
    column.kind === "tokens" ? [renumber(column.data, idsUnder(column.vocabulary, vocabulary))] : [],
  );
  return { kind: "tokens", ...layout, vocabulary, data: concatNumbers(data) };
}

/** The ids that a vocabulary's tokens have in another that contains them. */
export function idsUnder(from: Vocabulary, to: Vocabulary): readonly number[] {
  const special = from.special.map((token) => to.tokens.length + to.special.indexOf(token));
  return [...from.tokens.map((token) => tokenId(to, token)!), ...special];
}

function joinLayouts(columns: readonly Column[], name: string): Layout {
  const [first, ...rest] = columns as readonly [Column, ...Column[]];
  const rows = columns.reduce((sum, column) => sum + column.rows, 0);
  const offsets = columns.map((_, at) => columns.slice(0, at).reduce((sum, column) => sum + column.rows, 0));
  const base = {
    rows,
    present: columns.every((column) => column.present === undefined) ? undefined : joinPresent(columns, rows),
    place: (row: number) => {
      const part = offsets.findLastIndex((offset) => offset <= row);
      return columns[part]!.place(row - offsets[part]!);
    },
  };
  if (columns.every((column) => column.lengths === undefined && sameShape(column.shape, first.shape)))
    return { ...base, shape: first.shape, starts: undefined, lengths: undefined };
  const inner = innerShape(first);
  for (const column of rest)
    if (!sameShape(innerShape(column), inner) || rank(column) !== rank(first) || rank(first) === 0)
      throw new DataError(
        `rows of ${JSON.stringify(name)} are ${shapeText(first)} in one, ${shapeText(column)} in another`,
        { place: column.place(0) },
      );
  const lengths = new Uint32Array(rows);
  columns.forEach((column, part) => {
    if (column.lengths === undefined) lengths.fill(column.shape[0]!, offsets[part], offsets[part]! + column.rows);
    else lengths.set(column.lengths, offsets[part]);
  });
  return { ...base, shape: inner, lengths, starts: startsOf(lengths, product(inner)) };
}

function joinPresent(columns: readonly Column[], rows: number): Uint8Array {
  const present = new Uint8Array(rows).fill(1);
  let at = 0;
  for (const column of columns) {
    if (column.present !== undefined) present.set(column.present, at);
    at += column.rows;
  }
  return present;
}

function numbersOf(column: Column) {
  return column.kind === "text" ? [] : [column.data];
}

function innerShape(column: Layout): readonly number[] {
  return column.lengths === undefined ? column.shape.slice(1) : column.shape;
}

/** The number of axes of a row. */
export function rank(column: Layout): number {
  return column.shape.length + (column.lengths === undefined ? 0 : 1);
}

/** `[28, 28]`, with `*` for a ragged axis. */
export function shapeText(column: Layout): string {
  return `[${[...(column.lengths === undefined ? [] : ["*"]), ...column.shape].join(", ")}]`;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
