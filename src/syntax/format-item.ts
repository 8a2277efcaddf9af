import { type Entry, neighbours } from "./block.ts";
import { type Comments, listParts, noComments } from "./comments.ts";
import { type Doc, group, join, layOut } from "./doc.ts";
import { mappingDoc } from "./format-mapping.ts";
import { LEVEL } from "./precedence.ts";
import { bracketed, expressionDoc, filled, membersText, SCAN, sizeDoc } from "./print.ts";
import type {
  Drawn,
  EmitItem,
  Equation,
  Index,
  Item,
  ParamDeclarator,
  Target,
  Typed,
  TypeExpression,
  Use,
} from "./tree.ts";

/** The width that the formatter keeps to where it can. */
export const WIDTH = 120;

/** A document at a margin, without the indentation of its first line. */
export function atMargin(doc: Doc, margin: number): string {
  return layOut(doc, { width: WIDTH, margin, column: margin });
}

/** Items whose keywords have one width where they follow one another. */
const ALIGNED: ReadonlySet<Item["kind"]> = new Set(["in", "of", "state", "param", "noise", "latent", "use", "tie"]);

/** Left sides of neighbouring equations are aligned while they differ by no more than this. */
const FARTHEST = 6;

export function itemEntries(comments: Comments, items: readonly Item[], margin: number): readonly Entry[] {
  const keywords = keywordWidths(items);
  const sides = leftWidths(comments.text, items);
  return items.map((item, at) => ({
    span: item.span,
    print: () => atMargin(itemDoc(comments, item, item.kind === "equation" ? sides[at]! : keywords[at]!), margin),
  }));
}

function keywordWidths(items: readonly Item[]): readonly number[] {
  const widths = items.map((item) => item.kind.length);
  for (let at = 0; at < items.length; ) {
    let end = at;
    while (end < items.length && ALIGNED.has(items[end]!.kind)) end++;
    if (end > at) widths.fill(Math.max(...widths.slice(at, end)), at, end);
    at = Math.max(end, at + 1);
  }
  return widths;
}

function leftWidths(text: string, items: readonly Item[]): readonly number[] {
  const own = items.map((item) => (item.kind === "equation" ? leftText(noComments, item).length : 0));
  const widths = [...own];
  for (let at = 0; at < items.length; ) {
    let end = at + 1;
    while (end < items.length && joins(text, items, own, at, end)) end++;
    widths.fill(Math.max(...own.slice(at, end)), at, end);
    at = end;
  }
  return widths;
}

/** Does the equation at `end` go on with the run that begins at `start`? */
function joins(text: string, items: readonly Item[], own: readonly number[], start: number, end: number): boolean {
  const [before, after] = [items[end - 1]!, items[end]!];
  if (before.kind !== "equation" || after.kind !== "equation") return false;
  if (!neighbours(text, before.span, after.span)) return false;
  const run = own.slice(start, end + 1);
  return Math.max(...run) - Math.min(...run) <= FARTHEST;
}

/** An item; `width` is that of its keyword, or of an equation's left side. */
function itemDoc(comments: Comments, item: Item, width: number): Doc {
  const keyword = item.kind.padEnd(width);
  const list = <T extends { readonly span: Item["span"] }>(elements: readonly T[], print: (element: T) => Doc): Doc =>
    group(keyword, " ", filled(listParts(comments, elements, undefined, print)));
  switch (item.kind) {
    case "time":
      return list(item.names, ({ text }) => text);
    case "in":
      return list(item.names, (each) => [typedDoc(comments, each), optionalDoc(comments, " = ", each.default)]);
    case "of":
      return list(item.names, (each) => typedDoc(comments, each));
    case "state":
      return list(item.names, (each) => [typedDoc(comments, each), optionalDoc(comments, " = ", each.start)]);
    case "param":
      return list(item.declarators, (each) => paramDoc(comments, each));
    case "noise":
    case "latent":
      return list(item.names, (each) => drawnDoc(comments, each));
    case "use":
      return list(item.uses, (each) => useDoc(comments, each));
    case "tie": {
      const left = expressionDoc(item.left, comments, LEVEL.postfix);
      return [keyword, " ", left, " = ", expressionDoc(item.right, comments, SCAN)];
    }
    case "equation":
      return equationDoc(comments, item, width);
    case "emit":
      return emitDoc(comments, item, keyword);
    case "out":
      return list(item.values, (value) => expressionDoc(value, comments, SCAN));
    case "mapping":
      return mappingDoc(comments, item);
  }
}

