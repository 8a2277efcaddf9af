import { type Comments, commentText } from "./comments.ts";

/** One thing in a block: where it stood, and its new text without indentation of the first line. */
export interface Entry {
  readonly span: { readonly start: number; readonly end: number };
  print(): string;
}

export interface Block {
  readonly entries: readonly Entry[];
  /** Where what stands in the block begins and ends in the source. */
  readonly start: number;
  readonly end: number;
  readonly margin: number;
}

interface Line {
  readonly text: string;
  readonly blankBefore: boolean;
  readonly comment: string | undefined;
}

/**
 * The lines of a block: entries and the comments between them, one blank line where the author left any, comments behind
 * neighbouring lines in one column. A comment inside an entry that found no place there stands above it, as `//`, so
 * that it documents nothing new.
 */
export function blockLines(comments: Comments, block: Block): readonly string[] {
  const lines: Line[] = [];
  const { text } = comments;
  const indentation = " ".repeat(block.margin);
  let previous = block.start;
  const push = (content: string, start: number, end: number, comment?: string) => {
    const blankBefore = lines.length > 0 && hasBlankLine(text, previous, start);
    lines.push({ text: indentation + content, blankBefore, comment });
    previous = Math.max(previous, end);
  };
  for (const [at, entry] of block.entries.entries()) {
    const { start, end } = entry.span;
    const above = comments.before(start);
    const printed = entry.print();
    const first = above[0]?.span.start ?? start;
    for (const homeless of comments.before(end)) push(`//${homeless.text.trimEnd()}`, first, first);
    for (const comment of above) push(commentText(comment), comment.span.start, comment.span.end);
    const behind = comments.trailing(end, block.entries[at + 1]?.span.start ?? block.end);
    push(printed, start, behind?.span.end ?? end, behind && commentText(behind));
  }
  for (const comment of comments.before(block.end)) push(commentText(comment), comment.span.start, comment.span.end);
  return withComments(lines);
}

function hasBlankLine(text: string, from: number, to: number): boolean {
  return /(?:\n|\r(?!\n))[^\S\n\r]*\r?(?:\n|\r(?!\n))/.test(text.slice(from, to));
}

/** Puts the comments of each run of neighbouring one-line entries in one column. */
function withComments(lines: readonly Line[]): readonly string[] {
  const columns = lines.map(() => 0);
  for (let at = 0; at < lines.length; ) {
    let end = at;
    while (end < lines.length && inRun(lines[end]!) && (end === at || !lines[end]!.blankBefore)) end++;
    const column = Math.max(0, ...lines.slice(at, end).map((line) => line.text.length)) + 2;
    columns.fill(column, at, end);
    at = Math.max(end, at + 1);
  }
  return lines.flatMap(({ text, comment, blankBefore }, at) => {
    const last = text.slice(text.lastIndexOf("\n") + 1);
    const gap = Math.max(2, columns[at]! - last.length);
    return [...(blankBefore ? [""] : []), comment === undefined ? text : text + " ".repeat(gap) + comment];
  });
}

function inRun({ text, comment }: Line): boolean {
  return comment !== undefined && !text.includes("\n");
}

/**
 * Which neighbours stand in one run, so that parts of them are aligned: no blank line and no comment of its own line
 * between, and no comment inside the later one.
 */
export function neighbours(text: string, before: Entry["span"], after: Entry["span"]): boolean {
  const gap = text.slice(before.end, after.start);
  const below = gap.replace(/^[^\n\r]*/, "");
  const inside = text.slice(after.start, after.end);
  return !below.includes("//") && !hasBlankLine(gap, 0, gap.length) && !hasComment(inside);
}

function hasComment(source: string): boolean {
  return source.replace(/"(?:[^"\\\n\r]|\\.)*"/g, "").includes("//");
}
