/** Where a text's lines begin; `\n`, `\r\n` and `\r` end a line. */
export interface Lines {
  readonly starts: readonly number[];
  readonly text: string;
}

export function linesOf(text: string): Lines {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return { starts, text };
}

/** The place of an offset: line and column from 1, columns in UTF-16 units as editors count them. */
export function placeOf(lines: Lines, offset: number): { readonly line: number; readonly column: number } {
  let low = 0;
  let high = lines.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines.starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - lines.starts[low]! + 1 };
}

/** A line's text without its end; `line` counts from 1. */
export function lineText(lines: Lines, line: number): string {
  const end = lines.starts[line] ?? lines.text.length;
  return lines.text.slice(lines.starts[line - 1], end).replace(/[\r\n]+$/, "");
}
