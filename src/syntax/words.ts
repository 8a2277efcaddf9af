import type { IToken, TokenType } from "chevrotain";
import { Identifier, NumberToken, Prime, StringToken, Symbols, word } from "../../grammar/tokens.ts";

/*
 * What words do, seen from outside the grammar: needed where the grammar failed and the reader looks for the next place
 * to go on, and for messages that name what could stand here.
 */

export const DECLARATION_WORDS = [
  "import",
  "cell",
  "layer",
  "dist",
  "model",
  "layout",
  "train",
  "generate",
  "expect",
] as const;

export const ITEM_WORDS = [
  "time",
  "in",
  "of",
  "state",
  "param",
  "noise",
  "latent",
  "use",
  "tie",
  "emit",
  "out",
] as const;

export const TRAIN_WORDS = [
  "data",
  "val",
  "test",
  "minimize",
  "maximize",
  "bptt",
  "optim",
  "clip",
  "batch",
  "for",
  "report",
  "stop",
  "save",
  "seed",
  "load",
  "freeze",
  "teacher_forcing",
  "copy",
] as const;

export const GENERATE_WORDS = ["prompt", "max", "count", "seed"] as const;

/** Words that go on with what stands before them, so that they never begin anything after an operand. */
const INFIX = new Set(["and", "or", "not", "by", "over", "in", "of"]);

export function isInfix(text: string): boolean {
  return INFIX.has(text);
}

export function isName(token: IToken | undefined): boolean {
  if (token === undefined) return false;
  return token.tokenType === Identifier || (token.tokenType.CATEGORIES?.includes(Identifier) ?? false);
}

const operandEnds = new Set<TokenType>([
  Identifier,
  NumberToken,
  StringToken,
  Prime,
  Symbols.closeParen,
  Symbols.closeBracket,
  Symbols.closeBrace,
  word("reverse"),
]);

/** Can an expression end with this token? */
export function endsOperand(token: IToken | undefined): boolean {
  return token !== undefined && (operandEnds.has(token.tokenType) || (isName(token) && !INFIX.has(token.image)));
}

export function startsLine(tokens: readonly IToken[], at: number): boolean {
  return at === 0 || tokens[at]!.startLine !== tokens[at - 1]!.endLine;
}

/** Does a declaration begin here, so surely that an open bracket or brace before it must have been forgotten? */
export function startsDeclaration(tokens: readonly IToken[], at: number): boolean {
  const [first, second, third] = [tokens[at]!, tokens[at + 1], tokens[at + 2]];
  const type = third?.tokenType;
  switch (first.image) {
    case "cell":
    case "layer":
    case "dist":
    case "model":
    case "layout":
      return isName(second) && (type === Symbols.openParen || type === Symbols.openBrace);
    case "train":
    case "generate":
      return isName(second) && third?.image === "of";
    case "import":
      return second?.tokenType === Symbols.openBrace;
    case "expect":
      return isName(second) && (type === Symbols.openParen || type === Symbols.dot);
    default:
      return false;
  }
}

/** Does an item or a clause begin here, so surely that it ends an open bracket? Asked at the start of a line. */
export function startsItem(tokens: readonly IToken[], at: number): boolean {
  const [first, second] = [tokens[at]!, tokens[at + 1]];
  if (!isName(first)) return false;
  if (definesNames(tokens, at)) return true;
  if (first.image === "in" || first.image === "of") return tokens[at + 2]?.tokenType === Symbols.colon;
  if (INFIX.has(first.image) || second === undefined || second.startLine !== first.startLine) return false;
  if (isName(second)) return !INFIX.has(second.image);
  return second.tokenType === NumberToken || second.tokenType === StringToken || second.tokenType === word("from");
}

/** The longest left side that is looked for, in tokens: a broken one must not be sought through the whole file. */
const LONGEST_LEFT_SIDE = 100;

/** `a =`, `a', b[t] =` */
export function definesNames(tokens: readonly IToken[], start: number): boolean {
  const end = Math.min(tokens.length, start + LONGEST_LEFT_SIDE);
  let at = start;
  for (;;) {
    if (!isName(tokens[at])) return false;
    at++;
    if (tokens[at]?.tokenType === Prime) at++;
    if (tokens[at]?.tokenType === Symbols.openBracket) {
      while (at < end && tokens[at]!.tokenType !== Symbols.closeBracket) {
        if (tokens[at]!.tokenType === Symbols.define) return false;
        at++;
      }
      at++;
    }
    if (tokens[at]?.tokenType === Symbols.define) return true;
    if (tokens[at]?.tokenType !== Symbols.comma) return false;
    at++;
  }
}

const itemWords: ReadonlySet<string> = new Set([...ITEM_WORDS, ...TRAIN_WORDS]);

export function isItemWord(text: string): boolean {
  return itemWords.has(text);
}

/** Words that go on with an item or clause behind a whole expression. */
const CONTINUING = new Set(
  "prior on every where tokens row rows epoch epochs step steps stalls when to kB MB GB".split(" "),
);

export function continuesClause(text: string): boolean {
  return CONTINUING.has(text) || INFIX.has(text);
}
