import type { Intrinsic, ScalarExpression } from "../../ir/scalar.ts";
import type { DType } from "../../ir/type.ts";
import { call, type F64, f32, f32x4, f64, i32, i32x4, type V128, v128 } from "./encode-code.ts";
import type { Kernel } from "./kernel.ts";
import { arithmetic, VECTOR_FUNCTIONS, type VectorFunction, vectorFunctionOf } from "./math-function.ts";
import { type ScalarFunction, scalarFunction } from "./math-scalar.ts";
import type { MathScope } from "./math-vector.ts";
import type { Vector } from "./memory.ts";

/** The value of an elementwise op from its operands: its scalar expression, written out over four lanes. */
export function renderScalar(
  kernel: Kernel,
  expression: ScalarExpression,
  operands: readonly Vector[],
  dtype: DType,
): V128 {
  const depth = Math.max(0, ...operands.map((operand) => operand.depth));
  const scope = createScope(kernel, depth);
  // Known numbers are part of the expression, unless they would have to be told from ints.
  const floats = operands.every((operand) => operand.dtype !== "int");
  const known = operands.map(
    (operand): Rendered => (floats && operand.literal !== undefined ? asLiteral(operand.literal) : operand),
  );
  return convert(scope, render(scope, expression, known), dtype);
}

function asLiteral(value: number): Literal {
  return { dtype: "literal", value };
}

interface Scope extends MathScope {
  readonly kernel: Kernel;
  /** How many lanes differ and count. */
  readonly lanes: 1 | 4;
}

function createScope(kernel: Kernel, depth: number): Scope {
  const same = depth < kernel.vectorDepth();
  return {
    kernel,
    lanes: same ? 1 : kernel.width(),
    // What is a variable already stays it.
    once: (code) => (code.args.length === 0 ? code : kernel.bind(depth, code)),
    float: (value) => constantIn(kernel, FLOATS, value, f32x4.const),
    int: (value) => constantIn(kernel, INTS, value, i32x4.const),
    ...arithmetic(kernel.context),
  };
}

const FLOATS = Symbol("floats");
const INTS = Symbol("ints");

/** A number in a variable of the kernel, made once. */
function constantIn(kernel: Kernel, map: symbol, value: number, make: (value: number) => V128): V128 {
  const known = kernel.recall<Map<number | string, V128>>(map, "") ?? new Map<number | string, V128>();
  const key = Object.is(value, -0) ? "-0" : value;
  const before = known.get(key);
  if (before !== undefined) return before;
  const code = kernel.bind(0, make(value));
  if (known.size === 0) kernel.remember(map, "", 0, known);
  known.set(key, code);
  return code;
}

/** A function of four numbers, for code that is no op's expression. */
export function mathOf(kernel: Kernel, depth: number, name: VectorFunction, x: V128): V128 {
  return vector(name)(createScope(kernel, depth), [x]);
}

/** A number that is not yet int or float: it becomes what stands beside it. */
interface Literal {
  readonly dtype: "literal";
  readonly value: number;
}

type Rendered = Literal | { readonly dtype: DType; readonly code: V128 };

function render(scope: Scope, expression: ScalarExpression, operands: readonly Rendered[]): Rendered {
  switch (expression.kind) {
    case "literal":
      return { dtype: "literal", value: expression.value };
    case "operand": {
      const operand = operands[expression.index];
      if (operand === undefined) throw new Error(`internal: an expression lacks operand ${expression.index}`);
      return operand;
    }
    case "apply": {
      const args = expression.args.map((arg) => render(scope, arg, operands));
      return applyIntrinsic(scope, expression.intrinsic, args);
    }
    default:
      return expression satisfies never;
  }
}

