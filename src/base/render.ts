import type { Diagnostic, Fix, Related } from "./diagnostic.ts";
import { type Lines, linesOf, lineText, placeOf } from "./lines.ts";
import type { Span } from "./span.ts";

export interface RenderOptions {
  readonly color?: boolean;
}

/**
 * A diagnostic as a terminal shows it: code and message, `file:line:column`, the user's line with carets under it, every
 * other place that matters in the same way, the hint and what `--fix` would do. No newline at the end.
 * A span in a file that `sources` lacks shows its file only.
 */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  sources: ReadonlyMap<string, string>,
  options: RenderOptions = {},
): string {
  const paint = options.color ? painted : plain;
  const lines = sourceLines(sources);
  const strong = diagnostic.severity === "error" ? paint.error : paint.warning;
  const width = gutterWidth(lines, [diagnostic, ...diagnostic.related]);
  const margin = " ".repeat(width);
  return [
    `${strong(`${diagnostic.severity}[${diagnostic.code}]`)}${paint.bold(`: ${diagnostic.message.split("\n").map(clean).join("\n")}`)}`,
    ...excerpt(lines(diagnostic.span.file), diagnostic.span, width, paint, strong),
    ...diagnostic.related.flatMap(({ span, message }) => [
      `${paint.note("note")}: ${clean(message)}`,
      ...excerpt(lines(span.file), span, width, paint, paint.note),
    ]),
    ...(diagnostic.hint === undefined ? [] : [`${margin} ${paint.note("= hint:")} ${clean(diagnostic.hint)}`]),
    ...(diagnostic.fix === undefined ? [] : [`${margin} ${paint.fix("= fix:")} ${clean(diagnostic.fix.title)}`]),
  ].join("\n");
}

type Paint = Record<"error" | "warning" | "note" | "fix" | "bold" | "dim", (text: string) => string>;

const ansi = (code: string) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const painted: Paint = {
  error: ansi("1;31"),
  warning: ansi("1;33"),
  note: ansi("1;36"),
  fix: ansi("1;32"),
  bold: ansi("1"),
  dim: ansi("34"),
};
const same = (text: string) => text;
const plain: Paint = { error: same, warning: same, note: same, fix: same, bold: same, dim: same };

type LinesByFile = (file: string) => Lines | undefined;

function sourceLines(sources: ReadonlyMap<string, string>): LinesByFile {
  const known = new Map<string, Lines>();
  return (file) => {
    const text = sources.get(file);
    if (text === undefined) return undefined;
    const lines = known.get(file) ?? linesOf(text);
    known.set(file, lines);
    return lines;
  };
}

function gutterWidth(lines: LinesByFile, places: readonly { readonly span: Span }[]): number {
  const last = places.map(({ span }) => {
    const source = lines(span.file);
    return source === undefined ? 1 : placeOf(source, Math.max(span.start, span.end)).line;
  });
  return String(Math.max(...last)).length;
}

/** At most this many lines of one span are shown; the middle of a longer one is left out. */
const MOST_LINES = 6;
/** A line is cut to this many columns around its carets. */
const WIDEST = 160;
const TAB = 4;

function excerpt(
  source: Lines | undefined,
  span: Span,
  width: number,
  paint: Paint,
  strong: (text: string) => string,
): readonly string[] {
  const margin = " ".repeat(width);
  if (source === undefined) return [`${margin}${paint.dim("-->")} ${span.file}`];
  const first = placeOf(source, span.start);
  const last = placeOf(source, Math.max(span.start, span.end - 1));
  const numbers = shownLines(first.line, last.line);
  return [
    `${margin}${paint.dim("-->")} ${clean(span.file)}:${first.line}:${first.column}`,
    `${margin} ${paint.dim("|")}`,
    ...numbers.flatMap((number) => {
      if (number === undefined) return [paint.dim("...")];
      const text = lineText(source, number);
      const from = number === first.line ? first.column - 1 : text.search(/\S|$/);
      const to =
        number === last.line
          ? Math.max(from + 1, Math.min(text.length, span.end - source.starts[number - 1]!))
          : text.length;
      const { shown, before, under } = underline(text, from, to);
      const label = String(number).padStart(width);
      const carets =
        under === 0 ? [] : [`${margin} ${paint.dim("|")} ${" ".repeat(before)}${strong("^".repeat(under))}`];
      return [shown === "" ? paint.dim(`${label} |`) : `${paint.dim(`${label} |`)} ${shown}`, ...carets];
    }),
  ];
}

