/**
 * A text of the user's that is to stand in a comment, which it cannot end: what closes a comment is taken apart, and only `\n` stays of
 * what TypeScript takes for the end of a line.
 */
export function inComment(text: string): string {
  return text.replace(/[\r\u2028\u2029]/g, " ").replace(/\*(?=\/)/g, "* ");
}

/** The same on one line. */
export function inLine(text: string): string {
  return inComment(text).replace(/\s*\n\s*/g, " ");
}
