import type { IToken, TokenType } from "chevrotain";
import { Symbols, word } from "../../grammar/tokens.ts";
import { spanOf } from "./lex.ts";
import type { Reading } from "./reading.ts";
import { endsOperand, isInfix, isName, startsDeclaration, startsItem, startsLine } from "./words.ts";

/** Brackets and braces open at once; the parser and everything after it recurse over them. */
const DEEPEST_BRACKETS = 64;
/** Operators, dots and brackets that can make the tree deeper, over all open brackets. */
const DEEPEST_TREE = 500;
/** A scan in a scan recurses as brackets do, without a bracket. */
const SCAN_DEPTH = 10;

const CLOSER = new Map<TokenType, TokenType>([
  [Symbols.openParen, Symbols.closeParen],
  [Symbols.openBracket, Symbols.closeBracket],
  [Symbols.openBrace, Symbols.closeBrace],
]);
const CLOSERS = new Set(CLOSER.values());

interface Open {
  readonly token: IToken;
  readonly closer: TokenType;
  /** The braces of a definition, `train` or `generate`: items stand in them. */
  readonly block: boolean;
  /** The braces of an import or of `W.{i, f}`. */
  readonly names: boolean;
  /** How many operators the tree outside this bracket may already be deep. */
  readonly deep: number;
}

/**
 * Tokens in which every bracket has its partner: what is missing is put in, what closes nothing is left out, and both
 * are reported. So one forgotten bracket is one error, at its place, and what follows is read as it was meant.
 * What is nested too deeply to read is left out up to the next declaration.
 */
export function balance(reading: Reading, tokens: readonly IToken[]): readonly IToken[] {
  const output: IToken[] = [];
  let open: Open[] = [];
  let declaration = 0;
  let deep = 0;
  let skipped: IToken | undefined;

  const closeLast = (next: IToken | undefined) => {
    const { token, closer, deep: outside } = open.pop()!;
    deep = outside;
    const previous = output.at(-1)!;
    const end = previous.startOffset + previous.image.length;
    reportUnclosed(reading, token, closer, end, next);
    output.push(inserted(closer, previous, end));
  };

  for (const [at, token] of tokens.entries()) {
    const fresh = startsLine(tokens, at);
    if (fresh && startsDeclaration(tokens, at)) {
      while (open.length > 0) closeLast(token);
      if (skipped !== undefined) markUnread(reading, skipped, token.startOffset);
      skipped = undefined;
    } else if (fresh && open.length > 1 && open[0]!.block && !open.at(-1)!.block && startsItem(tokens, at)) {
      while (!open.at(-1)!.block) closeLast(token);
    }
    if (skipped !== undefined) continue;
    const names = open.at(-1)?.names === true;
    if (names && !isName(token) && token.tokenType !== Symbols.comma && !CLOSERS.has(token.tokenType)) closeLast(token);
    if (open.length === 0 && (output.at(-1)?.tokenType === Symbols.closeBrace || startsDeclaration(tokens, at)))
      declaration = output.length;
    deep = restartsTree(tokens, at) ? (open.at(-1)?.deep ?? 0) + open.length : deep;

    const closer = CLOSER.get(token.tokenType);
    if (closer !== undefined) {
      const names = closer === Symbols.closeBrace && holdsNames(output.at(-1));
      const header = closer === Symbols.closeBrace && !names;
      while (header && open.length > 0 && !open[0]!.block) closeLast(token);
      open.push({ token, closer, block: header && open.length === 0, names, deep });
      output.push(token);
    } else if (!CLOSERS.has(token.tokenType)) {
      output.push(token);
    } else {
      const partner = open.findLastIndex((each) => each.closer === token.tokenType);
      const last = open.at(-1);
      if (partner >= 0) {
        while (open.length > partner + 1) closeLast(token);
        deep = open.pop()!.deep;
        output.push(token);
      } else if (last === undefined || tokens[at + 1]?.tokenType === last.closer || last.block) {
        reading.fault("unclosed-bracket", spanOf(reading, token), `\`${token.image}\` closes nothing`, {
          hint: "remove it, or open it before",
        });
      } else {
        reportWrongCloser(reading, last, token);
        deep = open.pop()!.deep;
        output.push({ ...token, tokenType: last.closer, tokenTypeIdx: last.closer.tokenTypeIdx! });
      }
    }
    if (deepens(token)) deep += token.tokenType === word("scan") ? SCAN_DEPTH : 1;
    if (open.length > DEEPEST_BRACKETS || deep > DEEPEST_TREE) {
      reportDepth(reading, token, open.length > DEEPEST_BRACKETS);
      output.length = declaration;
      open = [];
      deep = 0;
      skipped = token;
    }
  }
  while (open.length > 0) closeLast(undefined);
  if (skipped !== undefined) markUnread(reading, skipped, reading.text.length);
  return output;
}

