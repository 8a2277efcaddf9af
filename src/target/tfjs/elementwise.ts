import type { Intrinsic, ScalarExpression } from "../../ir/scalar.ts";
import { type Axis, type DType, hasAxis } from "../../ir/type.ts";
import {
  aligned,
  asTensor,
  cast,
  MAX_BROADCAST_RANK,
  MAX_RANK,
  materialized,
  mergedAxis,
  mergedOrder,
  reshaped,
} from "./layout.ts";
import { type Callee, type Expression, number, type TfFunction, variable } from "./program.ts";
import { wantedName } from "./rename.ts";
import { type Label, type Lowered, type LoweredTensor, reference, temporary, type Writer } from "./scope.ts";

/** Renders an elementwise op, whose value the label names; what its expression shares is computed once. */
export function lowerScalar(
  writer: Writer,
  expression: ScalarExpression,
  operands: readonly Lowered[],
  dtype: DType,
  label: Label | undefined,
): Lowered {
  const known = new Map<ScalarExpression, Lowered>();
  const lower = (part: ScalarExpression, wanted: DType, name: Label | undefined): Lowered => {
    if (part.kind === "operand") return operands[part.index] ?? missingOperand(part.index);
    if (part.kind === "literal") return { kind: "number", value: number(part.value), dtype: wanted };
    const before = known.get(part);
    if (before !== undefined) return before;
    const args = part.args.map((arg) => lower(arg, literalType(wanted), undefined));
    const value = onHost(part.intrinsic, args) ?? applyIntrinsic(writer, part.intrinsic, args, name);
    known.set(part, value);
    return value;
  };
  return lower(expression, dtype, label);
}

/** Literals take part as floats unless the result is an integer. */
function literalType(result: DType): DType {
  return result === "bool" ? "float" : result;
}

/** What needs no tensor: conversions of constants and sizes. */
function onHost(intrinsic: Intrinsic, [x]: readonly Lowered[]): Lowered | undefined {
  if (x?.kind !== "number") return undefined;
  if (intrinsic === "to_float" && x.dtype !== "bool") return { ...x, dtype: "float" };
  const isWhole = x.value.kind === "size" || (x.value.kind === "number" && Number.isInteger(x.value.value));
  return intrinsic === "to_int" && isWhole ? { ...x, dtype: "int" } : undefined;
}

/** An intrinsic applied to lowered values: one call, or a few. */
export function applyIntrinsic(
  writer: Writer,
  intrinsic: Intrinsic,
  args: readonly Lowered[],
  label: Label | undefined,
): LoweredTensor {
  const rendering = RENDERINGS[intrinsic];
  const dtypes = args.map((arg) => arg.dtype);
  if (typeof rendering === "string")
    return elementwise(writer, tf(rendering), args, resultType(intrinsic, dtypes), label);
  return rendering(writer, args, label);
}

type Rendering = (writer: Writer, args: readonly Lowered[], label: Label | undefined) => LoweredTensor;

function tf(name: TfFunction): Callee {
  return { from: "tf", name };
}

const RENDERINGS: Readonly<Record<Intrinsic, TfFunction | Rendering>> = {
  neg: "neg",
  abs: "abs",
  sign: "sign",
  floor: roundingOf("floor"),
  ceil: roundingOf("ceil"),
  round: roundingOf("round"),
  exp: realOf("exp"),
  log: realOf("log"),
  log1p: realOf("log1p"),
  sqrt: realOf("sqrt"),
  sin: realOf("sin"),
  cos: realOf("cos"),
  tanh: realOf("tanh"),
  sigmoid: realOf("sigmoid"),
  erf: realOf("erf"),
  lgamma: supportOf("lgamma"),
  digamma: supportOf("digamma"),
  add: "add",
  sub: "sub",
  mul: "mul",
  // tfjs divides integers to integers.
  div: realOf("div"),
  mod: "mod",
  pow: power,
  max: "maximum",
  min: "minimum",
  lt: "less",
  le: "lessEqual",
  eq: "equal",
  and: "logicalAnd",
  or: "logicalOr",
  not: "logicalNot",
  select,
  to_float: castTo("float"),
  to_int: castTo("int"),
};

function resultType(intrinsic: Intrinsic, dtypes: readonly DType[]): DType {
  if (["lt", "le", "eq", "and", "or", "not"].includes(intrinsic)) return "bool";
  return dtypes.includes("float") ? "float" : (dtypes[0] ?? "float");
}

/** Integers are their own floor, ceiling and nearest integer, which tfjs refuses to say. */
function roundingOf(name: "floor" | "ceil" | "round"): Rendering {
  return (writer, args, label) => {
    const x = args[0] ?? missingOperand(0);
    return x.dtype === "float" ? elementwise(writer, tf(name), [x], "float", label) : asTensor(writer, x);
  };
}

/** Integers become floats before the call. */
function realOf(name: TfFunction): Rendering {
  return (writer, args, label) =>
    elementwise(
      writer,
      tf(name),
      args.map((arg) => asFloat(writer, arg)),
      "float",
      label,
    );
}

