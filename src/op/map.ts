import type { AxisRange } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import { apply, operand } from "../ir/scalar.ts";
import { alternatives, compared, equated, logical, promoted, toReal } from "./dtype.ts";
import { binary, elementwise, type NoAttributes, unary } from "./elementwise.ts";
import * as make from "./make.ts";

/**
 * Every elementwise op, one entry each: name, dtype rule, scalar expression, derivative. Everything else follows from the entry.
 * In a derivative, `dy` is the cotangent of the value `y` (of `z`, where there are two operands x and y).
 */

const x = operand(0);
const y = operand(1);

// Arithmetic on one operand.

export const neg: Op<NoAttributes> = unary({
  name: "neg",
  dtype: promoted,
  scalar: apply("neg", x),
  derivative: (b, dy) => make.neg(b, dy),
});

export const abs: Op<NoAttributes> = unary({
  name: "abs",
  dtype: promoted,
  scalar: apply("abs", x),
  derivative: (b, dy, x) => make.mul(b, dy, make.map(b, sign, x)),
});

export const sign: Op<NoAttributes> = unary({
  name: "sign",
  dtype: promoted,
  scalar: apply("sign", x),
  derivative: () => undefined,
});

export const floor: Op<NoAttributes> = unary({
  name: "floor",
  dtype: promoted,
  scalar: apply("floor", x),
  derivative: () => undefined,
});

export const ceil: Op<NoAttributes> = unary({
  name: "ceil",
  dtype: promoted,
  scalar: apply("ceil", x),
  derivative: () => undefined,
});

export const round: Op<NoAttributes> = unary({
  name: "round",
  dtype: promoted,
  scalar: apply("round", x),
  derivative: () => undefined,
});

export const exp: Op<NoAttributes> = unary({
  name: "exp",
  dtype: toReal,
  scalar: apply("exp", x),
  derivative: (b, dy, _x, y) => make.mul(b, dy, y),
});

/** exp(x) - 1 without the cancellation near 0: 2t/(1-t) with t = tanh(x/2). */
export const expm1: Op<NoAttributes> = unary({
  name: "expm1",
  dtype: toReal,
  scalar: apply(
    "select",
    apply("lt", apply("abs", x), 1),
    apply(
      "div",
      apply("mul", 2, apply("tanh", apply("mul", x, 0.5))),
      apply("sub", 1, apply("tanh", apply("mul", x, 0.5))),
    ),
    apply("sub", apply("exp", x), 1),
  ),
  derivative: (b, dy, x) => make.mul(b, dy, make.map(b, exp, x)),
});

export const log: Op<NoAttributes> = unary({
  name: "log",
  dtype: toReal,
  scalar: apply("log", x),
  derivative: (b, dy, x) => make.div(b, dy, x),
});

export const log1p: Op<NoAttributes> = unary({
  name: "log1p",
  dtype: toReal,
  scalar: apply("log1p", x),
  derivative: (b, dy, x) => make.div(b, dy, make.add(b, x, make.num(b, 1))),
});

export const sqrt: Op<NoAttributes> = unary({
  name: "sqrt",
  dtype: toReal,
  scalar: apply("sqrt", x),
  derivative: (b, dy, _x, y) => make.div(b, dy, make.mul(b, make.num(b, 2), y)),
});

export const sin: Op<NoAttributes> = unary({
  name: "sin",
  dtype: toReal,
  scalar: apply("sin", x),
  derivative: (b, dy, x) => make.mul(b, dy, make.map(b, cos, x)),
});

export const cos: Op<NoAttributes> = unary({
  name: "cos",
  dtype: toReal,
  scalar: apply("cos", x),
  derivative: (b, dy, x) => make.neg(b, make.mul(b, dy, make.map(b, sin, x))),
});

export const tanh: Op<NoAttributes> = unary({
  name: "tanh",
  dtype: toReal,
  scalar: apply("tanh", x),
  derivative: (b, dy, _x, y) => make.mul(b, dy, make.sub(b, make.num(b, 1), make.mul(b, y, y))),
});

export const sigmoid: Op<NoAttributes> = unary({
  name: "sigmoid",
  dtype: toReal,
  scalar: apply("sigmoid", x),
  derivative: (b, dy, _x, y) => make.mul(b, dy, make.mul(b, y, make.sub(b, make.num(b, 1), y))),
});

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)), which neither overflows nor loses a small result. */
export const softplus: Op<NoAttributes> = unary({
  name: "softplus",
  dtype: toReal,
  scalar: apply("add", apply("max", x, 0), apply("log1p", apply("exp", apply("neg", apply("abs", x))))),
  derivative: (b, dy, x) => make.mul(b, dy, make.map(b, sigmoid, x)),
});

