import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { createReport } from "../../../src/base/report.ts";
import { readClause } from "../../../src/runtime/data/clause.ts";
import type { Column, Dataset } from "../../../src/runtime/data/dataset.ts";
import { elementAt, isPresent, rowElements, rowStart } from "../../../src/runtime/data/dataset.ts";
import { tokenText } from "../../../src/runtime/data/vocabulary.ts";
import { parse } from "../../../src/syntax/parse.ts";
import type { DataClause, SplitClause, TrainClause } from "../../../src/syntax/tree.ts";

const BEFORE = "train t of M {\n  ";

/** The clauses of a regime that says `source`. */
export function parseClauses(source: string): readonly TrainClause[] {
  const report = createReport();
  const { declarations } = parse(`${BEFORE}${source}\n}`, "model.seq", report);
  const [train] = declarations;
  if (train?.kind !== "train" || report.hasErrors)
    throw new Error(report.diagnostics.map((one) => one.message).join("\n"));
  return train.clauses;
}

export function dataClauses(source: string): readonly DataClause[] {
  return parseClauses(source).filter((clause) => clause.kind === "data");
}

export function splitClauses(source: string): readonly SplitClause[] {
  return parseClauses(source).filter((clause) => clause.kind === "split");
}

/** The part of `source` that a span of its clauses covers. */
export function spanText(source: string, span: { readonly start: number; readonly end: number }): string {
  return source.slice(span.start - BEFORE.length, span.end - BEFORE.length);
}

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A folder with these files, for the time of a test. */
export function folderOf(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), "seqc-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** What one `data` line reads in a folder with these files. */
export async function read(source: string, files: Files = {}): Promise<Dataset> {
  return readClause(dataClauses(source)[0]!, { folder: folderOf(files) });
}

/** A column's rows as plain values: texts of tokens, undefined for a missing row. */
export function rowsOf(column: Column): readonly unknown[] {
  return Array.from({ length: column.rows }, (_, row) => {
    if (!isPresent(column, row)) return undefined;
    const start = rowStart(column, row);
    if (column.kind === "text") return column.data[start];
    const values = Array.from({ length: rowElements(column, row) }, (_, at) => {
      const value = elementAt(column, start + at);
      return column.kind === "tokens" ? tokenText(column.vocabulary, value) : value;
    });
    return column.lengths === undefined && column.shape.length === 0 ? values[0] : values;
  });
}

/** Every column's rows. */
export async function readRows(
  source: string,
  files: Files = {},
): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const { columns } = await read(source, files);
  return Object.fromEntries([...columns].map(([name, column]) => [name, rowsOf(column)]));
}
