import { type Comments, listParts, noComments } from "./comments.ts";
import { type Doc, group } from "./doc.ts";
import { LEVEL } from "./precedence.ts";
import { expressionDoc, filled } from "./print.ts";
import type { Mapping } from "./tree.ts";

/** `"a" + "b" -> W.{i, f}, U` */
export function mappingDoc(comments: Comments, { source, targets }: Mapping): Doc {
  // Texts joined by `+`; the grammar takes nothing else.
  const left = expressionDoc(source, noComments, LEVEL["+"]);
  const parts = listParts(comments, targets, undefined, (target) => expressionDoc(target, comments, LEVEL.postfix));
  return group(left, " -> ", filled(parts));
}