/** (2/√π) exp(-x²) is its derivative. */
export const erf: Op<NoAttributes> = unary({
  name: "erf",
  dtype: toReal,
  scalar: apply("erf", x),
  derivative: (b, dy, x) => {
    const bell = make.map(b, exp, make.neg(b, make.mul(b, x, x)));
    return make.mul(b, dy, make.mul(b, make.num(b, 2 / Math.sqrt(Math.PI)), bell));
  },
});

export const lgamma: Op<NoAttributes> = unary({
  name: "lgamma",
  dtype: toReal,
  scalar: apply("lgamma", x),
  derivative: (b, dy, x) => make.mul(b, dy, make.map(b, digamma, x)),
});

export const digamma: Op<NoAttributes> = unary({
  name: "digamma",
  dtype: toReal,
  scalar: apply("digamma", x),
  derivative: (b, dy, x) => make.mul(b, dy, make.map(b, trigamma, x)),
});

/**
 * ψ'(x) = Σ_{k<10} (x+k)⁻² + asymptotic series at x+10 (Abramowitz & Stegun 6.4.12); for x < 1/2 reflected,
 * π²/sin²(πx) - ψ'(1-x) (6.4.7). It has no derivative here: that would be a function no target renders.
 */
export const trigamma: Op<NoAttributes> = unary({
  name: "trigamma",
  dtype: toReal,
  scalar: trigammaExpression(),
});

function trigammaExpression() {
  const low = apply("lt", x, 0.5);
  const at = apply("select", low, apply("sub", 1, x), x);
  const squareInverse = (value: ReturnType<typeof apply>) => apply("div", 1, apply("mul", value, value));
  const z = squareInverse(apply("add", at, 10));
  // Coefficients are Bernoulli numbers B₂, B₄, … B₁₆ of 1/y³, 1/y⁵, …, by Horner in z = 1/y².
  const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];
  const tail = bernoulli.reduceRight(
    (sum, coefficient) => apply("add", coefficient, apply("mul", z, sum)),
    apply("mul", z, 0),
  );
  const y = apply("add", at, 10);
  let value = apply("add", apply("div", apply("add", 1, apply("mul", z, tail)), y), apply("mul", 0.5, z));
  for (let k = 9; k >= 0; k--) value = apply("add", squareInverse(apply("add", at, k)), value);
  const sine = apply("sin", apply("mul", Math.PI, apply("sub", x, apply("round", x))));
  const reflected = apply("sub", apply("div", Math.PI ** 2, apply("mul", sine, sine)), value);
  return apply("select", low, reflected, value);
}

export const not: Op<NoAttributes> = unary({
  name: "not",
  dtype: logical,
  scalar: apply("not", x),
  derivative: () => undefined,
});

export const toFloat: Op<NoAttributes> = unary({
  name: "to_float",
  dtype: () => "float",
  scalar: apply("to_float", x),
  derivative: (_b, dy) => dy,
});

/** Towards zero. */
export const toInt: Op<NoAttributes> = unary({
  name: "to_int",
  dtype: () => "int",
  scalar: apply("to_int", x),
  derivative: () => undefined,
});

/** The operand itself, through which no gradient flows. */
export const stopGradient: Op<NoAttributes> = unary({
  name: "stop_gradient",
  dtype: alternatives,
  scalar: x,
  derivative: () => undefined,
});

// Arithmetic on two operands.

export const add: Op<NoAttributes> = binary({
  name: "add",
  dtype: promoted,
  scalar: apply("add", x, y),
  derivative: (_b, dz) => [dz, dz],
});

export const sub: Op<NoAttributes> = binary({
  name: "sub",
  dtype: promoted,
  scalar: apply("sub", x, y),
  derivative: (b, dz) => [dz, make.neg(b, dz)],
});

export const mul: Op<NoAttributes> = binary({
  name: "mul",
  dtype: promoted,
  scalar: apply("mul", x, y),
  derivative: (b, dz, x, y) => [make.mul(b, dz, y), make.mul(b, dz, x)],
});

/** Always float. */
export const div: Op<NoAttributes> = binary({
  name: "div",
  dtype: toReal,
  scalar: apply("div", x, y),
  derivative: (b, dz, _x, y, z) => {
    const dx = make.div(b, dz, y);
    return [dx, make.neg(b, make.mul(b, dx, z))];
  },
});

/** Floored: the result has the divisor's sign. x = ⌊x/y⌋ y + mod(x, y). */
export const mod: Op<NoAttributes> = binary({
  name: "mod",
  dtype: promoted,
  scalar: apply("mod", x, y),
  derivative: (b, dz, x, y) => [dz, make.neg(b, make.mul(b, dz, make.map(b, floor, make.div(b, x, y))))],
});

