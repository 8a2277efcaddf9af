import type { Span } from "../../base/span.ts";
import type { SpecialToken } from "./vocabulary.ts";

/** What the model needs of one input or emission. */
export interface Expected {
  readonly name: string;
  readonly base: "float" | "tok" | "bool";
  /** Sizes of one example's axes, axes of size 1 left out; undefined where the data decides. */
  readonly sizes: readonly (number | undefined)[];
  /** Whether the first axis is a time axis: then rows may differ in length, and a column may be one long sequence. */
  readonly ragged: boolean;
  /** Columns with the same key share one vocabulary: the text of `V` in `tok(V)`. Without one, a column has its own. */
  readonly vocabulary?: string | undefined;
  /** The size of the vocabulary where the model fixes it. */
  readonly limit?: number | undefined;
  /** Tokens that the model names: they are added to the vocabulary. */
  readonly special?: readonly SpecialToken[] | undefined;
  /** Whether rows may lack it: what is only emitted. */
  readonly optional: boolean;
  /** Where the model declares it. */
  readonly span?: Span | undefined;
}

/** The key of a column's vocabulary. */
export function vocabularyKey(expected: Expected): string {
  return expected.vocabulary ?? `:${expected.name}`;
}