/** A value as another type of number. */
function convert(scope: MathScope, value: Rendered, dtype: DType): V128 {
  if (value.dtype === "literal") {
    if (dtype === "bool") return scope.int(value.value === 0 ? 0 : -1);
    return dtype === "int" ? scope.int(value.value) : scope.float(value.value);
  }
  if (value.dtype === dtype) return value.code;
  if (dtype === "float")
    return value.dtype === "bool" ? v128.and(value.code, scope.float(1)) : f32x4.convert(value.code);
  if (dtype === "int") return value.dtype === "bool" ? i32x4.neg(value.code) : i32x4.truncate(value.code);
  return value.dtype === "int" ? i32x4.ne(value.code, scope.int(0)) : f32x4.ne(value.code, scope.float(0));
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

function applyIntrinsic(scope: Scope, intrinsic: Intrinsic, args: readonly Rendered[]): Rendered {
  const [a = NOTHING, b = NOTHING, c = NOTHING] = args;
  switch (intrinsic) {
    case "select": {
      const dtype = common([b, c]);
      return {
        dtype,
        code: scope.select(convert(scope, b, dtype), convert(scope, c, dtype), convert(scope, a, "bool")),
      };
    }
    case "lt":
    case "le":
    case "eq": {
      const dtype = common(args);
      return { dtype: "bool", code: compare(intrinsic, dtype, convert(scope, a, dtype), convert(scope, b, dtype)) };
    }
    case "and":
      return { dtype: "bool", code: v128.and(convert(scope, a, "bool"), convert(scope, b, "bool")) };
    case "or":
      return { dtype: "bool", code: v128.or(convert(scope, a, "bool"), convert(scope, b, "bool")) };
    case "not":
      return { dtype: "bool", code: v128.not(convert(scope, a, "bool")) };
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
      const operands = args.map((arg) => scope.once(convert(scope, arg, dtype)));
      const code = dtype === "int" ? INT[intrinsic]?.(scope, operands) : FLOAT[intrinsic](scope, operands);
      if (code === undefined) throw new Error(`internal: ${intrinsic} has no form for ${dtype}`);
      return { dtype: dtype === "int" ? "int" : "float", code };
    }
  }
}

const NOTHING: Rendered = { dtype: "literal", value: 0 };

function compare(intrinsic: "lt" | "le" | "eq", dtype: DType, a: V128, b: V128): V128 {
  return dtype === "float" ? f32x4[intrinsic](a, b) : i32x4[intrinsic](a, b);
}

/** Beside a number that is known and no NaN, the short form passes NaN on as well. */
function extreme(scope: Scope, intrinsic: "max" | "min", a: Rendered, b: Rendered): Rendered {
  const dtype = common([a, b]);
  if (dtype === "int") return { dtype, code: i32x4[intrinsic](convert(scope, a, dtype), convert(scope, b, dtype)) };
  const short = intrinsic === "max" ? f32x4.pseudoMax : f32x4.pseudoMin;
  const [x, y] = [convert(scope, a, "float"), convert(scope, b, "float")];
  if (b.dtype === "literal" && !Number.isNaN(b.value)) return { dtype: "float", code: short(x, y) };
  if (a.dtype === "literal" && !Number.isNaN(a.value)) return { dtype: "float", code: short(y, x) };
  return { dtype: "float", code: f32x4[intrinsic](scope.once(x), scope.once(y)) };
}

type Operands = readonly V128[];
type FloatIntrinsic = Exclude<
  Intrinsic,
  "select" | "lt" | "le" | "eq" | "and" | "or" | "not" | "to_float" | "to_int" | "pow" | "max" | "min"
>;
type Rule = (scope: Scope, operands: Operands) => V128;

const one =
  (make: (a: V128) => V128): Rule =>
  (_scope, [a]) =>
    make(present(a));
const two =
  (make: (a: V128, b: V128) => V128): Rule =>
  (_scope, [a, b]) =>
    make(present(a), present(b));
const vector =
  (name: VectorFunction): Rule =>
  (scope, [a]) => {
    const { context } = scope.kernel;
    const x = present(a);
    return context.compact ? call(vectorFunctionOf(context, name), x) : VECTOR_FUNCTIONS[name](scope, x);
  };

function present(code: V128 | undefined): V128 {
  if (code === undefined) throw new Error("internal: an intrinsic lacks an operand");
  return code;
}

