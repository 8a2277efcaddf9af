import type { Report } from "../base/diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import type { Binary, BinaryOperator, DataClause, Expression, Reference } from "../syntax/tree.ts";
import { checkReader, type ReaderShape } from "./check-reader.ts";
import { type Constant, constantValue } from "./constants.ts";

/** Checks `data a, b = reader(...) where ...` without touching files. */
export function checkDataClause(clause: DataClause, report: Report): void {
  checkNames(clause, checkReader(clause.reader, report), report);
  if (clause.where !== undefined) {
    const names = clause.names.map((name) => name.text);
    checkFilter(clause.where, names, report);
  }
}

function checkNames(clause: DataClause, shape: ReaderShape, report: Report): void {
  clause.names.forEach((name, at) => {
    if (clause.names.findIndex((other) => other.text === name.text) < at)
      report.add("duplicate-name", name.span, `\`${name.text}\` is given twice`);
  });
  const second = clause.names[1];
  if (!shape.table && second !== undefined)
    report.add("too-many-names", second.span, "the reader gives one column", {
      hint: "data on lines of their own is not paired: pair columns in one table",
    });
  const extra = shape.columns === undefined ? undefined : clause.names[shape.columns.length];
  if (extra !== undefined && shape.columns !== undefined)
    report.add("too-many-names", extra.span, `the reader gives ${shape.columns.join(" and ")} only`);
}

/** A comparison in `where`: a column on one side, a constant on the other. */
export interface Comparison {
  readonly column: Reference;
  /** With the column on the left. */
  readonly operator: BinaryOperator;
  readonly constant: Constant;
}

const FLIPPED: Readonly<Partial<Record<BinaryOperator, BinaryOperator>>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
  "==": "==",
  "!=": "!=",
};

/** Reads a comparison; undefined where the expression is none of a column with a constant. */
export function comparison(expression: Binary): Comparison | undefined {
  const { left, right, operator } = expression;
  const flipped = FLIPPED[operator];
  if (flipped === undefined) return undefined;
  const [constantLeft, constantRight] = [constantValue(left), constantValue(right)];
  if (left.kind === "reference" && constantLeft === undefined && constantRight !== undefined)
    return { column: left, operator, constant: constantRight };
  if (right.kind === "reference" && constantRight === undefined && constantLeft !== undefined)
    return { column: right, operator: flipped, constant: constantLeft };
  return undefined;
}

function checkFilter(expression: Expression, names: readonly string[], report: Report): void {
  if (expression.kind === "unary" && expression.operator === "not") checkFilter(expression.operand, names, report);
  else if (expression.kind === "binary" && (expression.operator === "and" || expression.operator === "or")) {
    checkFilter(expression.left, names, report);
    checkFilter(expression.right, names, report);
  } else {
    const column = expression.kind === "binary" ? comparison(expression)?.column : expression;
    if (column?.kind === "reference") checkColumn(column, names, report);
    else
      report.add("wrong-kind", expression.span, "`where` compares a column with a constant", {
        hint: 'as in where y < 5 and lang == "en"; anything richer is a reader of your own',
      });
  }
}

function checkColumn(column: Reference, names: readonly string[], report: Report): void {
  if (names.includes(column.name)) return;
  const near = nearest(column.name, names);
  report.add("unknown-name", column.span, `the data has no column \`${column.name}\``, {
    hint: near === undefined ? `its columns are ${names.join(", ")}` : `did you mean \`${near}\`?`,
  });
}