/** Always float, since an int to a negative int is none. The exponent's derivative is 0 where the base is not positive. */
export const pow: Op<NoAttributes> = binary({
  name: "pow",
  dtype: toReal,
  scalar: apply("pow", x, y),
  derivative: (b, dz, x, y, z) => {
    const one = make.num(b, 1);
    const zero = make.num(b, 0);
    const constant = make.map(b, eq, y, zero);
    // y xʸ⁻¹, which is 0 where y is, at x = 0 too.
    const slope = make.mul(b, y, make.pow(b, x, make.select(b, constant, one, make.sub(b, y, one))));
    const positive = make.map(b, lt, zero, x);
    const logarithm = make.map(b, log, make.select(b, positive, x, one));
    return [make.mul(b, dz, slope), make.mul(b, dz, make.mul(b, z, logarithm))];
  },
});

/** Equal operands share the gradient. */
export const maximum: Op<NoAttributes> = binary({
  name: "maximum",
  dtype: promoted,
  scalar: apply("max", x, y),
  derivative: (b, dz, x, y) => make.splitByOrder(b, dz, x, y),
});

/** Equal operands share the gradient. */
export const minimum: Op<NoAttributes> = binary({
  name: "minimum",
  dtype: promoted,
  scalar: apply("min", x, y),
  derivative: (b, dz, x, y) => make.splitByOrder(b, dz, make.neg(b, x), make.neg(b, y)),
});

// Comparison and logic.

export const lt: Op<NoAttributes> = binary({
  name: "lt",
  dtype: compared,
  scalar: apply("lt", x, y),
  derivative: () => [undefined, undefined],
});

export const le: Op<NoAttributes> = binary({
  name: "le",
  dtype: compared,
  scalar: apply("le", x, y),
  derivative: () => [undefined, undefined],
});

export const gt: Op<NoAttributes> = binary({
  name: "gt",
  dtype: compared,
  scalar: apply("lt", y, x),
  derivative: () => [undefined, undefined],
});

export const ge: Op<NoAttributes> = binary({
  name: "ge",
  dtype: compared,
  scalar: apply("le", y, x),
  derivative: () => [undefined, undefined],
});

export const eq: Op<NoAttributes> = binary({
  name: "eq",
  dtype: equated,
  scalar: apply("eq", x, y),
  derivative: () => [undefined, undefined],
});

export const ne: Op<NoAttributes> = binary({
  name: "ne",
  dtype: equated,
  scalar: apply("not", apply("eq", x, y)),
  derivative: () => [undefined, undefined],
});

export const and: Op<NoAttributes> = binary({
  name: "and",
  dtype: logical,
  scalar: apply("and", x, y),
  derivative: () => [undefined, undefined],
});

export const or: Op<NoAttributes> = binary({
  name: "or",
  dtype: logical,
  scalar: apply("or", x, y),
  derivative: () => [undefined, undefined],
});

// Choice.

/** select(condition, a, b): a where the condition holds, else b. */
export const select: Op<NoAttributes> = elementwise<NoAttributes>({
  name: "select",
  arity: 3,
  dtype: ([condition, ...values]) =>
    condition === "bool" ? alternatives(values) : { wrong: `chooses by a boolean, not by ${condition}` },
  scalar: apply("select", x, y, operand(2)),
  vjp: (b, dy, [condition = ""]) => {
    const zero = make.num(b, 0);
    return [undefined, make.select(b, condition, dy, zero), make.select(b, condition, zero, dy)];
  },
});

export type OrelseAttributes = {
  /** Where `inside` holds, as far as a box can say it. */
  readonly ranges: readonly AxisRange[];
  /** Whether `inside` also depends on the examples' lengths. */
  readonly ragged: boolean;
};

/** orelse(x, otherwise, inside) = select(inside, x, otherwise), saying which reads are inside, so that a schedule can start a carry. */
export const orelse: Op<OrelseAttributes> = elementwise<OrelseAttributes>({
  name: "orelse",
  arity: 3,
  dtype: ([value = "float", otherwise = "float", inside]) =>
    inside === "bool" ? alternatives([value, otherwise]) : { wrong: `chooses by a boolean, not by ${inside}` },
  scalar: apply("select", operand(2), x, y),
  vjp: (b, dy, [, , inside = ""], _y, attributes) => {
    const zero = make.num(b, 0);
    return [make.orelse(b, dy, zero, inside, attributes), make.select(b, inside, zero, dy), undefined];
  },
});
