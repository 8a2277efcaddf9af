import {
  type BooleanColumn,
  type Column,
  elementAt,
  type FloatColumn,
  type IntegerColumn,
  isPresent,
  rowElements,
  rowStart,
  type TextColumn,
  type TokenColumn,
} from "./dataset.ts";
import { DataError } from "./error.ts";
import type { Expected } from "./expected.ts";
import { dense } from "./gather.ts";
import { rank, shapeText } from "./join.ts";
import { splitColumn } from "./read-text.ts";
import { buildTokens, tokenSeries } from "./tokens.ts";
import { numberVocabulary } from "./vocabulary.ts";

/** The column as the model's type reads it: texts become labels or characters, numbers become tokens where tokens are meant. */
export function settle(column: Column, expected: Expected): FloatColumn | TokenColumn | BooleanColumn {
  switch (expected.base) {
    case "float":
      return floats(column, expected);
    case "tok":
      return tokens(column, expected);
    case "bool":
      return booleans(column, expected);
  }
}

function floats(column: Column, expected: Expected): FloatColumn {
  if (column.kind === "float") return column;
  if (column.kind === "int" || column.kind === "bool") return { ...column, kind: "float", scale: 1, offset: 0 };
  throw wrongKind(column, expected, "numbers");
}

function tokens(column: Column, expected: Expected): TokenColumn {
  if (column.kind === "tokens") return column;
  if (column.kind !== "text") return numberTokens(column, expected);
  return expected.sizes.length === 0 ? labels(column) : splitColumn(column, "character", { lower: false, least: 1 });
}

function labels(column: TextColumn): TokenColumn {
  const values = dense(column);
  const built = buildTokens("label");
  if (values.kind === "text") for (const text of values.data) built.add(text.trim());
  return { ...tokenSeries(built.finish(), column.place), present: column.present };
}

function numberTokens(column: IntegerColumn | FloatColumn | BooleanColumn, expected: Expected): TokenColumn {
  let most = 0;
  eachElement(column, (value, row) => {
    if (!Number.isInteger(value) || value < 0 || (expected.limit !== undefined && value >= expected.limit))
      throw new DataError(
        Number.isInteger(value) && value >= 0
          ? `${expected.name} is ${value}: tok(${expected.limit}) ends at ${Number(expected.limit) - 1}`
          : `${expected.name} is ${value}: a token is a whole number from 0 on`,
        { place: column.place(row), span: expected.span },
      );
    most = Math.max(most, value);
  });
  const vocabulary = numberVocabulary(expected.limit ?? most + 1);
  if (column.kind !== "float") return { ...column, kind: "tokens", vocabulary };
  const data = Int32Array.from(column.data, (value) => Math.round(value * column.scale + column.offset));
  const { scale: _scale, offset: _offset, ...layout } = column;
  return { ...layout, kind: "tokens", vocabulary, data };
}

function booleans(column: Column, expected: Expected): BooleanColumn {
  if (column.kind === "bool") return column;
  if (column.kind === "tokens") throw wrongKind(column, expected, "true and false");
  if (column.kind === "text") return booleanTexts(column, expected);
  eachElement(column, (value, row) => {
    if (value !== 0 && value !== 1)
      throw new DataError(`${expected.name} is ${value}: a bool is 0 or 1`, {
        place: column.place(row),
        span: expected.span,
      });
  });
  const data = Uint8Array.from(column.data, (value) =>
    column.kind === "float" ? Math.round(value * column.scale + column.offset) : value,
  );
  const { rows, shape, starts, lengths, present, place } = column;
  return { kind: "bool", rows, shape, starts, lengths, present, place, data };
}

function booleanTexts(column: TextColumn, expected: Expected): BooleanColumn {
  const data = new Uint8Array(column.rows);
  for (let row = 0; row < column.rows; row++) {
    const text = column.data[rowStart(column, row)]!.trim().toLowerCase();
    if (text !== "true" && text !== "false")
      throw new DataError(`${expected.name} is ${JSON.stringify(text)}: a bool is true or false`, {
        place: column.place(row),
        span: expected.span,
      });
    data[row] = text === "true" ? 1 : 0;
  }
  return { ...column, kind: "bool", starts: undefined, data };
}

function wrongKind(column: Column, expected: Expected, needed: string): DataError {
  return new DataError(
    `${expected.name} needs ${needed}; the data has ${column.kind === "text" ? "text" : column.kind}${rank(column) > 0 ? ` ${shapeText(column)}` : ""}`,
    { place: column.rows > 0 ? column.place(0) : undefined, span: expected.span },
  );
}

function eachElement(
  column: IntegerColumn | FloatColumn | BooleanColumn,
  visit: (value: number, row: number) => void,
): void {
  for (let row = 0; row < column.rows; row++) {
    if (!isPresent(column, row)) continue;
    const from = rowStart(column, row);
    const to = from + rowElements(column, row);
    for (let element = from; element < to; element++) visit(elementAt(column, element), row);
  }
}
