import type { IToken } from "chevrotain";
import type { Report } from "../base/diagnostic.ts";
import { attempt } from "./attempt.ts";
import { balance } from "./brackets.ts";
import { nodes } from "./cst.ts";
import { lex } from "./lex.ts";
import { readDeclaration } from "./read-declaration.ts";
import type { Documentation } from "./read-item.ts";
import { createReading, documentation, type Reading } from "./reading.ts";
import { readInParts } from "./recover.ts";
import type { Declaration, File } from "./tree.ts";

/**
 * Reads a source text. Never throws on any text: what cannot be read is reported, listed in `unread` and left out.
 * `file` is the path that spans and diagnostics name.
 */
export function parse(text: string, file: string, report: Report): File {
  const reading = createReading(text, file, report);
  const whole = reading.span(0, text.length);
  const empty: File = { kind: "file", span: whole, declarations: [], comments: [], unread: reading.unread };
  const { tokens, comments } = isText(reading) ? lex(reading) : { tokens: [], comments: [] };
  const declarations = readDeclarations(reading, balance(reading, tokens), documentation(comments, text));
  reading.finish();
  if (tokens.length === 0 && reading.unread.length === 0)
    report.add("empty-file", reading.span(0, 0), "the file has no declarations", {
      hint: "a file begins with `model Name(...) { ... }`, `cell`, `layer`, `dist`, `layout`, `train`, `generate` or `import`",
    });
  return { ...empty, declarations, comments };
}

/** Zero bytes mean another kind of file; replacement characters mean another encoding, and the rest may still be read. */
function isText(reading: Reading): boolean {
  const zero = reading.text.indexOf("\0");
  const hint = "save the file as UTF-8 text";
  if (zero >= 0) {
    reading.fault("not-text", reading.span(zero, zero + 1), "this is not a text file: it has a zero byte", { hint });
    return false;
  }
  const broken = reading.text.search(/\uFFFD|\p{Surrogate}/u);
  if (broken >= 0) reading.fault("not-text", reading.span(broken, broken + 1), "this file is not UTF-8 text", { hint });
  return true;
}

function readDeclarations(
  reading: Reading,
  tokens: readonly IToken[],
  documentation: Documentation,
): readonly Declaration[] {
  const whole = attempt("file", tokens);
  if (whole.kind === "read")
    return nodes(whole.cst, "declaration").map((declaration) => readDeclaration(reading, declaration, documentation));
  return readInParts(reading, tokens, documentation);
}