const FLOAT: Readonly<Record<FloatIntrinsic, Rule>> = {
  neg: one(f32x4.neg),
  abs: one(f32x4.abs),
  sign: (scope, [a]) => signOf(scope, present(a)),
  floor: one(f32x4.floor),
  ceil: one(f32x4.ceil),
  round: one(f32x4.nearest),
  exp: vector("exp"),
  log: vector("log"),
  log1p: vector("log1p"),
  sqrt: one(f32x4.sqrt),
  sin: laneByLane("sin"),
  cos: laneByLane("cos"),
  tanh: vector("tanh"),
  sigmoid: vector("sigmoid"),
  erf: vector("erf"),
  lgamma: laneByLane("lgamma"),
  digamma: laneByLane("digamma"),
  add: two(f32x4.add),
  sub: two(f32x4.sub),
  mul: two(f32x4.mul),
  div: two(f32x4.div),
  mod: laneByLane("mod"),
};

const INT: Partial<Readonly<Record<FloatIntrinsic, Rule>>> = {
  neg: one(i32x4.neg),
  abs: one(i32x4.abs),
  sign: one((a) => i32x4.max(i32x4.min(a, i32x4.const(1)), i32x4.const(-1))),
  floor: one((a) => a),
  ceil: one((a) => a),
  round: one((a) => a),
  add: two(i32x4.add),
  sub: two(i32x4.sub),
  mul: two(i32x4.mul),
  mod: (scope, [a, b]) =>
    eachLane(
      scope,
      [present(a), present(b)],
      (code, lane) => f64.convert(i32x4.extract(code, lane)),
      ([x, y]) => call(scalarFunction(scope.kernel.context.module, "mod"), defined(x), defined(y)),
      (value) => i32x4.splat(i32.truncateF64(value)),
      (into, lane, value) => i32x4.replace(into, lane, i32.truncateF64(value)),
    ),
};

/** -1, 0 or 1; NaN and zeros themselves. */
function signOf(scope: MathScope, a: V128): V128 {
  const ones = v128.or(v128.and(a, scope.float(-0)), scope.float(1));
  return scope.select(ones, a, f32x4.gt(f32x4.abs(a), scope.float(0)));
}

/** Powers that come often are products; the others go by logarithms. */
function power(scope: Scope, base: Rendered, exponent: Rendered): V128 {
  const x = scope.once(convert(scope, base, "float"));
  const inverse = (code: V128): V128 => f32x4.div(scope.float(1), code);
  if (exponent.dtype === "literal") {
    const square = (): V128 => f32x4.mul(x, x);
    if (exponent.value === 1) return x;
    if (exponent.value === 2) return square();
    if (exponent.value === 3) return f32x4.mul(square(), x);
    if (exponent.value === -1) return inverse(x);
    if (exponent.value === -2) return inverse(square());
    if (exponent.value === 0.5)
      return scope.select(
        f32x4.abs(x),
        f32x4.sqrt(f32x4.add(x, scope.float(0))),
        f32x4.eq(f32x4.abs(x), scope.float(Number.POSITIVE_INFINITY)),
      );
  }
  return laneByLane("pow")(scope, [x, scope.once(convert(scope, exponent, "float"))]);
}

/** A function of single numbers, called for each lane that counts. */
function laneByLane(name: ScalarFunction): Rule {
  return (scope, operands) =>
    eachLane(
      scope,
      operands,
      (code, lane) => f64.promote(f32x4.extract(code, lane)),
      (args) => call(scalarFunction(scope.kernel.context.module, name), ...args),
      (value) => f32x4.splat(f32.demote(value)),
      (into, lane, value) => f32x4.replace(into, lane, f32.demote(value)),
    );
}

function eachLane(
  { lanes }: Scope,
  operands: Operands,
  take: (code: V128, lane: number) => F64,
  apply: (args: readonly F64[]) => F64,
  first: (value: F64) => V128,
  next: (into: V128, lane: number, value: F64) => V128,
): V128 {
  const at = (lane: number): F64 => apply(operands.map((operand) => take(operand, lane)));
  let code = first(at(0));
  for (let lane = 1; lane < lanes; lane++) code = next(code, lane, at(lane));
  return code;
}

function defined(code: F64 | undefined): F64 {
  if (code === undefined) throw new Error("internal: a function lacks an operand");
  return code;
}
