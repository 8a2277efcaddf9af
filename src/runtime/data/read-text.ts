import type { Column, TokenColumn } from "./dataset.ts";
import { DataError, type Place } from "./error.ts";
import { growUint32 } from "./growable.ts";
import { readLines, readText } from "./text.ts";
import { buildTokens, raggedTokens, tokenSeries } from "./tokens.ts";
import { splitText, splitWords, type Unit } from "./vocabulary.ts";

/** A text as one long series of characters (code points), line breaks included. */
export async function readChars(file: string): Promise<TokenColumn> {
  const tokens = buildTokens("character");
  for await (const text of readText(file)) for (const character of text) tokens.add(character);
  const built = tokens.finish();
  const lineBreak = built.vocabulary.index.get("\n");
  return tokenSeries(built, (row) => {
    let line = 1;
    let from = 0;
    for (let at = 0; at < row; at++) {
      if (built.data[at] !== lineBreak) continue;
      line++;
      from = at + 1;
    }
    return { file, line, column: row - from + 1 };
  });
}

/** A text as one long series of words; `least` and `lower` as in the signature. */
export async function readWords(file: string, options: WordOptions): Promise<TokenColumn> {
  const tokens = buildTokens("word");
  const lines = growUint32(); // the first word of each line
  for await (const { text } of readLines(file)) {
    lines.push(tokens.length);
    for (const word of splitWords(options.lower ? text.toLowerCase() : text)) tokens.add(word);
  }
  if (tokens.length === 0) throw new DataError("the file has no words", { place: { file } });
  const firsts = lines.finish();
  return tokenSeries(tokens.finish(options.least), (row) => ({ file, line: lastNotAbove(firsts, row) + 1 }));
}

export interface WordOptions {
  readonly lower: boolean;
  readonly least: number;
}

/** Each line an example: its characters, or its words. Lines without any are left out. */
export async function readTextLines(file: string, unit: Unit): Promise<TokenColumn> {
  const tokens = buildTokens(unit);
  const lengths = growUint32();
  const lines = growUint32();
  for await (const { text, line } of readLines(file)) {
    const parts = text.trim() === "" ? [] : splitText(unit, text);
    if (parts.length === 0) continue;
    for (const part of parts) tokens.add(part);
    lengths.push(parts.length);
    lines.push(line);
  }
  if (tokens.length === 0) throw new DataError("the file has only blank lines", { place: { file } });
  const numbers = lines.finish();
  return raggedTokens(tokens.finish(), lengths.finish(), (row): Place => ({ file, line: numbers[row]! }));
}

/** A column of texts, each row split into tokens. */
export function splitColumn(column: Column, unit: "character" | "word", options: WordOptions): TokenColumn {
  if (column.kind !== "text") {
    throw new DataError(`only a column of texts can be split into ${unit}s, not one of ${column.kind}`, {
      place: column.rows > 0 ? column.place(0) : undefined,
    });
  }
  const tokens = buildTokens(unit);
  const lengths = new Uint32Array(column.rows);
  for (let row = 0; row < column.rows; row++) {
    const text = column.data[column.starts?.[row] ?? row]!;
    const parts = splitText(unit, options.lower ? text.toLowerCase() : text);
    const missing = column.present !== undefined && column.present[row] === 0;
    if (parts.length === 0 && !missing)
      throw new DataError(`the text has no ${unit}s`, { place: column.place(row), hint: "drop the row" });
    if (!missing) for (const part of parts) tokens.add(part);
    lengths[row] = missing ? 0 : parts.length;
  }
  return { ...raggedTokens(tokens.finish(options.least), lengths, column.place), present: column.present };
}

/** The index of the last element of a rising list that is not above `value`, of equal ones the last. */
function lastNotAbove(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}