function optionalDoc(comments: Comments, before: string, value: Equation["value"] | undefined): Doc {
  return value === undefined ? "" : [before, expressionDoc(value, comments, SCAN)];
}

function typedDoc(comments: Comments, { name, type }: Typed): Doc {
  return [name.text, ": ", typeDoc(comments, type)];
}

function typeDoc(comments: Comments, { base, vocabulary, axes }: TypeExpression): Doc {
  const word = base === "float" ? "" : base;
  const of = vocabulary === undefined ? "" : ["(", expressionDoc(vocabulary, comments, SCAN), ")"];
  if (axes === undefined) return base === "float" ? "[]" : [word, of];
  const parts = listParts(comments, axes, undefined, ({ label, size }) => [
    label === undefined ? "" : `${label.text}: `,
    sizeDoc(size, comments),
  ]);
  return [word, of, bracketed("[", parts, "]")];
}

function paramDoc(comments: Comments, { name, members, type, init }: ParamDeclarator): Doc {
  const family = members === undefined ? "" : `.${membersText(members.map(({ text }) => text))}`;
  const start = init === undefined ? "" : [" init ", expressionDoc(init, comments, LEVEL["+"])];
  return [name.text, family, ": ", typeDoc(comments, type), start];
}

function drawnDoc(comments: Comments, { name, indices, type, dist, prior }: Drawn): Doc {
  return [
    name.text,
    indicesDoc(comments, indices),
    ": ",
    typeDoc(comments, type),
    " ~ ",
    expressionDoc(dist, comments, SCAN),
    optionalDoc(comments, " prior ", prior),
  ];
}

function indicesDoc(comments: Comments, indices: readonly Index[]): Doc {
  if (indices.length === 0) return "";
  const parts = listParts(comments, indices, undefined, ({ name, range, offset }) => {
    if (range !== undefined) return [name.text, " in ", sizeDoc(range, comments)];
    return offset === 0 ? name.text : `${name.text}${offset < 0 ? "-" : "+"}${Math.abs(offset)}`;
  });
  return bracketed("[", parts, "]");
}

function useDoc(comments: Comments, { name, repeat, of }: Use): Doc {
  const index = repeat?.index === undefined ? "" : `${repeat.index.text} in `;
  const times =
    repeat === undefined
      ? ""
      : [repeat.share ? "share " : "stack ", index, expressionDoc(repeat.count, comments, LEVEL["+"]), " of "];
  return [name.text, " = ", times, expressionDoc(of, comments, SCAN)];
}

function leftText(comments: Comments, { targets }: Equation): string {
  return layOut(
    join(
      targets.map((target) => targetDoc(comments, target)),
      ", ",
    ),
    {
      width: Number.POSITIVE_INFINITY,
      margin: 0,
      column: 0,
    },
  );
}

function targetDoc(comments: Comments, { name, primed, indices }: Target): Doc {
  return [name.text, primed ? "'" : "", indicesDoc(comments, indices)];
}

function equationDoc(comments: Comments, item: Equation, width: number): Doc {
  const left = leftText(comments, item).padEnd(width);
  return [left, " = ", expressionDoc(item.value, comments, SCAN)];
}

function emitDoc(comments: Comments, item: EmitItem, keyword: string): Doc {
  const type = item.type === undefined ? "" : [": ", typeDoc(comments, item.type)];
  return [
    [keyword, " ", item.name.text, indicesDoc(comments, item.indices), type, " ~ "],
    expressionDoc(item.dist, comments, SCAN),
    optionalDoc(comments, " until ", item.until),
  ];
}
