import type { Expression } from "../syntax/tree.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { knownNumber } from "./static.ts";

/** `t - 1 - 2*k`: a whole-number combination of indices, plus a known integer. */
export interface Affine {
  readonly coefficients: ReadonlyMap<string, number>;
  readonly constant: number;
}

/** Undefined where the expression is anything else, or has no index. */
export function indexAffine(context: Context, expression: Expression): Affine | undefined {
  const affine = combine(context, expression);
  return affine === undefined || affine.coefficients.size === 0 ? undefined : affine;
}

function combine(context: Context, expression: Expression): Affine | undefined {
  switch (expression.kind) {
    case "number":
      return Number.isInteger(expression.value) ? { coefficients: new Map(), constant: expression.value } : undefined;
    case "reference":
      if (!expression.primed && context.indices.has(expression.name)) {
        return { coefficients: new Map([[expression.name, 1]]), constant: 0 };
      }
      return constantOf(context, expression);
    case "unary":
      return expression.operator === "-" ? scale(combine(context, expression.operand), -1) : undefined;
    case "binary":
      return combineBinary(context, expression);
    default:
      return undefined;
  }
}

function combineBinary(context: Context, expression: Extract<Expression, { kind: "binary" }>): Affine | undefined {
  const left = combine(context, expression.left);
  const right = combine(context, expression.right);
  if (left === undefined || right === undefined) return undefined;
  switch (expression.operator) {
    case "+":
      return sum(left, right);
    case "-":
      return sum(left, scale(right, -1));
    case "*":
      if (left.coefficients.size === 0) return scale(right, left.constant);
      return right.coefficients.size === 0 ? scale(left, right.constant) : undefined;
    default:
      return undefined;
  }
}

function constantOf(context: Context, expression: Expression): Affine | undefined {
  if (expression.kind !== "reference") return undefined;
  const slot = context.frame.names.get(expression.name);
  if (slot === undefined || (slot.kind !== "parameter" && slot.kind !== "size")) return undefined;
  const value = knownNumber(context, evaluate(context, expression));
  return value !== undefined && Number.isInteger(value) ? { coefficients: new Map(), constant: value } : undefined;
}

function scale(affine: Affine | undefined, by: number): Affine | undefined {
  if (affine === undefined) return undefined;
  const coefficients = new Map([...affine.coefficients].map(([name, value]) => [name, value * by]));
  return { coefficients, constant: affine.constant * by };
}

function sum(a: Affine, b: Affine | undefined): Affine | undefined {
  if (b === undefined) return undefined;
  const coefficients = new Map(a.coefficients);
  for (const [name, value] of b.coefficients) coefficients.set(name, (coefficients.get(name) ?? 0) + value);
  for (const [name, value] of coefficients) if (value === 0) coefficients.delete(name);
  return { coefficients, constant: a.constant + b.constant };
}
