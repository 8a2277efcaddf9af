/** The closed set of scalar functions that every target renders. Booleans are their own kind of value, never 0 and 1. */
export type Intrinsic =
  | "neg"
  | "abs"
  | "sign"
  | "floor"
  | "ceil"
  /** To the nearest integer, halves to the even one. */
  | "round"
  | "exp"
  | "log"
  | "log1p"
  | "sqrt"
  | "sin"
  | "cos"
  | "tanh"
  | "sigmoid"
  | "erf"
  | "lgamma"
  | "digamma"
  | "add"
  | "sub"
  | "mul"
  | "div"
  /** Floored: the result has the divisor's sign. */
  | "mod"
  | "pow"
  | "max"
  | "min"
  | "lt"
  | "le"
  | "eq"
  | "and"
  | "or"
  | "not"
  | "select"
  | "to_float"
  /** Towards zero. */
  | "to_int";

export type ScalarExpression =
  | { readonly kind: "operand"; readonly index: number }
  | { readonly kind: "literal"; readonly value: number }
  | { readonly kind: "apply"; readonly intrinsic: Intrinsic; readonly args: readonly ScalarExpression[] };

export function operand(index: number): ScalarExpression {
  return { kind: "operand", index };
}

/** `apply("mul", x, 2)`: numbers stand for literals. */
export function apply(intrinsic: Intrinsic, ...args: readonly (ScalarExpression | number)[]): ScalarExpression {
  return {
    kind: "apply",
    intrinsic,
    args: args.map((arg) => (typeof arg === "number" ? { kind: "literal", value: arg } : arg)),
  };
}
