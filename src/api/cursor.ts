import type { IToken } from "chevrotain";
import { createReport } from "../base/report.ts";
import { lex } from "../syntax/lex.ts";
import { createReading } from "../syntax/reading.ts";
import { isName, startsLine } from "../syntax/words.ts";

/** What stands around a place in a text, which may not be readable there. */
export interface Cursor {
  /** The word that the place is in or behind; its beginning is the place where there is none. */
  readonly word: { readonly start: number; readonly end: number; readonly text: string };
  /** Whether the word is the first on its line, or behind an opening brace. */
  readonly begins: boolean;
  /** The token before the word. */
  readonly before: string | undefined;
  /** The names before a dot that stands before the word: `["std"]` of `std.`. */
  readonly object: readonly string[];
  /** What brackets around it belong to, outermost first: `model`, `Linear`, `[`. */
  readonly around: readonly string[];
  /** The words of the declaration that it is in, in order; none outside. */
  readonly declaration: readonly string[];
  /** Words of the line before it. */
  readonly line: readonly string[];
}

/** Looks at a place; undefined inside of comments and strings. */
export function cursorAt(text: string, offset: number): Cursor | undefined {
  const { tokens, comments } = lex(createReading(text, "", createReport()));
  if (comments.some(({ span }) => span.start < offset && offset <= span.end)) return undefined;
  const at = tokens.findIndex((token) => token.startOffset + token.image.length >= offset);
  const token = tokens[at];
  if (token?.image.startsWith('"') && token.startOffset < offset) return undefined;
  const isIn = token !== undefined && isName(token) && token.startOffset <= offset;
  const place = isIn ? at : tokens.filter(({ startOffset }) => startOffset < offset).length;
  const word = isIn
    ? { start: token.startOffset, end: token.startOffset + token.image.length, text: token.image }
    : { start: offset, end: offset, text: "" };
  const before = tokens[place - 1];
  const open = openBrackets(tokens.slice(0, place));
  const first = open[0];
  const head = first === undefined ? undefined : headOf(tokens, first);
  return {
    word,
    begins: before === undefined || before.image === "{" || isAlone(text, word.start, before),
    before: before?.image,
    object: objectBefore(tokens, place),
    around: open.map((bracket) => ownerOf(tokens, bracket)),
    declaration: head === undefined ? [] : wordsOf(tokens, head, word.start),
    line: wordsOfLine(tokens, place),
  };
}

function isAlone(text: string, start: number, before: IToken): boolean {
  return text.slice(before.startOffset + before.image.length, start).includes("\n");
}

/** The brackets that are open behind the tokens, by their places. */
function openBrackets(tokens: readonly IToken[]): readonly number[] {
  const open: number[] = [];
  tokens.forEach(({ image }, place) => {
    if (image === "{" || image === "(" || image === "[") open.push(place);
    if (image === "}" || image === ")" || image === "]") open.pop();
  });
  return open;
}

/** The declaration's word for its brace, the name before any other bracket, else the bracket itself. */
function ownerOf(tokens: readonly IToken[], bracket: number): string {
  const { image } = tokens[bracket] ?? { image: "" };
  const before = tokens[bracket - 1];
  if (image === "{") return tokens[headOf(tokens, bracket)]?.image ?? image;
  return image === "(" && before !== undefined && isName(before) ? before.image : image;
}

/** Where the declaration begins whose brace this is: the first token of its line. */
function headOf(tokens: readonly IToken[], bracket: number): number {
  let at = bracket;
  while (at > 0 && !startsLine(tokens, at)) at--;
  return at;
}

function objectBefore(tokens: readonly IToken[], place: number): readonly string[] {
  const names: string[] = [];
  for (let at = place - 1; tokens[at]?.image === "." && isName(tokens[at - 1]); at -= 2)
    names.unshift(tokens[at - 1]?.image ?? "");
  return names;
}

/** The names in the brackets from `head` on, but the one that begins at `except`. */
function wordsOf(tokens: readonly IToken[], head: number, except: number): readonly string[] {
  const words: string[] = [];
  let depth = 0;
  for (let at = head; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.image === "{") depth++;
    if (token.image === "}" && --depth === 0) break;
    if (isName(token) && token.startOffset !== except) words.push(token.image);
  }
  return words;
}

function wordsOfLine(tokens: readonly IToken[], place: number): readonly string[] {
  let first = place;
  while (first > 0 && tokens[first - 1]?.startLine === tokens[place - 1]?.startLine) first--;
  return tokens.slice(first, place).map(({ image }) => image);
}