function shownLines(first: number, last: number): readonly (number | undefined)[] {
  const all = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
  if (last - first < MOST_LINES) return all(first, last);
  return [...all(first, first + MOST_LINES / 2 - 1), undefined, ...all(last - MOST_LINES / 2 + 1, last)];
}

/** A line as shown, and where its carets go, in columns of the terminal; tabs become spaces, a long line is cut. */
function underline(text: string, from: number, to: number): { shown: string; before: number; under: number } {
  const cells: { readonly text: string; readonly at: number }[] = [];
  let column = 0;
  const columns: number[] = [];
  for (const character of text) {
    const shown = character === "\t" ? " ".repeat(TAB - (column % TAB)) : clean(character);
    cells.push({ text: shown, at: column });
    for (let unit = 0; unit < character.length; unit++) columns.push(column);
    column += character === "\t" ? shown.length : displayWidth(character);
  }
  const columnAt = (unit: number) => columns[unit] ?? column + Math.max(0, unit - columns.length);
  const [start, end] = [columnAt(from), Math.max(columnAt(from) + 1, columnAt(to))];
  if (column <= WIDEST)
    return { shown: cells.map((cell) => cell.text).join(""), before: start, under: blank(text, end - start) };
  const left = Math.max(0, Math.min(start - WIDEST / 4, column - WIDEST));
  const kept = cells.filter(({ at }) => at >= left && at < left + WIDEST).map((cell) => cell.text);
  const lead = left > 0 ? "…" : "";
  const tail = left + WIDEST < column ? "…" : "";
  const under = Math.max(1, Math.min(end, left + WIDEST) - start);
  return { shown: lead + kept.join("") + tail, before: start - left + lead.length, under };
}

function blank(text: string, under: number): number {
  return text.trim() === "" && under > 1 ? 0 : under;
}

/** Columns of a terminal: none for marks, two for wide letters and pictures. */
function displayWidth(character: string): number {
  if (/\p{M}/u.test(character)) return 0;
  return /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1;
}

/** Nothing of a source may steer the terminal: control characters are shown as one sign. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028-\u202E\u2066-\u2069\u200E\u200F]/gu, "\uFFFD");
}

/** A place in a file, lines and columns from 1; the end is behind the last character. */
interface JsonPlace {
  readonly file: string;
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

export interface JsonDiagnostic extends JsonPlace {
  readonly code: Diagnostic["code"];
  readonly severity: Diagnostic["severity"];
  readonly message: string;
  readonly related: readonly (JsonPlace & { readonly message: string })[];
  readonly hint?: string;
  readonly fix?: { readonly title: string; readonly edits: readonly (JsonPlace & { readonly text: string })[] };
}

/** A diagnostic for other tools: the same content with places as lines and columns, both from 1. */
export function diagnosticToJson(diagnostic: Diagnostic, sources: ReadonlyMap<string, string>): JsonDiagnostic {
  const lines = sourceLines(sources);
  const place = ({ file, start, end }: Span): JsonPlace => {
    const source = lines(file) ?? { starts: [0], text: "" };
    return { file, start: placeOf(source, start), end: placeOf(source, end) };
  };
  const related = ({ span, message }: Related) => ({ ...place(span), message });
  const fix = ({ title, edits }: Fix) => ({ title, edits: edits.map(({ span, text }) => ({ ...place(span), text })) });
  return {
    ...place(diagnostic.span),
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    related: diagnostic.related.map(related),
    ...(diagnostic.hint === undefined ? {} : { hint: diagnostic.hint }),
    ...(diagnostic.fix === undefined ? {} : { fix: fix(diagnostic.fix) }),
  };
}
