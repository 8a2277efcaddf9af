import type { IToken } from "chevrotain";
import { nearest } from "../base/nearest.ts";
import type { Explanation, Failure } from "./failure.ts";
import { spanOf } from "./lex.ts";
import { describe } from "./messages.ts";
import { DECLARATION_WORDS, GENERATE_WORDS, ITEM_WORDS, isName, startsLine, TRAIN_WORDS } from "./words.ts";

/** Is the word that begins the item a keyword spelt wrong, or another language's? */
export function misspeltWord({ reading, message, rule, part, at }: Failure): Explanation | undefined {
  const place = PLACES[rule];
  if (place === undefined) return undefined;
  const begin = place.reads ? beginOfLine(part, at) : at;
  const token = part[begin];
  if (token === undefined || !isName(token) || !startsLine(part, begin)) return undefined;
  // The grammar takes an unknown word for the name that an item begins with, and fails at what stands behind it.
  if (place.reads && (at !== begin + 1 || !couldFollowKeyword(part[at]))) return undefined;
  const synonym = SYNONYMS[token.image];
  const known =
    synonym !== undefined && place.keywords.includes(synonym) ? synonym : nearest(token.image, place.keywords);
  const span = spanOf(reading, token);
  if (known === undefined)
    return place.reads ? undefined : { place: span, message, hint: `what can stand here: ${list(place.keywords)}` };
  return {
    place: span,
    message: `${describe(token)} is not a keyword here`,
    hint: `did you mean \`${known}\`?`,
    fix: { title: `write \`${known}\``, edits: [{ span, text: known }] },
  };
}

interface Place {
  readonly keywords: readonly string[];
  /** Does the grammar read an unknown first word as a name, and fail only behind it? */
  readonly reads: boolean;
}

const PLACES: Readonly<Record<string, Place>> = {
  file: { keywords: DECLARATION_WORDS, reads: false },
  declaration: { keywords: DECLARATION_WORDS, reads: false },
  item: { keywords: ITEM_WORDS, reads: false },
  items: { keywords: ITEM_WORDS, reads: true },
  equation: { keywords: ITEM_WORDS, reads: true },
  trainClause: { keywords: TRAIN_WORDS, reads: false },
  trainClauses: { keywords: TRAIN_WORDS, reads: false },
  generateClauses: { keywords: GENERATE_WORDS, reads: true },
};

function beginOfLine(part: readonly IToken[], at: number): number {
  let begin = Math.min(at, part.length - 1);
  while (begin > 0 && !startsLine(part, begin)) begin--;
  return begin;
}

function couldFollowKeyword(token: IToken | undefined): boolean {
  return token !== undefined && (isName(token) || ["Number", "String"].includes(token.tokenType.name));
}

function list(words: readonly string[]): string {
  return words.map((each) => `\`${each}\``).join(", ");
}

/** Other languages' words for what begins something here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  input: "in",
  inputs: "in",
  output: "out",
  return: "out",
  weight: "param",
  weights: "param",
  parameter: "param",
  let: "use",
  var: "use",
  const: "use",
  class: "model",
  network: "model",
  module: "layer",
  def: "layer",
  function: "layer",
  fn: "layer",
  assert: "expect",
  optimizer: "optim",
  optimiser: "optim",
  loss: "minimize",
  minimise: "minimize",
  maximise: "maximize",
  objective: "minimize",
  epochs: "for",
  metrics: "report",
  metric: "report",
  dataset: "data",
  validation: "val",
  valid: "val",
  length: "max",
};
