import type { DataClause, SplitClause } from "../../syntax/tree.ts";
import { readClause } from "./clause.ts";
import { conform, isSequence } from "./conform.ts";
import { type Dataset, mapColumns } from "./dataset.ts";
import { DataError } from "./error.ts";
import type { Expected } from "./expected.ts";
import type { DataContext } from "./readers.ts";
import { settle } from "./settle.ts";
import { collectVocabularies, recode } from "./share-vocabulary.ts";
import { type ShareClause, splitRows } from "./split.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The data of a training regime, ready to batch. A dataset for each `data` line; lines are not paired. */
export interface LoadedData {
  readonly train: readonly Dataset[];
  /** Undefined where nothing is held out. */
  readonly val: readonly Dataset[] | undefined;
  readonly test: readonly Dataset[] | undefined;
  /** By `vocabularyKey`. */
  readonly vocabularies: ReadonlyMap<string, Vocabulary>;
}

export interface LoadOptions extends DataContext {
  /** The seed of random splits. */
  readonly seed: number;
  /** Vocabularies that are settled already, by key. */
  readonly vocabularies?: ReadonlyMap<string, Vocabulary> | undefined;
}

/**
 * Reads all data of a regime: `data` lines, then what `val` and `test` hold out of them or read themselves. Columns that the model
 * does not expect are left out. Every fault is a `DataError`.
 */
export async function loadData(
  data: readonly DataClause[],
  splits: readonly SplitClause[],
  expected: readonly Expected[],
  options: LoadOptions,
): Promise<LoadedData> {
  const trained = await readAll(data, expected, options);
  const own = new Map<string, readonly Dataset[]>();
  for (const { role, rule } of splits)
    if (rule.kind === "own") own.set(role, await readAll([rule.data], expected, options));
  const vocabularies = collectVocabularies(trained, expected, options.vocabularies ?? new Map());
  const finish = (dataset: Dataset): Dataset => conform(dataset, expected);
  const shares = splits.filter(isShare);
  const cut = trained.map((dataset) => {
    refuseTorn(dataset, shares, expected);
    return splitRows(recode(dataset, expected, vocabularies), shares, options.seed);
  });
  const held = (role: "val" | "test"): readonly Dataset[] | undefined => {
    const read = own.get(role)?.map((dataset) => finish(recode(dataset, expected, vocabularies)));
    const parts = cut.flatMap((shared) => shared[role] ?? []);
    return read ?? (parts.length > 0 ? parts.map(finish) : undefined);
  };
  return { train: cut.map(({ train }) => finish(train)), val: held("val"), test: held("test"), vocabularies };
}

async function readAll(
  clauses: readonly DataClause[],
  expected: readonly Expected[],
  options: LoadOptions,
): Promise<readonly Dataset[]> {
  const datasets: Dataset[] = [];
  for (const clause of clauses) {
    const dataset = await readClause(clause, options);
    const kept = [...dataset.columns].filter(([name]) => expected.some((one) => one.name === name));
    datasets.push(
      mapColumns({ ...dataset, columns: new Map(kept) }, (column, name) =>
        settle(column, expected.find((one) => one.name === name)!),
      ),
    );
  }
  return datasets;
}

function isShare(clause: SplitClause): clause is ShareClause {
  return clause.rule.kind === "share";
}

/** Random rows of one long sequence are no sequence. */
function refuseTorn(dataset: Dataset, shares: readonly ShareClause[], expected: readonly Expected[]): void {
  const random = shares.find((share) => share.rule.from === "random");
  const torn = expected.find((input) => {
    const column = dataset.columns.get(input.name);
    return column !== undefined && isSequence(column, input);
  });
  if (random !== undefined && torn !== undefined)
    throw new DataError(`${torn.name} is one long sequence: random rows would tear it apart`, {
      hint: `write ${random.role} last ..., or cut the sequence with windows(...)`,
      span: random.span,
    });
}
