import type { Intrinsic, ScalarExpression } from "../../ir/scalar.ts";
import type { DType } from "../../ir/type.ts";
import type { Kernel } from "./context.ts";
import { float } from "./number.ts";
import type { Term } from "./shader.ts";

/** The value of an elementwise op from its operands: its scalar expression, computed as far out as its operands are. */
export function renderScalar(
  kernel: Kernel,
  expression: ScalarExpression,
  operands: readonly Term[],
  dtype: DType,
  hint: string,
): Term {
  const depth = Math.max(0, ...operands.map((operand) => operand.depth));
  const scope: Scope = { kernel, depth, hint };
  // Known numbers are part of the expression, unless they would have to be told from ints.
  const floats = operands.every((operand) => operand.dtype !== "int");
  const known = operands.map(
    (operand): Rendered =>
      floats && operand.constant !== undefined ? { dtype: "literal", value: operand.constant } : operand,
  );
  return named(scope, convert(scope, render(scope, expression, known), dtype), dtype);
}

interface Scope {
  readonly kernel: Kernel;
  readonly depth: number;
  readonly hint: string;
}

/** A number that is not yet int or float: it becomes what stands beside it. */
type Rendered =
  | { readonly dtype: "literal"; readonly value: number }
  | { readonly dtype: DType; readonly code: string };

function render(scope: Scope, expression: ScalarExpression, operands: readonly Rendered[]): Rendered {
  switch (expression.kind) {
    case "literal":
      return { dtype: "literal", value: expression.value };
    case "operand": {
      const operand = operands[expression.index];
      if (operand === undefined) throw new Error(`internal: an expression lacks operand ${expression.index}`);
      return operand;
    }
    case "apply":
      return applyIntrinsic(
        scope,
        expression.intrinsic,
        expression.args.map((arg) => render(scope, arg, operands)),
      );
    default:
      return expression satisfies never;
  }
}

function named({ kernel, depth, hint }: Scope, code: string, dtype: DType): Term {
  return isName(code) ? { code, depth, dtype } : kernel.bind(depth, dtype, code, hint);
}

function isName(code: string): boolean {
  return /^\w+$/.test(code);
}

/** A name for an expression that is used more than once. */
function once({ kernel, depth, hint }: Scope, code: string, dtype: DType): string {
  return isName(code) || /^\(?-?[\d.e+-]+f?\)?$/.test(code) ? code : kernel.bind(depth, dtype, code, hint).code;
}

/** A value as another type of number. */
function convert(scope: Scope, value: Rendered, dtype: DType): string {
  if (value.dtype === "literal") return literalCode(scope.kernel, value.value, dtype);
  const { code } = value;
  if (value.dtype === dtype) return code;
  if (dtype === "float") return value.dtype === "bool" ? `select(0.0f, 1.0f, ${code})` : `f32(${code})`;
  if (dtype === "int") return value.dtype === "bool" ? `select(0, 1, ${code})` : `i32(${code})`;
  return value.dtype === "int" ? `(${code} != 0)` : `(${code} != 0.0f)`;
}

export function literalCode(kernel: Kernel, value: number, dtype: DType): string {
  if (dtype === "bool") return value === 0 ? "false" : "true";
  if (dtype === "float") {
    const code = float(value);
    for (const name of ["nan", "infinity"]) if (code.includes(`${name}()`)) kernel.needs(name);
    return code;
  }
  // What is infinite stays at the end of the range.
  const whole = Math.trunc(Math.min(Math.max(Number.isNaN(value) ? 0 : value, -(2 ** 31)), 2 ** 31 - 1));
  return whole === -(2 ** 31) ? "i32(-2147483648)" : whole < 0 ? `(${whole})` : String(whole);
}

/** The type that values meet in: float where one is, else int; bool only among themselves. */
function common(values: readonly Rendered[]): DType {
  const dtypes = values.map((value) => value.dtype);
  if (dtypes.includes("float")) return "float";
  if (dtypes.includes("int")) {
    const fractional = values.some((value) => value.dtype === "literal" && !Number.isInteger(value.value));
    return fractional ? "float" : "int";
  }
  return dtypes.includes("bool") ? "bool" : "float";
}

const NOTHING: Rendered = { dtype: "literal", value: 0 };

