import { comparison } from "../../check/check-data.ts";
import type { Expression } from "../../syntax/tree.ts";
import { type Column, type Dataset, elementAt, isPresent, rowStart, selectRows } from "./dataset.ts";
import { DataError } from "./error.ts";
import { rank, shapeText } from "./join.ts";
import { tokenText } from "./vocabulary.ts";

type Test = (row: number) => boolean;

/** The rows for which a filter holds. A comparison with a missing value does not hold. */
export function filterRows(dataset: Dataset, where: Expression): Dataset {
  const holds = test(where, dataset);
  const rows: number[] = [];
  for (let row = 0; row < dataset.rows; row++) if (holds(row)) rows.push(row);
  if (rows.length === 0) throw new DataError(`no row is left of ${dataset.rows}`, { span: where.span });
  return selectRows(dataset, Uint32Array.from(rows));
}

function test(expression: Expression, dataset: Dataset): Test {
  if (expression.kind === "unary" && expression.operator === "not") {
    const operand = test(expression.operand, dataset);
    return (row) => !operand(row);
  }
  if (expression.kind === "binary" && (expression.operator === "and" || expression.operator === "or")) {
    const left = test(expression.left, dataset);
    const right = test(expression.right, dataset);
    return expression.operator === "and" ? (row) => left(row) && right(row) : (row) => left(row) || right(row);
  }
  const compared = expression.kind === "binary" ? comparison(expression) : undefined;
  const name = compared?.column ?? expression;
  const column = name.kind === "reference" ? dataset.columns.get(name.name) : undefined;
  if (column === undefined || name.kind !== "reference")
    throw new DataError("`where` compares a column of the data with a constant", { span: expression.span });
  if (rank(column) > 0)
    throw new DataError(`${name.name} has more than one value a row (${shapeText(column)})`, { span: name.span });
  const value = cellValue(column);
  const { operator, constant } = compared ?? { operator: "==" as const, constant: true };
  const sample = value(0);
  if (typeof constant !== typeof sample || (typeof sample !== "number" && operator !== "==" && operator !== "!="))
    throw new DataError(`${name.name} is ${DESCRIBED[kindOf(sample)]}`, { span: expression.span });
  const compare = COMPARE[operator];
  if (compare === undefined) throw new DataError(`${operator} is no comparison`, { span: expression.span });
  return (row) => isPresent(column, row) && compare(value(row), constant);
}

type Scalar = number | string | boolean;

const COMPARE: Readonly<Partial<Record<string, (a: Scalar, b: unknown) => boolean>>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => Number(a) < Number(b),
  "<=": (a, b) => Number(a) <= Number(b),
  ">": (a, b) => Number(a) > Number(b),
  ">=": (a, b) => Number(a) >= Number(b),
};

function cellValue(column: Column): (row: number) => Scalar {
  switch (column.kind) {
    case "text":
      return (row) => column.data[rowStart(column, row)]!;
    case "tokens":
      return (row) => tokenText(column.vocabulary, elementAt(column, rowStart(column, row)));
    case "bool":
      return (row) => column.data[rowStart(column, row)] === 1;
    case "int":
    case "float":
      return (row) => elementAt(column, rowStart(column, row));
  }
}

type Kind = "string" | "number" | "boolean";

const DESCRIBED: Readonly<Record<Kind, string>> = {
  string: "text: compare it with == or != and a text in quotes",
  number: "a number: compare it with a number",
  boolean: "true or false: write its name alone, or behind `not`",
};

function kindOf(value: Scalar): Kind {
  return typeof value === "string" ? "string" : typeof value === "number" ? "number" : "boolean";
}
