import { blockLines, type Entry, neighbours } from "./block.ts";
import { type Comments, listParts, noComments } from "./comments.ts";
import { type Doc, group, layOut } from "./doc.ts";
import { atMargin, WIDTH } from "./format-item.ts";
import { mappingDoc } from "./format-mapping.ts";
import { LEVEL } from "./precedence.ts";
import { expressionDoc, filled, quote, SCAN } from "./print.ts";
import { afterBrace } from "./source.ts";
import type {
  DataClause,
  Expression,
  GenerateClause,
  LoadClause,
  ObjectiveClause,
  SplitClause,
  TrainClause,
} from "./tree.ts";

/** Clauses of a `train` have their keywords in one column, as wide as `minimize`. */
const KEYWORD = "minimize".length;

export function trainEntries(comments: Comments, clauses: readonly TrainClause[], margin: number): readonly Entry[] {
  const values = valueWidths(comments, clauses, margin);
  return clauses.map((clause, at) => ({
    span: clause.span,
    print: () => {
      const text = atMargin([keywordOf(clause).padEnd(KEYWORD), " ", clauseDoc(comments, clause, values[at]!)], margin);
      return clause.kind === "load" && clause.mapping.length > 0 ? text + mappingText(comments, clause, margin) : text;
    },
  }));
}

function keywordOf(clause: TrainClause): string {
  if (clause.kind === "split") return clause.role;
  return clause.kind === "objective" ? clause.direction : clause.kind;
}

/** Neighbouring objectives on parts have their `on` in one column, if every one fits its line so. */
function valueWidths(comments: Comments, clauses: readonly TrainClause[], margin: number): readonly number[] {
  const widths = clauses.map(() => 0);
  for (let at = 0; at < clauses.length; ) {
    let end = at;
    while (end < clauses.length && isPlayer(clauses[end]!) && (end === at || joins(comments, clauses, end))) end++;
    const run = clauses.slice(at, end).filter(isPlayer);
    const values = run.map((clause) => flat(expressionDoc(clause.value, noComments, SCAN)).length);
    const rests = run.map((clause) => flat(playerDoc(noComments, clause)).length);
    const widest = Math.max(0, ...values);
    if (margin + KEYWORD + 1 + widest + Math.max(0, ...rests) <= WIDTH) widths.fill(widest, at, end);
    at = Math.max(end, at + 1);
  }
  return widths;
}

function isPlayer(clause: TrainClause): clause is ObjectiveClause {
  return clause.kind === "objective" && clause.on.length > 0;
}

function joins(comments: Comments, clauses: readonly TrainClause[], at: number): boolean {
  return neighbours(comments.text, clauses[at - 1]!.span, clauses[at]!.span);
}

function flat(doc: Doc): string {
  return layOut(doc, { width: Number.POSITIVE_INFINITY, margin: 0, column: 0 });
}

/** A clause behind its keyword; `width` is that of an objective's value. */
function clauseDoc(comments: Comments, clause: TrainClause, width: number): Doc {
  const whole = (value: Expression) => expressionDoc(value, comments, SCAN);
  const number = (value: Expression) => expressionDoc(value, comments, LEVEL["+"]);
  const part = (value: Expression) => expressionDoc(value, comments, LEVEL.postfix);
  switch (clause.kind) {
    case "data":
      return sourceDoc(comments, clause);
    case "split":
      return splitDoc(comments, clause);
    case "objective": {
      const value =
        width === 0 ? whole(clause.value) : flat(expressionDoc(clause.value, noComments, SCAN)).padEnd(width);
      return [value, playerDoc(comments, clause)];
    }
    case "bptt":
      return number(clause.length);
    case "optim":
      return [whole(clause.optimizer), clause.on.length === 0 ? "" : [" on ", partsDoc(comments, clause.on)]];
    case "clip":
      return whole(clause.rule);
    case "batch":
      return [number(clause.size), clause.unit === "tokens" ? " tokens" : ""];
    case "for":
      return [number(clause.count), " ", unitText(clause.count, clause.unit)];
    case "report": {
      const parts = listParts(comments, clause.metrics, undefined, ({ name, value }) => [
        name === undefined ? "" : `${name.text} = `,
        expressionDoc(value, comments),
      ]);
      return filled(parts);
    }
    case "stop":
      return [
        "when ",
        part(clause.metric),
        " stalls ",
        number(clause.patience),
        " ",
        unitText(clause.patience, clause.unit),
      ];
    case "save":
      return [clause.best === undefined ? "" : ["best ", part(clause.best), " "], "to ", quote(clause.to.value)];
    case "seed":
      return number(clause.value);
    case "load":
      return [
        clause.part === undefined ? "" : [part(clause.part), " "],
        "from ",
        "text" in clause.from ? clause.from.text : quote(clause.from.value),
        clause.layout === undefined ? "" : [" as ", expressionDoc(clause.layout, comments, LEVEL.postfix)],
      ];
    case "freeze": {
      const until = clause.until === undefined ? "" : [" until ", clause.until.unit, " ", number(clause.until.count)];
      return [partsDoc(comments, clause.parts), until];
    }
    case "teacher_forcing":
      return [clause.name.text, " ", whole(clause.schedule)];
    case "copy": {
      const every = [" every ", number(clause.every), " ", unitText(clause.every, clause.unit)];
      return [part(clause.from), " to ", part(clause.to), every];
    }
  }
}