function applyIntrinsic(scope: Scope, intrinsic: Intrinsic, args: readonly Rendered[]): Rendered {
  const [a = NOTHING, b = NOTHING, c = NOTHING] = args;
  switch (intrinsic) {
    case "select": {
      const dtype = common([b, c]);
      const [yes, no] = [convert(scope, b, dtype), convert(scope, c, dtype)];
      return { dtype, code: `select(${no}, ${yes}, ${convert(scope, a, "bool")})` };
    }
    case "lt":
    case "le":
    case "eq": {
      const dtype = common(args);
      const [x, y] = [convert(scope, a, dtype), convert(scope, b, dtype)];
      return { dtype: "bool", code: `(${x} ${COMPARISON[intrinsic]} ${y})` };
    }
    case "and":
    case "or":
      return {
        dtype: "bool",
        code: `(${convert(scope, a, "bool")} ${intrinsic === "and" ? "&&" : "||"} ${convert(scope, b, "bool")})`,
      };
    case "not":
      return { dtype: "bool", code: `!${convert(scope, a, "bool")}` };
    case "to_float":
      return { dtype: "float", code: convert(scope, a, "float") };
    case "to_int":
      return { dtype: "int", code: convert(scope, a, "int") };
    case "pow":
      return { dtype: "float", code: power(scope, a, b) };
    case "max":
    case "min":
      return extreme(scope, intrinsic, a, b);
    default: {
      const dtype = intrinsic in INT ? common(args) : "float";
      const operands = args.map((arg) => once(scope, convert(scope, arg, dtype), dtype));
      const code = dtype === "int" ? INT[intrinsic]?.(scope, operands) : FLOAT[intrinsic](scope, operands);
      if (code === undefined) throw new Error(`internal: ${intrinsic} has no form for ${dtype}`);
      return { dtype: dtype === "int" ? "int" : "float", code };
    }
  }
}

const COMPARISON = { lt: "<", le: "<=", eq: "==" } as const;

/** Beside a number that is known and no NaN, the short form passes NaN on as well. */
function extreme(scope: Scope, intrinsic: "max" | "min", a: Rendered, b: Rendered): Rendered {
  const dtype = common([a, b]);
  const [x, y] = [convert(scope, a, dtype), convert(scope, b, dtype)];
  if (dtype === "int") return { dtype, code: `${intrinsic}(${x}, ${y})` };
  const short = (value: string, limit: string): Rendered => {
    const name = once(scope, value, "float");
    return { dtype: "float", code: `select(${name}, ${limit}, ${name} ${intrinsic === "max" ? "<" : ">"} ${limit})` };
  };
  if (b.dtype === "literal" && !Number.isNaN(b.value)) return short(x, y);
  if (a.dtype === "literal" && !Number.isNaN(a.value)) return short(y, x);
  return { dtype: "float", code: `${scope.kernel.needs(`${intrinsic}_number`)}(${x}, ${y})` };
}

type FloatIntrinsic = Exclude<
  Intrinsic,
  "select" | "lt" | "le" | "eq" | "and" | "or" | "not" | "to_float" | "to_int" | "pow" | "max" | "min"
>;
type Rule = (scope: Scope, operands: readonly string[]) => string;

const infix =
  (operator: string): Rule =>
  (_scope, [a, b]) =>
    `(${a} ${operator} ${b})`;
const builtin =
  (name: string): Rule =>
  (_scope, operands) =>
    `${name}(${operands.join(", ")})`;
const library =
  (name: string): Rule =>
  ({ kernel }, operands) =>
    `${kernel.needs(name)}(${operands.join(", ")})`;

const FLOAT: Readonly<Record<FloatIntrinsic, Rule>> = {
  neg: (_scope, [a]) => `(-${a})`,
  abs: builtin("abs"),
  sign: library("sign_of"),
  floor: builtin("floor"),
  ceil: builtin("ceil"),
  round: builtin("round"),
  exp: library("exp_number"),
  log: library("log_number"),
  log1p: library("log1p_number"),
  sqrt: builtin("sqrt"),
  sin: library("sin_number"),
  cos: library("cos_number"),
  tanh: library("tanh_number"),
  sigmoid: library("sigmoid_number"),
  erf: library("erf_number"),
  lgamma: library("lgamma_number"),
  digamma: library("digamma_number"),
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: infix("/"),
  mod: library("mod_number"),
};

const INT: Partial<Readonly<Record<FloatIntrinsic, Rule>>> = {
  neg: (_scope, [a]) => `(-${a})`,
  abs: builtin("abs"),
  sign: builtin("sign"),
  floor: (_scope, [a = ""]) => a,
  ceil: (_scope, [a = ""]) => a,
  round: (_scope, [a = ""]) => a,
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  mod: library("mod_integer"),
};

/** Powers that come often are products; the others go by logarithms. */
function power(scope: Scope, base: Rendered, exponent: Rendered): string {
  const x = once(scope, convert(scope, base, "float"), "float");
  if (exponent.dtype === "literal") {
    if (exponent.value === 1) return x;
    if (exponent.value === 2) return `(${x} * ${x})`;
    if (exponent.value === 3) return `(${x} * ${x} * ${x})`;
    if (exponent.value === -1) return `(1.0f / ${x})`;
    if (exponent.value === -2) return `(1.0f / (${x} * ${x}))`;
    // √ of what may be -∞ or -0, as a power is not negative there.
    if (exponent.value === 0.5)
      return `select(sqrt(${x} + 0.0f), abs(${x}), (bitcast<u32>(${x}) & 0x7fffffffu) == 0x7f800000u)`;
  }
  return `${scope.kernel.needs("pow_number")}(${x}, ${convert(scope, exponent, "float")})`;
}
