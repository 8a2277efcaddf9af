import type { Op } from "../ir/op.ts";
import type { Intrinsic, ScalarExpression } from "../ir/scalar.ts";

/** What one number of an elementwise op costs: an addition is 1. */
export function mapCost(op: Op): number {
  return op.scalar === undefined ? 0 : expressionCost(op.scalar);
}

function expressionCost(expression: ScalarExpression): number {
  if (expression.kind !== "apply") return 0;
  const own = COSTLY[expression.intrinsic] ?? 1;
  return expression.args.reduce((sum, arg) => sum + expressionCost(arg), own);
}

/** Intrinsics that are more than an instruction or two on vectors. */
const COSTLY: Readonly<Partial<Record<Intrinsic, number>>> = {
  div: 4,
  mod: 6,
  sqrt: 4,
  exp: 12,
  log: 12,
  log1p: 14,
  pow: 24,
  sin: 16,
  cos: 16,
  tanh: 16,
  sigmoid: 16,
  erf: 24,
  lgamma: 40,
  digamma: 40,
};
