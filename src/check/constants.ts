import type { Expression } from "../syntax/tree.ts";

export type Constant = number | string | boolean | readonly Constant[];

/** The value of an expression that names nothing but `true` and `false`; undefined for all others. */
export function constantValue(expression: Expression): Constant | undefined {
  switch (expression.kind) {
    case "number":
    case "string":
      return expression.value;
    case "reference":
      return expression.name === "true" ? true : expression.name === "false" ? false : undefined;
    case "unary": {
      const operand = constantValue(expression.operand);
      if (expression.operator === "-") return typeof operand === "number" ? -operand : undefined;
      return typeof operand === "boolean" ? !operand : undefined;
    }
    case "binary": {
      const left = constantValue(expression.left);
      const right = constantValue(expression.right);
      if (typeof left !== "number" || typeof right !== "number") return undefined;
      return arithmetic(expression.operator, left, right);
    }
    case "list": {
      const items = expression.items.map(constantValue);
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    default:
      return undefined;
  }
}

function arithmetic(operator: string, left: number, right: number): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "**":
      return left ** right;
    default:
      return undefined;
  }
}
