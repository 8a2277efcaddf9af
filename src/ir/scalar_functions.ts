import type { Intrinsic, ScalarExpression } from "./scalar.ts";
import { digamma, erf, lgamma } from "./special.ts";

/** The reference meaning of every intrinsic on float64 numbers; booleans are 0 and 1. Unary and binary ones ignore the rest. */
export const SCALAR_FUNCTIONS: Readonly<Record<Intrinsic, (a: number, b: number, c: number) => number>> = {
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sign: (a) => Math.sign(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  round: (a) => roundHalfToEven(a),
  exp: (a) => Math.exp(a),
  log: (a) => Math.log(a),
  log1p: (a) => Math.log1p(a),
  sqrt: (a) => Math.sqrt(a),
  sin: (a) => Math.sin(a),
  cos: (a) => Math.cos(a),
  tanh: (a) => Math.tanh(a),
  sigmoid: (a) => sigmoid(a),
  erf: (a) => erf(a),
  lgamma: (a) => lgamma(a),
  digamma: (a) => digamma(a),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => flooredModulo(a, b),
  pow: (a, b) => a ** b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  lt: (a, b) => (a < b ? 1 : 0),
  le: (a, b) => (a <= b ? 1 : 0),
  eq: (a, b) => (a === b ? 1 : 0),
  and: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  or: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  not: (a) => (a === 0 ? 1 : 0),
  select: (a, b, c) => (a !== 0 ? b : c),
  to_float: (a) => a,
  to_int: (a) => Math.trunc(a),
};

/** How many operands an intrinsic takes. */
export const INTRINSIC_ARITY: Readonly<Record<Intrinsic, 1 | 2 | 3>> = {
  neg: 1,
  abs: 1,
  sign: 1,
  floor: 1,
  ceil: 1,
  round: 1,
  exp: 1,
  log: 1,
  log1p: 1,
  sqrt: 1,
  sin: 1,
  cos: 1,
  tanh: 1,
  sigmoid: 1,
  erf: 1,
  lgamma: 1,
  digamma: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  mod: 2,
  pow: 2,
  max: 2,
  min: 2,
  lt: 2,
  le: 2,
  eq: 2,
  and: 2,
  or: 2,
  not: 1,
  select: 3,
  to_float: 1,
  to_int: 1,
};

/** The value of a scalar expression on single numbers. */
export function evaluateScalar(expression: ScalarExpression, operands: readonly number[]): number {
  if (expression.kind === "literal") return expression.value;
  if (expression.kind === "operand") return operands[expression.index] ?? Number.NaN;
  const [a = 0, b = 0, c = 0] = expression.args.map((arg) => evaluateScalar(arg, operands));
  return SCALAR_FUNCTIONS[expression.intrinsic](a, b, c);
}

/** The value of a scalar expression at every position; operands have `length` numbers each. */
export function evaluateScalars(
  expression: ScalarExpression,
  operands: readonly Float64Array[],
  length: number,
): Float64Array {
  if (expression.kind === "literal") return new Float64Array(length).fill(expression.value);
  if (expression.kind === "operand") return operands[expression.index] ?? new Float64Array(length);
  const args = expression.args.map((arg) => evaluateScalars(arg, operands, length));
  return applyIntrinsic(expression.intrinsic, args, length);
}

function applyIntrinsic(intrinsic: Intrinsic, args: readonly Float64Array[], length: number): Float64Array {
  const out = new Float64Array(length);
  const a = args[0] ?? out;
  const b = args[1] ?? out;
  const c = args[2] ?? out;
  // The four that most programs spend their time in get a loop without a call.
  if (intrinsic === "add") for (let i = 0; i < length; i++) out[i] = a[i]! + b[i]!;
  else if (intrinsic === "sub") for (let i = 0; i < length; i++) out[i] = a[i]! - b[i]!;
  else if (intrinsic === "mul") for (let i = 0; i < length; i++) out[i] = a[i]! * b[i]!;
  else if (intrinsic === "select") for (let i = 0; i < length; i++) out[i] = a[i]! !== 0 ? b[i]! : c[i]!;
  else {
    const apply = SCALAR_FUNCTIONS[intrinsic];
    for (let i = 0; i < length; i++) out[i] = apply(a[i]!, b[i]!, c[i]!);
  }
  return out;
}

/** 1 / (1 + exp(-x)) without overflow, and without losing small values to 1 - 1. */
function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function flooredModulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}
