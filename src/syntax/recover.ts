import type { CstNode, IToken } from "chevrotain";
import { Symbols } from "../../grammar/tokens.ts";
import { attempt, type Start } from "./attempt.ts";
import { explain } from "./explain.ts";
import { readDeclaration, readGenerateClauses, readItems, readTrainClauses } from "./read-declaration.ts";
import type { Documentation } from "./read-item.ts";
import type { Reading } from "./reading.ts";
import type { Declaration } from "./tree.ts";
import { continuesClause, definesNames, endsOperand, isItemWord, isName, startsItem, startsLine } from "./words.ts";

/**
 * Reads a file that has errors: declaration by declaration, and a broken one item by item, so that every part that is
 * right stays in the tree and every part that is wrong is reported once. Brackets have been balanced before.
 */
export function readInParts(
  reading: Reading,
  tokens: readonly IToken[],
  documentation: Documentation,
): readonly Declaration[] {
  return split(tokens, startsPart).flatMap((part) => {
    if (isHopeless(reading, part)) return [];
    const result = attempt("declaration", part);
    if (result.kind === "read") return [readDeclaration(reading, result.cst, documentation)];
    const body = bodyOf(part);
    if (body !== undefined) return readBroken(reading, part, body, documentation);
    explain(reading, "declaration", result.error, part);
    return [];
  });
}

/** With so many faults the file is not what it should be: the rest is left out, without trying each part. */
const HOPELESS = 1000;

function isHopeless(reading: Reading, part: readonly IToken[]): boolean {
  if (reading.unread.length < HOPELESS) return false;
  const [first, last] = [part[0]!, part.at(-1)!];
  reading.unread.push({ span: reading.span(first.startOffset, last.endOffset! + 1), words: [] });
  return true;
}

/** What stands in the braces of a declaration. */
interface Body {
  readonly start: Start;
  readonly open: number;
  readonly close: number;
}

const BODIES: Readonly<Record<string, Start>> = {
  cell: "items",
  layer: "items",
  dist: "items",
  model: "items",
  layout: "items",
  train: "trainClauses",
  generate: "generateClauses",
};

function bodyOf(part: readonly IToken[]): Body | undefined {
  const start = BODIES[part[0]!.image];
  const open = part.findIndex(
    (token, at) => token.tokenType === Symbols.openBrace && part[at - 1]?.tokenType !== Symbols.dot,
  );
  const close = part.length - 1;
  if (start === undefined || open < 0 || part[close]!.tokenType !== Symbols.closeBrace) return undefined;
  return { start, open, close };
}

/** The declaration with an empty body, then every item that can be read. */
function readBroken(
  reading: Reading,
  part: readonly IToken[],
  body: Body,
  documentation: Documentation,
): readonly Declaration[] {
  const head = [...part.slice(0, body.open + 1), part[body.close]!];
  const result = attempt("declaration", head);
  if (result.kind === "failed") explain(reading, "declaration", result.error, head);
  const items = split(part.slice(body.open + 1, body.close), startsItemPart).flatMap((item) => {
    if (isHopeless(reading, item)) return [];
    const attempted = attempt(body.start, item);
    if (attempted.kind === "read") return [attempted.cst];
    explain(reading, body.start, attempted.error, item);
    return [];
  });
  if (result.kind === "failed") return [];
  return [withItems(reading, readDeclaration(reading, result.cst, documentation), items, documentation)];
}

function withItems(
  reading: Reading,
  declaration: Declaration,
  parts: readonly CstNode[],
  documentation: Documentation,
): Declaration {
  switch (declaration.kind) {
    case "definition":
      return { ...declaration, items: parts.flatMap((part) => readItems(reading, part, documentation)) };
    case "train":
      return { ...declaration, clauses: parts.flatMap((part) => readTrainClauses(reading, part)) };
    case "generate":
      return { ...declaration, clauses: parts.flatMap((part) => readGenerateClauses(reading, part)) };
    case "import":
    case "expect":
      return declaration;
  }
}

type StartsPart = (tokens: readonly IToken[], at: number, start: number) => boolean;

/** Cuts tokens outside all brackets, wherever a part starts. */
function split(tokens: readonly IToken[], starts: StartsPart): readonly (readonly IToken[])[] {
  const cuts: number[] = [];
  let depth = 0;
  for (const [at, { tokenType }] of tokens.entries()) {
    if (at === 0 || (depth === 0 && starts(tokens, at, cuts.at(-1)!))) cuts.push(at);
    if (opening.has(tokenType)) depth++;
    if (closing.has(tokenType)) depth--;
  }
  return cuts.map((cut, index) => tokens.slice(cut, cuts[index + 1]));
}

const opening = new Set([Symbols.openParen, Symbols.openBracket, Symbols.openBrace]);
const closing = new Set([Symbols.closeParen, Symbols.closeBracket, Symbols.closeBrace]);

const startsPart: StartsPart = (tokens, at, start) => {
  const [token, previous] = [tokens[at]!, tokens[at - 1]!];
  if (previous.tokenType === Symbols.closeBrace && tokens[start]!.image !== "import") return true;
  if (!startsLine(tokens, at) || !isName(token)) return false;
  return BODIES[token.image] !== undefined || (endsOperand(previous) && token.image !== "of");
};

const startsItemPart: StartsPart = (tokens, at) => {
  const [token, previous] = [tokens[at]!, tokens[at - 1]!];
  if (!startsLine(tokens, at) || !isName(token)) return false;
  if (previous.tokenType === Symbols.comma)
    return isItemWord(token.image) && !definesNames(tokens, at) && startsItem(tokens, at);
  if (!endsOperand(previous)) return startsItem(tokens, at);
  return startsItem(tokens, at) || !continuesClause(token.image);
};
