import type { DiagnosticCode } from "../base/codes.ts";
import type { Fix, Related, Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Comment, Unread } from "./tree.ts";

/** More faults than this in one file are counted, not listed: the file is of another kind, or one mistake repeated. */
const MOST_FAULTS = 100;

/** What one reading of a file carries: where faults go, and what stands above a line. */
export interface Reading {
  readonly file: string;
  readonly text: string;
  readonly unread: Unread[];
  span(start: number, end: number): Span;
  /** Notes a fault and marks the file as not wholly read. */
  fault(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more?: {
      related?: readonly Related[];
      hint?: string | undefined;
      fix?: Fix | undefined;
      words?: readonly string[];
    },
  ): void;
  /** Hands the faults to the report, in the order of the source. */
  finish(): void;
}

export function createReading(text: string, file: string, report: Report): Reading {
  const unread: Unread[] = [];
  const faults: Parameters<Report["add"]>[] = [];
  return {
    file,
    text,
    unread,
    span: (start, end) => ({ file, start, end }),
    fault(code, span, message, { words = [], ...more } = {}) {
      unread.push({ span, words });
      faults.push([code, span, message, more]);
    },
    finish() {
      faults.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
      for (const fault of faults.slice(0, MOST_FAULTS)) report.add(...fault);
      const next = faults[MOST_FAULTS];
      if (next !== undefined)
        report.add("too-many-errors", next[1], `${faults.length - MOST_FAULTS} more errors are not listed`);
    },
  };
}

/**
 * The documentation of what starts at an offset: the `///` lines directly above, joined by newlines,
 * one leading blank and all trailing ones of each removed. Only the first thing on a line has any.
 */
export function documentation(comments: readonly Comment[], text: string): (start: number) => string | undefined {
  const byEnd = new Map<number, Comment>();
  for (const comment of comments)
    if (comment.doc && startsLine(text, comment.span.start)) byEnd.set(comment.span.end, comment);
  return (start) => {
    const lines: string[] = [];
    if (byEnd.size === 0) return undefined;
    for (let at = lineAbove(text, start); at !== undefined; ) {
      const comment = byEnd.get(at);
      if (comment === undefined) break;
      lines.unshift(comment.text.replace(/^ /, "").trimEnd());
      at = lineAbove(text, comment.span.start);
    }
    return lines.length === 0 ? undefined : lines.join("\n");
  };
}

function startsLine(text: string, offset: number): boolean {
  return lineAbove(text, offset) !== undefined || text.slice(0, offset).trim() === "";
}

/** Where the line above ends, if only blanks stand before `offset` on its own line. */
function lineAbove(text: string, offset: number): number | undefined {
  let at = offset - 1;
  while (at >= 0 && (text[at] === " " || text[at] === "\t")) at--;
  if (text[at] === "\n") return text[at - 1] === "\r" ? at - 1 : at;
  return text[at] === "\r" ? at : undefined;
}
