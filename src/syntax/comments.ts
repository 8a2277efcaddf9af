import { type Doc, force, hardLine } from "./doc.ts";
import type { Comment, File } from "./tree.ts";

/** Hands out a file's comments in source order, each once, to whoever prints what stands next to them. */
export interface Comments {
  /** Comments that begin before an offset. */
  before(offset: number): readonly Comment[];
  /** The comment behind `end` on its line, if it begins before `limit` and nothing but commas stands between. */
  trailing(end: number, limit: number): Comment | undefined;
  readonly text: string;
}

export function createComments(file: File, text: string): Comments {
  let next = 0;
  return {
    text,
    before(offset) {
      const first = next;
      while (next < file.comments.length && file.comments[next]!.span.start < offset) next++;
      return file.comments.slice(first, next);
    },
    trailing(end, limit) {
      const comment = file.comments[next];
      if (comment === undefined || comment.span.start < end || comment.span.start >= limit) return undefined;
      if (!/^[^\S\n\r]*,?[^\S\n\r]*$/.test(text.slice(end, comment.span.start))) return undefined;
      next++;
      return comment;
    },
  };
}

/** Where there are none: an expression in a message. */
export const noComments: Comments = { text: "", before: () => [], trailing: () => undefined };

export function commentText(comment: Comment): string {
  return `${comment.doc ? "///" : "//"}${comment.text.trimEnd()}`;
}

interface Placed {
  readonly span: { readonly start: number; readonly end: number };
}

/**
 * The elements of a list, each with its comma and the comments beside it: those in front on lines of their own, those
 * behind at the end of the line. `end` is where the list's bracket closes; without one, a comment behind the last
 * element is left to what encloses the list.
 */
export function listParts<T extends Placed>(
  comments: Comments,
  elements: readonly T[],
  end: number | undefined,
  print: (element: T) => Doc,
): readonly Doc[] {
  const parts = elements.map((element, at): Doc => {
    const before = comments.before(element.span.start).map((comment) => [commentText(comment), hardLine]);
    const printed = print(element);
    const following = elements[at + 1]?.span.start ?? end;
    const behind = following === undefined ? undefined : comments.trailing(element.span.end, following);
    const comma = at === elements.length - 1 ? "" : ",";
    return [before, printed, comma, behind === undefined ? "" : ["  ", commentText(behind), force]];
  });
  const rest = end === undefined ? [] : comments.before(end).map((comment): Doc => [commentText(comment), force]);
  return [...parts, ...rest];
}
