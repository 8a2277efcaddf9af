import type { CstNode, IRecognitionException, IToken } from "chevrotain";
import { SeqParser } from "../../grammar/parser.ts";
import { messages } from "./messages.ts";

/** One parser for all calls: the grammar is analysed once; a call's input is taken out again when it ends. */
const parser = new SeqParser({
  maxLookahead: 1,
  nodeLocationTracking: "onlyOffset",
  errorMessageProvider: messages,
  skipValidations: true,
});

/** A rule of the grammar that reading starts from. */
export type Start = "file" | "declaration" | "items" | "trainClauses" | "generateClauses";

/** What one rule made of some tokens: the tree, or the first error. */
export type Attempt =
  | { readonly kind: "read"; readonly cst: CstNode }
  | { readonly kind: "failed"; readonly error: IRecognitionException };

/** Reads all of the tokens as one rule. */
export function attempt(start: Start, tokens: readonly IToken[]): Attempt {
  parser.input = [...tokens];
  const cst = parser[start]();
  const error = parser.errors[0];
  parser.input = [];
  return error === undefined ? { kind: "read", cst } : { kind: "failed", error };
}
