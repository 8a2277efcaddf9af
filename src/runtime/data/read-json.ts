import { type Dataset, single, table } from "./dataset.ts";
import { DataError, type Place } from "./error.ts";
import { growUint32 } from "./growable.ts";
import { missingColumn } from "./read-table.ts";
import { readLines, readText } from "./text.ts";
import { buildColumn, type ColumnBuilder, shown } from "./values.ts";

/** JSON lines: each line an object whose fields are the columns; a field that a line lacks is a missing value. */
export async function readJsonLines(file: string, wanted: readonly string[] | undefined): Promise<Dataset> {
  const rows = collectObjects(wanted);
  const lines = growUint32();
  for await (const { text, line } of readLines(file)) {
    if (text.trim() === "") continue;
    rows.add(parseJson(text, { file, line }), { file, line });
    lines.push(line);
  }
  if (lines.length === 0) throw new DataError("the file has only blank lines", { place: { file } });
  const numbers = lines.finish();
  return rows.finish(file, (row) => ({ file, line: numbers[row]! }));
}

/** A JSON array: of objects, whose fields are the columns, or of values, which are one column. It is read whole. */
export async function readJson(file: string, wanted: readonly string[] | undefined): Promise<Dataset> {
  let text = "";
  for await (const piece of readText(file)) text += piece;
  const values = parseJson(text, { file });
  if (!Array.isArray(values))
    throw new DataError(`${shown(values)} is not an array`, {
      place: { file, line: 1 },
      hint: "json reads an array of rows; jsonl reads one object a line",
    });
  if (values.length === 0) throw new DataError("the array is empty", { place: { file } });
  return datasetOfRows(values, wanted, (row) => ({ file, row: row + 1 }));
}

/** A dataset of values row by row: objects give named columns, anything else one column. */
export function datasetOfRows(
  values: readonly unknown[],
  wanted: readonly string[] | undefined,
  place: (row: number) => Place,
): Dataset {
  if (isRecord(values[0])) {
    const rows = collectObjects(wanted);
    values.forEach((value, row) => {
      rows.add(value, place(row));
    });
    return rows.finish(place(0).file, place);
  }
  const column = buildColumn();
  values.forEach((value, row) => {
    column.add(value, place(row));
  });
  return single(column.finish(place));
}

function collectObjects(wanted: readonly string[] | undefined) {
  const builders = new Map<string, ColumnBuilder>();
  const known = new Set<string>();
  let count = 0;
  return {
    add(value: unknown, place: Place): void {
      if (!isRecord(value))
        throw new DataError(`${shown(value)} is not an object`, { place, hint: 'a row looks like {"x": 1, "y": "a"}' });
      for (const name of Object.keys(value)) {
        known.add(name);
        if (builders.has(name) || !(wanted?.includes(name) ?? true)) continue;
        const builder = buildColumn();
        for (let row = 0; row < count; row++) builder.add(undefined, place);
        builders.set(name, builder);
      }
      for (const [name, builder] of builders)
        builder.add(Object.hasOwn(value, name) ? value[name] : undefined, { ...place, field: name });
      count++;
    },
    finish(file: string, place: (row: number) => Place): Dataset {
      for (const name of wanted ?? []) if (!builders.has(name)) throw missingColumn(name, [...known], { file });
      const finished = [...builders].map(
        ([name, builder]) => [name, builder.finish((row) => ({ ...place(row), field: name }))] as const,
      );
      return table(new Map(finished), true);
    },
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function parseJson(text: string, place: Place): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = jsonFault(error);
    const before = text.slice(0, reason.offset ?? faultOffset(text)).split("\n");
    throw new DataError(`this is not JSON: ${reason.text}`, {
      place: { ...place, line: (place.line ?? 1) + before.length - 1, column: before.at(-1)!.length + 1 },
    });
  }
}

/** V8 gives the offset of some faults only. */
function jsonFault(error: unknown): { readonly text: string; readonly offset: number | undefined } {
  const message = error instanceof Error ? error.message : String(error);
  const offset = /at position (\d+)/.exec(message)?.[1];
  const text = message.replace(/( in JSON)? at position .*$/s, "").replace(/, (\.\.\.)?".*$/s, "");
  return { text: text.toLowerCase(), offset: offset === undefined ? undefined : Number(offset) };
}

/** The offset of the first character that no JSON could have: the shortest prefix that fails before its end, found by halving. */
function faultOffset(text: string): number {
  let low = 0;
  let high = text.length + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (failsInside(text.slice(0, middle))) high = middle;
    else low = middle + 1;
  }
  return Math.min(low, text.length + 1) - 1;
}

function failsInside(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return false;
  } catch (error) {
    const { text, offset } = jsonFault(error);
    return offset === undefined ? !text.includes("end of json") : offset < prefix.length;
  }
}
