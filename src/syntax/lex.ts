import type { IToken, TokenType } from "chevrotain";
import { createLexer, Identifier, Mistakes, NumberToken, StringToken, Symbols, word } from "../../grammar/tokens.ts";
import type { Fix } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Reading } from "./reading.ts";
import type { Comment } from "./tree.ts";

export interface Lexed {
  readonly tokens: readonly IToken[];
  readonly comments: readonly Comment[];
}

/** One lexer for all calls: it is a table; a call leaves nothing in it. */
const lexer = createLexer({ validate: false });

/** Text to tokens. What no token starts with is reported and left out; a known mistake becomes what was meant. */
export function lex(reading: Reading): Lexed {
  const { tokens, groups, errors } = lexer.tokenize(reading.text);
  const comments = (groups.comments ?? []).map((token) => comment(reading, token));
  for (const token of groups.mistakes ?? []) reportSkipped(reading, token);
  for (const { offset, length } of errors) {
    const span = reading.span(offset, offset + length);
    const text = reading.text.slice(offset, offset + length);
    reading.fault("unexpected-character", span, `${describeCharacters(text)} has no meaning here`, {
      hint: advice.find(([characters]) => characters.includes(text[0]!))?.[1],
    });
  }
  return { tokens: tokens.flatMap((token, at) => correct(reading, token, tokens[at - 1])), comments };
}

function comment(reading: Reading, token: IToken): Comment {
  const doc = token.image.startsWith("///") && !token.image.startsWith("////");
  return { span: spanOf(reading, token), text: token.image.slice(doc ? 3 : 2), doc };
}

export function spanOf(reading: Reading, token: IToken): Span {
  return reading.span(token.startOffset, token.startOffset + token.image.length);
}

function describeCharacters(text: string): string {
  const shown = [...text].slice(0, 20).join("");
  if (/^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(shown)) return `\`${shown}\``;
  return `the character U+${text.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Signs of other notations, and what to write. */
const advice: readonly (readonly [characters: string, hint: string])[] = [
  ["“”„«»", 'text stands in straight double quotes: "text"'],
  ["‘’´`", "the next value of a state has a straight prime: `c'`"],
  ["−–—", "minus is `-`"],
  ["×·∙⋅", "elementwise product is `*`, contraction is `@`"],
  ["÷", "division is `/`"],
  ["≤", "write `<=`"],
  ["≥", "write `>=`"],
  ["≠", "write `!=`"],
  ["∼", "write `~`"],
  ["→", "write `->`"],
  ["…", "nothing is left out: write every item"],
  ["&", "write `and`"],
  ["|", "write `or`"],
  ["\\", "a line needs no mark to go on: newlines mean nothing"],
  ["$", "a name is written with letters, digits and `_`"],
  ["?", "a choice is written `where(condition, a, b)`"],
];

function reportSkipped(reading: Reading, token: IToken): void {
  const span = spanOf(reading, token);
  const replace = (title: string, text: string): Fix => ({ title, edits: [{ span, text }] });
  if (token.tokenType === Mistakes.semicolon) {
    const fix = replace("remove it", "");
    reading.fault("unexpected-character", span, "items are not separated by `;`", { fix });
  } else if (token.tokenType === Mistakes.hashComment) {
    const fix = replace("write `//`", `//${token.image.slice(1)}`);
    reading.fault("unexpected-character", span, "a comment begins with `//`, not `#`", { fix });
  } else {
    const lines = token.image.replace(/^\/\*+|\*\/$/g, "").split(/\r\n|\n|\r/);
    const fix = replace("write `//` comments", lines.map((line) => `//${line.replace(/^\s*\*?/, "")}`).join("\n"));
    const open = reading.span(span.start, span.start + 2);
    const alone = /^[ \t]*(?:[\r\n]|$)/.test(reading.text.slice(span.end, span.end + 1000));
    const more = { hint: "begin each line with `//`", ...(alone ? { fix } : {}) };
    reading.fault("unexpected-character", open, "a comment begins with `//` and ends with its line", more);
  }
}

