/** The offset behind the next `{` after `from` that does not stand in a comment. */
export function afterBrace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "{") {
    if (text.startsWith("//", at)) while (at < text.length && text[at] !== "\n" && text[at] !== "\r") at++;
    else at++;
  }
  return at + 1;
}