function holdsNames(before: IToken | undefined): boolean {
  return before?.image === "import" || before?.tokenType === Symbols.dot;
}

/** The tree starts anew behind a comma or an equals sign, and where an operand is followed by the next item. */
function restartsTree(tokens: readonly IToken[], at: number): boolean {
  const [token, previous] = [tokens[at]!, tokens[at - 1]];
  if (previous?.tokenType === Symbols.comma || previous?.tokenType === Symbols.define) return true;
  return isName(token) && endsOperand(previous) && !isInfix(token.image);
}

const deepening = new Set<TokenType>([
  Symbols.power,
  Symbols.times,
  Symbols.divide,
  Symbols.remainder,
  Symbols.contract,
  Symbols.plus,
  Symbols.minus,
  Symbols.equal,
  Symbols.unequal,
  Symbols.lessEqual,
  Symbols.greaterEqual,
  Symbols.less,
  Symbols.greater,
  Symbols.dot,
  Symbols.openParen,
  Symbols.openBracket,
  Symbols.openBrace,
  word("and"),
  word("or"),
  word("not"),
  word("by"),
  word("else"),
  word("scan"),
]);

function deepens(token: IToken): boolean {
  return deepening.has(token.tokenType);
}

function inserted(closer: TokenType, previous: IToken, offset: number): IToken {
  return {
    ...previous,
    image: "",
    startOffset: offset,
    endOffset: offset - 1,
    tokenType: closer,
    tokenTypeIdx: closer.tokenTypeIdx!,
  };
}

function reportUnclosed(
  reading: Reading,
  open: IToken,
  closer: TokenType,
  end: number,
  next: IToken | undefined,
): void {
  const place = reading.span(end, end);
  const before = next === undefined ? "the end of the file" : `\`${next.image}\``;
  const surely = open.tokenType === Symbols.openBrace && (next === undefined || next.startLine !== open.startLine);
  const own = surely && !/^[^\n\r]*$/.test(reading.text.slice(open.startOffset, end));
  reading.fault("unclosed-bracket", place, `expected \`${closer.LABEL}\` before ${before}`, {
    related: [{ span: spanOf(reading, open), message: `this \`${open.image}\` is never closed` }],
    fix: own ? { title: `insert \`${closer.LABEL}\``, edits: [{ span: place, text: `\n${closer.LABEL}` }] } : undefined,
  });
}

function reportWrongCloser(reading: Reading, open: Open, token: IToken): void {
  const span = spanOf(reading, token);
  const right = open.closer.LABEL!;
  reading.fault(
    "unclosed-bracket",
    span,
    `\`${open.token.image}\` is closed by \`${right}\`, not by \`${token.image}\``,
    {
      related: [{ span: spanOf(reading, open.token), message: "opened here" }],
      fix: { title: `write \`${right}\``, edits: [{ span, text: right }] },
    },
  );
}

function reportDepth(reading: Reading, token: IToken, brackets: boolean): void {
  const message = brackets
    ? `brackets are nested more than ${DEEPEST_BRACKETS} deep`
    : `this expression is more than ${DEEPEST_TREE} operators deep`;
  reading.fault("too-deep", spanOf(reading, token), message, {
    hint: "give a part of it a name, as an equation of its own",
  });
}

/** What was skipped is a hole in the tree; the fault that made it is already reported. */
function markUnread(reading: Reading, from: IToken, end: number): void {
  reading.unread.push({ span: reading.span(from.startOffset, end), words: [] });
}
