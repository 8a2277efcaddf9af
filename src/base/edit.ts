import type { Fix } from "./diagnostic.ts";

type Edit = Fix["edits"][number];

/**
 * Applies fixes to one file's text. A fix is taken whole or not at all: one that overlaps a fix before it in the list is
 * left for the next run, when its diagnostic has a new place. Edits of other files are the caller's to sort out.
 */
export function applyFixes(text: string, fixes: readonly Fix[]): string {
  const taken: Edit[] = [];
  for (const { edits } of fixes) {
    const apart = edits.every((edit, at) => [...taken, ...edits.slice(0, at)].every((other) => !overlap(edit, other)));
    if (apart && edits.every(({ span }) => span.start >= 0 && span.start <= span.end && span.end <= text.length))
      taken.push(...edits);
  }
  taken.sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
  let result = "";
  let end = 0;
  for (const { span, text: inserted } of taken) {
    result += text.slice(end, span.start) + inserted;
    end = span.end;
  }
  return result + text.slice(end);
}

/** Two insertions at one place overlap too: their order would be a guess. */
function overlap({ span: a }: Edit, { span: b }: Edit): boolean {
  return a.start === b.start || (a.start < b.end && b.start < a.end);
}
