import type { IToken, TokenType } from "chevrotain";
import { StringToken, Symbols, word } from "../../grammar/tokens.ts";
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
  /** How deep the tree outside this bracket may already be. */
  readonly deep: number;
}

/**
 * Tokens in which every bracket has its partner: what is missing is put in, what closes nothing is left out, and both
 * are reported. So one forgotten bracket is one error, at its place, and what follows is read as it was meant.
 * What is nested too deeply to read is left out up to the next declaration.
 */
export function balance(reading: Reading, tokens: readonly IToken[]): readonly IToken[] {
  const state: State = { reading, tokens, output: [], open: [], deep: 0, declaration: 0, skipped: undefined };
  const whole = isBalanced(tokens);
  for (const [at, token] of tokens.entries()) {
    if (!whole || state.skipped !== undefined) closeForgotten(state, at);
    if (state.skipped !== undefined) continue;
    if (state.open.length === 0 && startsDeclaration(tokens, at)) state.declaration = state.output.length;
    if (restartsTree(tokens, at)) state.deep = (state.open.at(-1)?.deep ?? 0) + state.open.length;
    const closer = CLOSER.get(token.tokenType);
    if (closer !== undefined) openBracket(state, token, closer);
    else if (CLOSERS.has(token.tokenType)) closeBracket(state, at);
    else state.output.push(token);
    limitDepth(state, token);
  }
  while (state.open.length > 0) closeLast(state, undefined);
  if (state.skipped !== undefined) markUnread(reading, state.skipped, reading.text.length);
  return state.output;
}

interface State {
  readonly reading: Reading;
  readonly tokens: readonly IToken[];
  readonly output: IToken[];
  readonly open: Open[];
  /** Operators and brackets that the tree is deep here. */
  deep: number;
  /** Where the last declaration begins in the output. */
  declaration: number;
  /** The first token that was too deep, while everything up to the next declaration is left out. */
  skipped: IToken | undefined;
}

/** Then nothing was forgotten, and nothing needs to be guessed from where lines begin. */
function isBalanced(tokens: readonly IToken[]): boolean {
  const expected: TokenType[] = [];
  for (const { tokenType } of tokens) {
    const closer = CLOSER.get(tokenType);
    if (closer !== undefined) expected.push(closer);
    else if (CLOSERS.has(tokenType) && expected.pop() !== tokenType) return false;
  }
  return expected.length === 0;
}

/** Closes what cannot still be open where this token stands. */
function closeForgotten(state: State, at: number): void {
  const { tokens, open, reading } = state;
  const token = tokens[at]!;
  const fresh = startsLine(tokens, at);
  if (fresh && startsDeclaration(tokens, at)) {
    while (open.length > 0) closeLast(state, token);
    if (state.skipped !== undefined) markUnread(reading, state.skipped, token.startOffset);
    state.skipped = undefined;
  } else if (fresh && open[0]?.block && startsItem(tokens, at)) {
    while (!open.at(-1)!.block) closeLast(state, token);
  } else if (
    open.at(-1)?.names &&
    !isName(token) &&
    token.tokenType !== Symbols.comma &&
    !CLOSERS.has(token.tokenType)
  ) {
    closeLast(state, token);
  }
}

function openBracket(state: State, token: IToken, closer: TokenType): void {
  const { open, output, deep } = state;
  const names = closer === Symbols.closeBrace && holdsNames(output);
  const body = closer === Symbols.closeBrace && !names;
  while (body && open.length > 0 && !open[0]!.block) closeLast(state, token);
  open.push({ token, closer, block: body && open.length === 0, names, deep });
  output.push(token);
}

function closeBracket(state: State, at: number): void {
  const { reading, tokens, open, output } = state;
  const token = tokens[at]!;
  const partner = open.findLastIndex((each) => each.closer === token.tokenType);
  const last = open.at(-1);
  if (partner >= 0) {
    while (open.length > partner + 1) closeLast(state, token);
    state.deep = open.pop()!.deep + 1;
    output.push(token);
  } else if (last === undefined || tokens[at + 1]?.tokenType === last.closer || last.block) {
    const hint = "remove it, or open it before";
    reading.fault("unclosed-bracket", spanOf(reading, token), `\`${token.image}\` closes nothing`, { hint });
  } else {
    reportWrongCloser(reading, last, token);
    state.deep = open.pop()!.deep + 1;
    output.push({ ...token, tokenType: last.closer, tokenTypeIdx: last.closer.tokenTypeIdx! });
  }
}

/** Puts in the closer of the last bracket, behind the last token, because of what comes next. */
function closeLast(state: State, next: IToken | undefined): void {
  const { token, closer, deep } = state.open.pop()!;
  const previous = state.output.at(-1)!;
  const end = previous.startOffset + previous.image.length;
  state.deep = deep + 1;
  // A string that does not end on its line has swallowed the closer, and is reported itself.
  if (!isUnclosedString(previous)) reportUnclosed(state.reading, token, closer, end, next);
  state.output.push(inserted(closer, previous, end));
}

function isUnclosedString({ tokenType, image }: IToken): boolean {
  return tokenType === StringToken && !/^(["'])(?:[^\\]|\\.)*\1$/.test(image);
}

function limitDepth(state: State, token: IToken): void {
  if (deepens(token)) state.deep += token.tokenType === word("scan") ? SCAN_DEPTH : 1;
  const brackets = state.open.length > DEEPEST_BRACKETS;
  if (!brackets && state.deep <= DEEPEST_TREE) return;
  reportDepth(state.reading, token, brackets);
  state.output.length = state.declaration;
  state.open.length = 0;
  state.deep = 0;
  state.skipped = token;
}

/** Does a `{` behind this hold names? `import` may also be the name of a definition or a model. */
function holdsNames(before: readonly IToken[]): boolean {
  const [previous, last] = before.slice(-2);
  const beside = last ?? previous;
  if (beside?.tokenType === Symbols.dot) return true;
  return beside?.image === "import" && (last === undefined || !NAMING.has(previous!.image));
}

const NAMING = new Set(["cell", "layer", "dist", "model", "layout", "of", "."]);

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
