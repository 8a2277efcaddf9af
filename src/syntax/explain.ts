import type { IRecognitionException, IToken } from "chevrotain";
import { NumberToken, RESERVED, StringToken, Symbols } from "../../grammar/tokens.ts";
import type { Fix } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Start } from "./attempt.ts";
import type { Explanation, Failure } from "./failure.ts";
import { misspeltWord } from "./keyword.ts";
import { spanOf } from "./lex.ts";
import { describe, EXAMPLES, isEnd, onAnotherLine } from "./messages.ts";
import type { Reading } from "./reading.ts";
import { endsOperand, isName, startsLine } from "./words.ts";

/** Reports a parser's error in the tokens of one part; the part's names are then known to be missing from the tree. */
export function explain(reading: Reading, start: Start, error: IRecognitionException, part: readonly IToken[]): void {
  const failure: Failure = {
    reading,
    message: error.message,
    rule: error.context.ruleStack.at(-1) ?? start,
    part,
    at: isEnd(error.token) ? part.length : part.indexOf(error.token),
  };
  const { place, message, hint, fix } =
    misspeltWord(failure) ?? adjacentOperands(failure) ?? otherNotation(failure) ?? asTheParserSays(failure);
  const words = [...new Set(part.filter(isName).map((token) => token.image))];
  reading.fault("unexpected-token", place, message, { hint, fix, words });
}

function asTheParserSays({ reading, message, rule, part, at }: Failure): Explanation {
  const hint = EXAMPLES[rule]?.map((example) => `\`${example}\``).join(", or ");
  const [token, previous] = [part[at], part[at - 1]];
  if (previous !== undefined && (token === undefined || onAnotherLine(token, previous)))
    return { place: behind(reading, previous), message, hint: hint && `as in ${hint}` };
  return { place: spanOf(reading, (token ?? part[0])!), message, hint: hint && `as in ${hint}` };
}

function behind(reading: Reading, token: IToken): Span {
  const end = token.startOffset + token.image.length;
  return reading.span(end, end);
}

/** `a b` on one line: two values with nothing between them. */
function adjacentOperands({ reading, rule, part, at }: Failure): Explanation | undefined {
  if (rule !== "equation" && rule !== "items") return undefined;
  const second = rule === "equation" ? at - 1 : at;
  const [left, right] = [part[second - 1], part[second]];
  if (left === undefined || right === undefined || startsLine(part, second)) return undefined;
  if (!endsOperand(left) || !beginsOperand(right)) return undefined;
  if (part[second + 1]?.tokenType === Symbols.colon) {
    const gap = behind(reading, left);
    const fix: Fix = { title: "insert `,`", edits: [{ span: gap, text: "," }] };
    return { place: gap, message: `expected \`,\` between ${describe(left)} and ${describe(right)}`, fix };
  }
  return {
    place: spanOf(reading, right),
    message: `expected an operator between ${describe(left)} and ${describe(right)}`,
    hint: "elementwise product is `*`, contraction is `@`; a call has parentheses",
  };
}

function beginsOperand(token: IToken): boolean {
  return isName(token) || token.tokenType === NumberToken || token.tokenType === StringToken;
}

/** What is written otherwise in other languages, or with a neighbouring item of this one. */
function otherNotation(failure: Failure): Explanation | undefined {
  const { reading, message, rule, part, at } = failure;
  const [token, previous] = [part[at], part[at - 1]];
  if (token === undefined) return undefined;
  const place = spanOf(reading, token);
  const replace = (text: string, from = place): Fix => ({
    title: `write \`${text.trim()}\``,
    edits: [{ span: from, text }],
  });
  const sign = token.tokenType;
  if (RESERVED.some((reserved) => reserved === token.image) && (at === 0 || !endsOperand(previous)))
    return { place, message, hint: `\`${token.image}\` is a word of the language everywhere, and no name` };
  if (sign === Symbols.tilde && (rule === "equation" || rule === "items"))
    return { place, message, hint: "a value with a distribution begins with `emit`, `latent` or `noise`" };
  if (rule === "equation" && sign === Symbols.colon)
    return { place, message, hint: "a value with a type begins with `in`, `param` or `state`" };
  if (rule === "equation" && sign === Symbols.equal) return { place, message, fix: replace("=") };
  if (rule === "arguments" && sign === Symbols.define && previous !== undefined) {
    const gap = reading.span(behind(reading, previous).end, place.end);
    const hint = "a named argument is written `name: value`, equality `==`";
    return { place, message, hint, fix: isConditional(part, at) ? undefined : replace(":", gap) };
  }
  if (sign === Symbols.define && (rule === "items" || rule === "file" || rule === "group"))
    return { place, message, hint: "equality is written `==`" };
  if (rule === "useDeclarator" && isName(token) && previous !== undefined)
    return { ...asTheParserSays(failure), fix: replace(" =", behind(reading, previous)) };
  if (rule === "target" || rule === "indices" || rule === "index")
    return { place, message, hint: "an index on the left is written `t`, `k in P`, or for `emit` also `t+1`" };
  if (rule === "type" && isName(token)) return wordAsType(failure, token);
  return undefined;
}

/** Does the token stand in the parentheses of `where`, where `=` may well be meant as `==`? */
function isConditional(part: readonly IToken[], at: number): boolean {
  let depth = 0;
  for (let index = at - 1; index > 0; index--) {
    if (part[index]!.tokenType === Symbols.closeParen) depth++;
    else if (part[index]!.tokenType === Symbols.openParen && depth-- === 0) return part[index - 1]!.image === "where";
  }
  return false;
}

/** `x: float[T]`, `x: vector(D)` */
function wordAsType({ reading, message, part, at }: Failure, token: IToken): Explanation {
  const place = spanOf(reading, token);
  const bracket = part[at + 1]?.tokenType === Symbols.openBracket;
  const hint = "numbers need no word: `[D]` is a vector, `[]` a scalar; tokens are `tok(V)[T]`, truth values `bool[T]`";
  const plain = ["float", "float32", "real", "number", "f32"].includes(token.image);
  const fix = plain
    ? { title: "write the axes alone", edits: [{ span: place, text: bracket ? "" : "[]" }] }
    : undefined;
  return { place, message, hint, fix };
}