/** Squares and square roots have kernels of their own, which are faster and exact. */
function power(writer: Writer, args: readonly Lowered[], label: Label | undefined): LoweredTensor {
  const [base = missingOperand(0), exponent] = args;
  const known = exponent?.kind === "number" && exponent.value.kind === "number" ? exponent.value.value : undefined;
  if (known === 2) return realOf("square")(writer, [base], label);
  if (known === 0.5) return realOf("sqrt")(writer, [base], label);
  return realOf("pow")(writer, args, label);
}

function supportOf(name: "lgamma" | "digamma"): Rendering {
  return (writer, args, label) =>
    elementwise(
      writer,
      { from: "support", name },
      args.map((arg) => asFloat(writer, arg)),
      "float",
      label,
    );
}

function castTo(dtype: DType): Rendering {
  return (writer, args, label) => {
    const x = asTensor(writer, args[0] ?? missingOperand(0));
    return x.dtype === dtype ? x : cast(writer, x, dtype, label);
  };
}

function asFloat(writer: Writer, value: Lowered): Lowered {
  if (value.dtype === "float") return value;
  return value.kind === "number"
    ? { ...value, dtype: "float" }
    : cast(writer, value, "float", temporary(wantedName(value.name)));
}

/** `where` takes branches of one type, and on the wasm backend no booleans. */
function select(writer: Writer, args: readonly Lowered[], label: Label | undefined): LoweredTensor {
  const [condition = missingOperand(0), yes = missingOperand(1), no = missingOperand(2)] = args;
  if (yes.dtype === "bool") return selectFlags(writer, condition, yes, no, label);
  const dtype = resultType("select", [yes.dtype, no.dtype]);
  const branches = dtype === "float" ? [asFloat(writer, yes), asFloat(writer, no)] : [yes, no];
  return elementwise(writer, tf("where"), [asTensor(writer, condition), ...branches], dtype, label);
}

function selectFlags(
  writer: Writer,
  condition: Lowered,
  yes: Lowered,
  no: Lowered,
  label: Label | undefined,
): LoweredTensor {
  const not = applyIntrinsic(writer, "not", [condition], undefined);
  const taken = applyIntrinsic(writer, "and", [condition, yes], undefined);
  return applyIntrinsic(writer, "or", [taken, applyIntrinsic(writer, "and", [not, no], undefined)], label);
}

/** One elementwise call on operands that broadcast by axis. */
export function elementwise(
  writer: Writer,
  callee: Callee,
  args: readonly Lowered[],
  dtype: DType,
  label: Label | undefined,
): LoweredTensor {
  const operands = args.some((arg) => arg.kind === "tensor") ? args : args.map((arg) => asTensor(writer, arg));
  const tensors = operands.filter((arg) => arg.kind === "tensor");
  const axes = mergedOrder(tensors.map((tensor) => tensor.axes));
  const limit = callee.name === "where" ? MAX_BROADCAST_RANK : MAX_RANK;
  if (axes.length > limit) return elementwiseMerged(writer, callee, operands, axes, { limit, dtype, label });
  const mixed = tensors.some((tensor) => tensor.dtype === "float");
  const expressions = operands.map((arg): Expression => {
    if (arg.kind === "tensor") return variable(aligned(writer, arg, axes).name);
    // A bare number would make an integer tensor a float.
    return arg.dtype === "float" || mixed ? reference(arg) : variable(asTensor(writer, arg).name);
  });
  return callee.from === "tf"
    ? writer.tf(callee.name, expressions, axes, dtype, label)
    : writer.support(callee.name, expressions, axes, dtype, label);
}

/** Neighbouring axes that every operand has or lacks together are one dimension; where that is not enough, operands are repeated. */
function elementwiseMerged(
  writer: Writer,
  callee: Callee,
  operands: readonly Lowered[],
  axes: readonly Axis[],
  { limit, dtype, label }: { readonly limit: number; readonly dtype: DType; readonly label: Label | undefined },
): LoweredTensor {
  const signature = (axis: Axis): string =>
    operands.map((arg) => (arg.kind === "tensor" && hasAxis(arg, axis.id) ? "x" : "-")).join("");
  const groups: Axis[][] = [];
  for (const axis of axes) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && signature(last[0]) === signature(axis)) last.push(axis);
    else groups.push([axis]);
  }
  const whole = groups.length > limit;
  const merged = whole ? [mergedAxis(axes)] : groups.map(mergedAxis);
  const ready = operands.map((arg): Lowered => {
    if (arg.kind === "number") return arg;
    if (whole) return reshaped(writer, materialized(writer, arg, axes), merged);
    const own = axes.filter((axis) => hasAxis(arg, axis.id));
    const ordered = materialized(writer, arg, own);
    return reshaped(
      writer,
      ordered,
      merged.filter((_, at) => hasAxis(arg, groups[at]?.[0]?.id ?? "")),
    );
  });
  return reshaped(writer, elementwise(writer, callee, ready, dtype, label), axes);
}

function missingOperand(index: number): never {
  throw new Error(`internal: an elementwise op has no operand ${index}`);
}
