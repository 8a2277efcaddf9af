import type { DataClause, Name } from "../../syntax/tree.ts";
import type { Column, Dataset } from "./dataset.ts";
import { DataError, listed } from "./error.ts";
import { readData } from "./read.ts";
import { missingColumn } from "./read-table.ts";
import type { DataContext } from "./readers.ts";
import { filterRows } from "./where.ts";

/** What `data a, b = reader(...) where ...` says: the columns under their new names, the rows that are kept. */
export async function readClause(clause: DataClause, context: DataContext): Promise<Dataset> {
  const names = clause.names.map((name) => name.text);
  const dataset = assignNames(await readData(clause.reader, context, names), clause.names);
  return clause.where === undefined ? dataset : filterRows(dataset, clause.where);
}

/** Columns are found by name where the names mean something (a table's header), else taken in order. */
export function assignNames(dataset: Dataset, names: readonly Name[]): Dataset {
  const known = [...dataset.columns.keys()];
  const chosen = names.map((name) => [name.text, dataset.columns.get(name.text)] as const);
  const byName = chosen.filter((entry): entry is readonly [string, Column] => entry[1] !== undefined);
  if (byName.length === names.length) return { ...dataset, columns: new Map(byName), named: true };
  if (dataset.named) {
    const absent = names.find((name) => !dataset.columns.has(name.text))!;
    const { reason, hint } = missingColumn(absent.text, known, { file: "" });
    throw new DataError(reason, { hint, span: absent.span });
  }
  if (names.length !== known.length)
    throw new DataError(`the reader gives ${known.length} columns (${listed(known)}), not ${names.length}`, {
      span: names[0]!.span,
    });
  const crossed = names.find((name, at) => known.includes(name.text) && known[at] !== name.text);
  if (crossed !== undefined)
    throw new DataError(
      `\`${crossed.text}\` is another column of the reader: it gives ${listed(known)}, in this order`,
      {
        span: crossed.span,
      },
    );
  const columns = [...dataset.columns.values()];
  return { ...dataset, columns: new Map(names.map((name, at) => [name.text, columns[at]!])), named: true };
}
