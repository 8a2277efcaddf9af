import type { Layout, TokenColumn } from "./dataset.ts";
import { growTokens, type TokenArray, tokenArray } from "./growable.ts";
import { compareCodePoints, createVocabulary, specialId, type Unit, type Vocabulary } from "./vocabulary.ts";

/** Collects tokens as they are read; ids are given at the end, when all are known. */
export interface TokenBuilder {
  readonly length: number;
  add(token: string): void;
  /** Words seen less than `least` times become UNK. */
  finish(least?: number): { readonly vocabulary: Vocabulary; readonly data: TokenArray };
}

/** Words are numbered by falling frequency, then code point; characters and labels by code point. */
export function buildTokens(unit: Unit): TokenBuilder {
  const ids = new Map<string, number>();
  const counts: number[] = [];
  const data = growTokens();
  return {
    get length() {
      return data.length;
    },
    add(token) {
      let id = ids.get(token);
      if (id === undefined) {
        id = counts.length;
        ids.set(token, id);
        counts.push(0);
      }
      counts[id]!++;
      data.push(id);
    },
    finish(least = 1) {
      const known = [...ids.keys()].filter((_, id) => counts[id]! >= least);
      known.sort(
        (a, b) => (unit === "word" ? counts[ids.get(b)!]! - counts[ids.get(a)!]! : 0) || compareCodePoints(a, b),
      );
      const vocabulary = createVocabulary(unit, known, known.length < ids.size ? ["UNK"] : []);
      const renumbered = [...ids.keys()].map((token) => vocabulary.index.get(token) ?? specialId(vocabulary, "UNK")!);
      const result = data.finish();
      for (let at = 0; at < result.length; at++) result[at] = renumbered[result[at]!]!;
      return { vocabulary, data: result };
    },
  };
}

/** One row a token. */
export function tokenSeries(
  built: { readonly vocabulary: Vocabulary; readonly data: TokenArray },
  place: Layout["place"],
): TokenColumn {
  return {
    kind: "tokens",
    ...built,
    rows: built.data.length,
    shape: [],
    starts: undefined,
    lengths: undefined,
    present: undefined,
    place,
  };
}

/** Rows of tokens that follow each other in `data`. */
export function raggedTokens(
  built: { readonly vocabulary: Vocabulary; readonly data: TokenArray },
  lengths: Uint32Array,
  place: Layout["place"],
): TokenColumn {
  return { ...tokenSeries(built, place), rows: lengths.length, lengths, starts: startsOf(lengths) };
}

/** Where rows of these lengths start when they follow each other. */
export function startsOf(lengths: Uint32Array, elements = 1): Uint32Array {
  const starts = new Uint32Array(lengths.length);
  for (let row = 1; row < lengths.length; row++) starts[row] = starts[row - 1]! + lengths[row - 1]! * elements;
  return starts;
}

/** The same tokens under other ids. */
export function renumber(data: ArrayLike<number>, ids: readonly number[]): TokenArray {
  const most = ids.reduce((greatest, id) => Math.max(greatest, id), 0);
  const result = tokenArray(most + 1, data.length);
  for (let at = 0; at < data.length; at++) result[at] = ids[data[at]!]!;
  return result;
}
