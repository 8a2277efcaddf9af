import { noComments } from "./comments.ts";
import { layOut } from "./doc.ts";
import { expressionDoc } from "./print.ts";
import type { Expression } from "./tree.ts";

/** The expressions directly inside an expression, in source order. */
export function children(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "number":
    case "string":
    case "reference":
      return [];
    case "member":
      return [expression.object];
    case "call":
      return [expression.callee, ...expression.axes, ...expression.args.map(({ value }) => value)];
    case "index":
      return [
        expression.object,
        ...expression.subscripts.flatMap((subscript) =>
          subscript.kind === "at"
            ? [subscript.value]
            : [subscript.from, subscript.to].filter((bound) => bound !== undefined),
        ),
      ];
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "else":
      return [expression.value, expression.otherwise];
    case "list":
    case "tuple":
      return expression.items;
    case "scan":
      return [expression.cell, expression.over, ...(expression.from === undefined ? [] : [expression.from])];
    case "by":
      return [expression.value, expression.method];
  }
}

/** The expression and everything inside it, outermost first. */
export function* descendants(expression: Expression): Generator<Expression> {
  yield expression;
  for (const child of children(expression)) yield* descendants(child);
}

/** The expression on one line, in canonical form: for messages. */
export function printExpression(expression: Expression): string {
  return layOut(expressionDoc(expression, noComments), { width: Number.POSITIVE_INFINITY, margin: 0, column: 0 });
}