/** What was meant by a mistake, and how to say so. */
const meant: ReadonlyMap<TokenType, readonly [meant: TokenType, text: string, message: string]> = new Map([
  [Mistakes.and, [word("and"), "and", "`&&` is written `and`"] as const],
  [Mistakes.or, [word("or"), "or", "`||` is written `or`"] as const],
  [Mistakes.not, [word("not"), "not ", "`!` is written `not`"] as const],
  [Mistakes.caret, [Symbols.power, "**", "a power is written `**`"] as const],
]);

function correct(reading: Reading, token: IToken, previous: IToken | undefined): readonly IToken[] {
  const span = spanOf(reading, token);
  const replacement = meant.get(token.tokenType);
  if (replacement !== undefined) {
    const [type, text, message] = replacement;
    const fix = { title: `write \`${text.trim()}\``, edits: [{ span, text }] };
    reading.fault("unexpected-character", span, message, { fix });
    return [as(token, type)];
  }
  if (token.tokenType === Mistakes.unclosedString) {
    reading.fault("unclosed-string", span, "this string does not end on its line", { hint: 'close it with `"`' });
    return [as(token, StringToken)];
  }
  if (token.tokenType === Mistakes.singleQuoted) return singleQuoted(reading, token);
  if (token.tokenType === Mistakes.badNumber) {
    const product = /^(\d[\d_]*)([a-zA-Z]+)$/.exec(token.image);
    const hint = product
      ? `a product is written with \`*\`: \`${product[1]} * ${product[2]}\``
      : "a number is written 10_000, 0.5 or 1e-3";
    reading.fault("bad-number", span, `\`${token.image}\` is neither a number nor a name`, { hint });
    return [as(token, NumberToken)];
  }
  return token.tokenType === Mistakes.foreign ? foreign(reading, token, previous) : [token];
}

function singleQuoted(reading: Reading, token: IToken): readonly IToken[] {
  const span = spanOf(reading, token);
  const closed = token.image.length > 1 && token.image.endsWith("'");
  if (!closed) {
    const hint = "a prime stands directly behind a name: `c'`; text stands in double quotes";
    reading.fault("unexpected-character", reading.span(span.start, span.start + 1), "`'` has no meaning here", {
      hint,
    });
    return [];
  }
  const text = JSON.stringify(token.image.slice(1, -1));
  const fix = { title: "use double quotes", edits: [{ span, text }] };
  reading.fault("unexpected-character", span, "text stands in double quotes", { fix });
  return [as(token, StringToken)];
}

/** Letters beyond ASCII make a name, so that one odd name is one error; other signs are dropped. */
function foreign(reading: Reading, token: IToken, previous: IToken | undefined): readonly IToken[] {
  const joined = previous !== undefined && previous.endOffset! + 1 === token.startOffset && /^\w/.test(previous.image);
  const start = joined ? previous.startOffset : token.startOffset;
  const span = reading.span(start, token.endOffset! + 1);
  const text = reading.text.slice(start, span.end);
  if (token.image.includes("\uFFFD") || !token.image.isWellFormed()) return []; // not text: reported for the file
  if (/^[\p{L}\p{M}\p{N}_]+$/u.test(token.image)) {
    const hint = "names are written with the letters a to z and A to Z, digits and `_`";
    reading.fault("unexpected-character", span, `\`${text}\` is not a name`, { hint, words: [text] });
    return joined ? [] : [as(token, Identifier)];
  }
  const hint = advice.find(([characters]) => [...token.image].some((sign) => characters.includes(sign)))?.[1];
  const own = spanOf(reading, token);
  reading.fault("unexpected-character", own, `${describeCharacters(token.image)} has no meaning here`, { hint });
  return [];
}

/** The token with another type; only the type decides what the grammar makes of it. */
function as(token: IToken, tokenType: TokenType): IToken {
  return { ...token, tokenType, tokenTypeIdx: tokenType.tokenTypeIdx! };
}
