import type { BinaryOperator } from "./tree.ts";

/** How tightly each operator binds: higher is tighter. Reading and printing share this table. */
export const LEVEL = {
  or: 1,
  and: 2,
  not: 3,
  "==": 4,
  "!=": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
  "@": 6,
  /** The sign of `-x`. */
  minus: 7,
  /** Groups to the right; its right side may begin with a sign. */
  "**": 8,
  /** `h[t-1] else h0` */
  else: 9,
  /** `f(x)`, `x[i]`, `s.h` */
  postfix: 10,
  primary: 11,
} as const satisfies Record<BinaryOperator | "not" | "minus" | "else" | "postfix" | "primary", number>;

/** Comparisons do not chain. */
export const COMPARISON = LEVEL["=="];

/** The operators of the grammar's flat lists, by the text of their token. */
const BINARY: Record<BinaryOperator, BinaryOperator> = {
  or: "or",
  and: "and",
  "==": "==",
  "!=": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  "+": "+",
  "-": "-",
  "*": "*",
  "/": "/",
  "%": "%",
  "@": "@",
  "**": "**",
};

function isBinary(text: string): text is BinaryOperator {
  return Object.hasOwn(BINARY, text);
}

export function binaryOperator(text: string | undefined): BinaryOperator {
  if (text !== undefined && isBinary(text)) return text;
  throw new Error(`internal: ${text} is no operator of the grammar`);
}
