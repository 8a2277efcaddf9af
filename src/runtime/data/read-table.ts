import { pipeline, Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { nearest } from "../../base/nearest.ts";
import { type Dataset, type Layout, table } from "./dataset.ts";
import { DataError, listed, type Place } from "./error.ts";
import { growUint32 } from "./growable.ts";
import { readText } from "./text.ts";
import { buildColumn, type ColumnBuilder } from "./values.ts";

export interface TableOptions {
  readonly delimiter: string;
  /** Whether the first row names the columns; else they are "1", "2", ... */
  readonly header: boolean;
  /** Columns to read as text though they start with numbers. */
  readonly text: readonly string[];
  /** The columns that are asked for; undefined reads all. */
  readonly wanted: readonly string[] | undefined;
}

interface Cells {
  readonly name: string;
  readonly index: number;
  readonly builder: ColumnBuilder;
}

/**
 * A table of separated values (RFC 4180), one example a row. A column whose first cell is a number is one of numbers, else of text;
 * an empty cell is a missing value.
 */
export async function readTable(file: string, options: TableOptions): Promise<Dataset> {
  const lines = growUint32();
  let columns: readonly Cells[] | undefined;
  let width = 0;
  for await (const { cells, line } of records(file, options.delimiter)) {
    if (columns === undefined) {
      width = cells.length;
      columns = chooseColumns(file, options.header ? cells : cells.map((_, at) => String(at + 1)), options);
      if (options.header) continue;
    }
    if (cells.length !== width)
      throw new DataError(`the row has ${counted(cells.length, "cell")}, the first row has ${width}`, {
        place: { file, line },
        hint: "quote a cell that contains the separator",
      });
    for (const column of columns) addCell(column, cells[column.index]!, { file, line, field: column.name }, options);
    lines.push(line);
  }
  if (columns === undefined || lines.length === 0) throw new DataError("the table has no rows", { place: { file } });
  return finishTable(file, columns, lines.finish(), options.header);
}

function finishTable(file: string, columns: readonly Cells[], lines: Uint32Array, named: boolean): Dataset {
  const finished = columns.map(({ name, builder }) => {
    const place: Layout["place"] = (row) => ({ file, line: lines[row]!, field: name });
    return [name, builder.finish(place)] as const;
  });
  return table(new Map(finished), named);
}

function chooseColumns(file: string, header: readonly string[], options: TableOptions): readonly Cells[] {
  const names = header.map((name) => name.trim());
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new DataError(`two columns are called ${JSON.stringify(twice)}`, { place: { file, line: 1 } });
  for (const name of [...(options.header ? (options.wanted ?? []) : []), ...options.text])
    if (!names.includes(name)) throw missingColumn(name, names, { file, line: 1 });
  const wanted = options.header ? (options.wanted ?? names) : names;
  return names.flatMap((name, index) => (wanted.includes(name) ? [{ name, index, builder: buildColumn() }] : []));
}

/** No column has this name: the error says which there are. */
export function missingColumn(name: string, known: readonly string[], place: Place): DataError {
  const near = nearest(name, known);
  return new DataError(`there is no column ${JSON.stringify(name)}`, {
    place,
    hint: near === undefined ? `the columns are ${listed(known)}` : `did you mean ${near}?`,
  });
}

function addCell(column: Cells, cell: string, place: Place, options: TableOptions): void {
  column.builder.add(cellValue(column, cell, place, options), place);
}

function cellValue(column: Cells, cell: string, place: Place, options: TableOptions): string | number | undefined {
  const text = cell.trim();
  if (text === "") return undefined;
  const { leaf } = column.builder;
  if (leaf === "text" || options.text.includes(column.name)) return cell;
  const number = parseNumber(text);
  if (number === undefined && leaf === "number")
    throw new DataError(`${JSON.stringify(text)} is not a number`, {
      place,
      hint: `if the column is not one of numbers, write text: [${JSON.stringify(column.name)}]`,
    });
  return number ?? cell;
}

/** A decimal number, NaN or an infinity (which no column accepts); undefined for other texts. */
function parseNumber(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const special = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
  if (special === null) return undefined;
  return special[2]?.toLowerCase() === "nan" ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
}

interface Row {
  readonly cells: readonly string[];
  /** The line on which it starts. */
  readonly line: number;
}

async function* records(file: string, delimiter: string): AsyncGenerator<Row> {
  const parser = parse({ delimiter, info: true, skip_empty_lines: true, relax_column_count: true, encoding: "utf8" });
  let last = 0;
  // A fault of the file destroys the parser, and so reaches the loop below.
  pipeline(Readable.from(readText(file)), parser, () => {});
  try {
    for await (const item of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      const { record, info } = item;
      const breaks = record.reduce((sum, cell) => sum + (cell.includes("\n") ? cell.split("\n").length - 1 : 0), 0);
      last = info.lines;
      yield { cells: record, line: last - breaks };
    }
  } catch (error) {
    throw error instanceof CsvError ? brokenTable(file, error, last) : error;
  }
}

function brokenTable(file: string, error: CsvError, last: number): DataError {
  const at = Number(error.lines ?? last + 1);
  switch (error.code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return new DataError("a quote that opens in this row is never closed", { place: { file, line: last + 1 } });
    case "CSV_INVALID_CLOSING_QUOTE":
      return new DataError("a quoted cell goes on behind its closing quote", {
        place: { file, line: at },
        hint: 'a quote inside a quoted cell is written twice: ""',
      });
    case "INVALID_OPENING_QUOTE":
      return new DataError("a quote stands inside a cell that does not start with one", {
        place: { file, line: at },
        hint: 'quote the whole cell, and write its quotes twice: ""',
      });
    default:
      return new DataError(error.message, { place: { file, line: at } });
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
