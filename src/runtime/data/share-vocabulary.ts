import type { Dataset, TokenColumn } from "./dataset.ts";
import { mapColumns, rowElements, rowStart } from "./dataset.ts";
import { DataError, listed } from "./error.ts";
import { type Expected, vocabularyKey } from "./expected.ts";
import { renumber } from "./tokens.ts";
import {
  mergeVocabularies,
  numberVocabulary,
  specialId,
  tokenId,
  tokenText,
  type Vocabulary,
  vocabularySize,
  withSpecial,
} from "./vocabulary.ts";

/**
 * One vocabulary for each key: every token of the columns that are trained on, then the special tokens that the model names. A key in
 * `known` keeps its vocabulary (that of a checkpoint, say). Datasets beside the training data add no tokens.
 */
export function collectVocabularies(
  datasets: readonly Dataset[],
  expected: readonly Expected[],
  known: ReadonlyMap<string, Vocabulary>,
): ReadonlyMap<string, Vocabulary> {
  const result = new Map(known);
  for (const input of expected.filter((one) => one.base === "tok")) {
    const key = vocabularyKey(input);
    if (known.has(key)) continue;
    for (const dataset of datasets) {
      const column = dataset.columns.get(input.name);
      if (column?.kind === "tokens") result.set(key, merged(result.get(key), column, input));
    }
  }
  for (const input of expected) {
    const vocabulary = result.get(vocabularyKey(input));
    if (vocabulary !== undefined) result.set(vocabularyKey(input), finished(vocabulary, input));
  }
  return result;
}

function merged(vocabulary: Vocabulary | undefined, column: TokenColumn, input: Expected): Vocabulary {
  if (vocabulary === undefined) return column.vocabulary;
  if (vocabulary.unit !== column.vocabulary.unit)
    throw new DataError(
      `${input.name} has ${column.vocabulary.unit}s, but shares its vocabulary with ${vocabulary.unit}s`,
      { place: column.place(0), span: input.span },
    );
  return mergeVocabularies(vocabulary, column.vocabulary);
}

function finished(vocabulary: Vocabulary, input: Expected): Vocabulary {
  let result = vocabulary;
  if (input.limit !== undefined && result.unit === "number" && result.tokens.length < input.limit)
    result = numberVocabulary(input.limit);
  for (const token of input.special ?? []) result = withSpecial(result, token);
  if (input.limit !== undefined && vocabularySize(result) > input.limit)
    throw new DataError(
      `${input.name} has ${vocabularySize(result)} different ${result.unit}s, tok(${input.limit}) holds ${input.limit}`,
      { hint: `they are ${listed([...result.tokens, ...result.special])}`, span: input.span },
    );
  return result;
}

/** The token columns under the shared vocabularies. A token that is not in one is UNK where it has that, else an error. */
export function recode(
  dataset: Dataset,
  expected: readonly Expected[],
  vocabularies: ReadonlyMap<string, Vocabulary>,
): Dataset {
  return mapColumns(dataset, (column, name) => {
    const input = expected.find((one) => one.name === name);
    const vocabulary = input && vocabularies.get(vocabularyKey(input));
    if (column.kind !== "tokens" || vocabulary === undefined || input === undefined) return column;
    return { ...column, vocabulary, data: recoded(column, vocabulary, input) };
  });
}

function recoded(column: TokenColumn, vocabulary: Vocabulary, input: Expected): TokenColumn["data"] {
  const from = column.vocabulary;
  const ids = [
    ...from.tokens.map((token) => tokenId(vocabulary, token)),
    ...from.special.map((token) => specialId(vocabulary, token)),
  ];
  if (ids.every((id, at) => id === at)) return column.data;
  const unknown = ids.flatMap((id, at) => (id === undefined && !unused(column, at) ? [at] : []));
  if (unknown.length > 0) {
    const texts = unknown.map((id) => tokenText(from, id));
    throw new DataError(
      `${listed(texts)} ${texts.length === 1 ? "is" : "are"} not in the vocabulary of ${input.name}`,
      {
        place: column.place(firstRow(column, unknown)),
        hint: "it has the tokens of the training data; words(..., least: 2) makes an UNK for all others",
        span: input.span,
      },
    );
  }
  return renumber(
    column.data,
    ids.map((id) => id ?? 0),
  );
}

/** A vocabulary of numbers 0 ... n-1 names numbers that may not occur. */
function unused(column: TokenColumn, id: number): boolean {
  return column.vocabulary.unit === "number" && !column.data.includes(id);
}

function firstRow(column: TokenColumn, ids: readonly number[]): number {
  const wanted = new Set(ids);
  for (let row = 0; row < column.rows; row++) {
    const from = rowStart(column, row);
    const to = from + rowElements(column, row);
    for (let element = from; element < to; element++) if (wanted.has(column.data[element]!)) return row;
  }
  return 0;
}
