import { pathToFileURL } from "node:url";
import { type Column, type Dataset, type Layout, type Numbers, product, table } from "./dataset.ts";
import { DataError } from "./error.ts";
import { datasetOfRows } from "./read-json.ts";
import { buildColumn, isNumbers, shown } from "./values.ts";

/**
 * What a reader of one's own returns, or a caller hands over: rows (values or objects), or columns by name, each a list of values, a
 * typed array of one number a row, or numbers with the shape of all of it, `[rows, ...]`.
 */
export type ForeignData = readonly unknown[] | Readonly<Record<string, ForeignColumn>>;
export type ForeignColumn =
  | readonly unknown[]
  | Numbers
  | { readonly data: Numbers; readonly shape: readonly number[] };

/** Calls an export of a module with the arguments, then an object of the named ones where there are any. */
export async function callForeign(
  file: string,
  name: string,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
): Promise<Dataset> {
  const found = (await importModule(file))[name];
  if (typeof found !== "function")
    throw new DataError(`it exports no function ${JSON.stringify(name)}`, {
      place: { file },
      hint: `write: export function ${name}(...) { return { x: [...], y: [...] } }`,
    });
  let result: unknown;
  try {
    result = await found(...args, ...(Object.keys(options).length > 0 ? [options] : []));
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      place: { file },
    });
  }
  return foreignDataset(result, file);
}

/** A dataset of what a function returned; `file` is where messages say that it came from. */
export function foreignDataset(data: unknown, file: string): Dataset {
  if (isDataset(data)) return data;
  if (Array.isArray(data)) {
    if (data.length === 0) throw new DataError("there are no rows", { place: { file } });
    return datasetOfRows(data, undefined, (row) => ({ file, row: row + 1 }));
  }
  if (typeof data !== "object" || data === null)
    throw new DataError(`${shown(data)} is neither rows nor columns`, {
      place: { file },
      hint: "return { x: [...], y: [...] }, a list of values a column",
    });
  const columns = Object.entries(data).map(([name, values]) => [name, foreignColumn(values, file, name)] as const);
  if (columns.length === 0) throw new DataError("there are no columns", { place: { file } });
  return table(new Map(columns), true);
}

function foreignColumn(values: unknown, file: string, name: string): Column {
  const place: Layout["place"] = (row) => ({ file, row: row + 1, field: name });
  if (isNumbers(values)) return numbersColumn(values, [values.length], place);
  if (Array.isArray(values)) {
    const column = buildColumn();
    values.forEach((value, row) => {
      column.add(value, place(row));
    });
    return column.finish(place);
  }
  if (isShaped(values)) return numbersColumn(values.data, values.shape, place);
  throw new DataError(`${shown(values)} is no column`, {
    place: { file, field: name },
    hint: "a column is a list, a typed array, or { data, shape }",
  });
}

function numbersColumn(data: Numbers, sizes: readonly number[], place: Layout["place"]): Column {
  const [rows = 0, ...shape] = sizes;
  if (rows === 0 || product(sizes) !== data.length)
    throw new DataError(`${data.length} numbers are not of shape [${sizes.join(", ")}]`, { place: place(0) });
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new DataError(`${data[bad]} is not a finite number`, { place: place(Math.floor(bad / product(shape))) });
  const layout: Layout = { rows, shape, starts: undefined, lengths: undefined, present: undefined, place };
  return data instanceof Float32Array || data instanceof Float64Array
    ? { kind: "float", ...layout, data, scale: 1, offset: 0 }
    : { kind: "int", ...layout, data };
}

async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    throw new DataError(`it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`, {
      place: { file },
    });
  }
}

function isShaped(value: unknown): value is { readonly data: Numbers; readonly shape: readonly number[] } {
  if (typeof value !== "object" || value === null || !("data" in value) || !("shape" in value)) return false;
  return isNumbers(value.data) && Array.isArray(value.shape) && value.shape.every((size) => Number.isInteger(size));
}

function isDataset(value: unknown): value is Dataset {
  return typeof value === "object" && value !== null && "columns" in value && value.columns instanceof Map;
}
