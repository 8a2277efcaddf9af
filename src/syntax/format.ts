import { blockLines, type Entry } from "./block.ts";
import { type Comments, commentText, createComments, listParts } from "./comments.ts";
import { type Doc, group, indent, join, line } from "./doc.ts";
import { atMargin, itemEntries } from "./format-item.ts";
import { generateEntries, trainEntries } from "./format-train.ts";
import { LEVEL } from "./precedence.ts";
import { bracketed, expressionDoc, quote, SCAN } from "./print.ts";
import { afterBrace } from "./source.ts";
import type { Declaration, Definition, Expect, File, Generate, Import, Train } from "./tree.ts";

/**
 * The canonical text of a file. `text` is the source that the tree was read from: comments and blank lines come from it.
 * The result reads back to the same tree, and formats to itself. A file with unread parts comes back as it was.
 */
export function format(file: File, text: string): string {
  if (file.unread.length > 0) return text;
  const comments = createComments(file, text);
  const entries = file.declarations.map(
    (declaration): Entry => ({
      span: declaration.span,
      print: () => declarationText(comments, declaration),
    }),
  );
  const lines = blockLines(comments, { entries, start: 0, end: text.length + 1, margin: 0 });
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function declarationText(comments: Comments, declaration: Declaration): string {
  switch (declaration.kind) {
    case "import":
      return atMargin(importDoc(comments, declaration), 0);
    case "expect":
      return atMargin(["expect ", expressionDoc(declaration.value, comments), unitText(declaration)], 0);
    case "definition":
      return definitionText(comments, declaration);
    case "train":
      return withBody(comments, declaration, trainEntries(comments, declaration.clauses, 2));
    case "generate":
      return withBody(comments, declaration, generateEntries(comments, declaration.clauses, 2));
  }
}

function unitText({ unit }: Expect): string {
  return unit === undefined ? "" : ` ${unit.name}`;
}

function importDoc(comments: Comments, { names, from }: Import): Doc {
  const parts = listParts(comments, names, from.span.start, ({ name, as }) =>
    as === undefined ? name.text : `${name.text} as ${as.text}`,
  );
  return [group("import {", indent(2, line, join(parts, line)), line, "}"), " from ", quote(from.value)];
}

function definitionText(comments: Comments, definition: Definition): string {
  const { definitionKind, name, parameters, items, span } = definition;
  const start = afterBrace(comments.text, parameters.at(-1)?.span.end ?? name.span.end);
  const parts = listParts(comments, parameters, start, ({ name: { text }, default: value }) =>
    value === undefined ? text : [text, " = ", expressionDoc(value, comments, SCAN)],
  );
  const list = parts.length === 0 ? "" : bracketed("(", parts, ")");
  const head = atMargin([definitionKind, " ", name.text, list, " {"], 0);
  return body(comments, head, itemEntries(comments, items, 2), start, span.end - 1);
}

function withBody(comments: Comments, declaration: Train | Generate, entries: readonly Entry[]): string {
  const { kind, name, model, span } = declaration;
  const start = afterBrace(comments.text, model.span.end);
  const head = atMargin([kind, " ", name.text, " of ", expressionDoc(model, comments, LEVEL.postfix), " {"], 0);
  return body(comments, head, entries, start, span.end - 1);
}

function body(comments: Comments, head: string, entries: readonly Entry[], start: number, end: number): string {
  const beside = comments.trailing(start, entries[0]?.span.start ?? end);
  const lines = blockLines(comments, { entries, start: beside?.span.end ?? start, end, margin: 2 });
  if (lines.length === 0 && beside === undefined) return `${head}}`;
  return [beside === undefined ? head : `${head}  ${commentText(beside)}`, ...lines, "}"].join("\n");
}