function unitText(count: Expression, unit: "epochs" | "steps" | "rows"): string {
  return count.kind === "number" && count.value === 1 ? unit.slice(0, -1) : unit;
}

function partsDoc(comments: Comments, parts: readonly Expression[]): Doc {
  return filled(listParts(comments, parts, undefined, (part) => expressionDoc(part, comments, LEVEL.postfix)));
}

function playerDoc(comments: Comments, { on, every }: ObjectiveClause): Doc {
  return [
    on.length === 0 ? "" : [" on ", partsDoc(comments, on)],
    every === undefined ? "" : [" every ", expressionDoc(every, comments, LEVEL["+"])],
  ];
}

function sourceDoc(comments: Comments, { names, reader, where }: DataClause): Doc {
  const left = names.map(({ text }) => text).join(", ");
  const condition = where === undefined ? "" : [" where ", expressionDoc(where, comments, SCAN)];
  return group(left, " = ", expressionDoc(reader, comments, SCAN), condition);
}

function splitDoc(comments: Comments, { rule }: SplitClause): Doc {
  if (rule.kind === "own") return sourceDoc(comments, rule.data);
  return [
    rule.from,
    " ",
    amountDoc(comments, rule.amount),
    rule.unit === "percent" ? "%" : [" ", unitText(rule.amount, "rows")],
  ];
}

/** An amount may be a product; its `%` would be read as the unit, so that stands in parentheses. */
function amountDoc(comments: Comments, amount: Expression): Doc {
  if (amount.kind === "binary" && (amount.operator === "*" || amount.operator === "/"))
    return [
      amountDoc(comments, amount.left),
      ` ${amount.operator} `,
      expressionDoc(amount.right, comments, LEVEL.minus),
    ];
  return expressionDoc(amount, comments, LEVEL.minus);
}

function mappingText(comments: Comments, clause: LoadClause, margin: number): string {
  const start = afterBrace(comments.text, clause.from.span.end);
  const lines = blockLines(comments, {
    start,
    end: clause.span.end - 1,
    margin: margin + 2,
    entries: clause.mapping.map((mapping) => ({
      span: mapping.span,
      print: () => atMargin(mappingDoc(comments, mapping), margin + 2),
    })),
  });
  return [" {", ...lines, `${" ".repeat(margin)}}`].join("\n");
}

export function generateEntries(
  comments: Comments,
  clauses: readonly GenerateClause[],
  margin: number,
): readonly Entry[] {
  return clauses.map((clause) => ({ span: clause.span, print: () => atMargin(generateDoc(comments, clause), margin) }));
}

function generateDoc(comments: Comments, clause: GenerateClause): Doc {
  const whole = (value: Expression) => expressionDoc(value, comments, SCAN);
  switch (clause.kind) {
    case "set":
      return [clause.name.text, " = ", whole(clause.value)];
    case "show":
      return [clause.name.text, clause.method === undefined ? "" : [" by ", whole(clause.method)]];
    case "option":
      return [clause.option, " ", whole(clause.value)];
  }
}
