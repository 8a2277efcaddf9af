import { isNode, type Node } from "../ir/graph.ts";
import * as maps from "../op/map.ts";
import { reduce } from "../op/reduce.ts";
import type { Call, Rule, Simplifier } from "./simplify-rule.ts";
import { asType, scalar, uniformValue } from "./values.ts";

const addRule: Rule = (call, { draft, make }) => {
  const [x = "", y = ""] = call.inputs;
  if (uniformValue(draft, x) === 0) return asType(draft, y, call.type);
  if (uniformValue(draft, y) === 0) return asType(draft, x, call.type);
  const negated = operandOf(draft.definition(y), maps.neg);
  if (negated !== undefined) return make(maps.sub, [x, negated], {});
  const first = operandOf(draft.definition(x), maps.neg);
  if (first !== undefined) return make(maps.sub, [y, first], {});
  return addToInteger(call, x, y, { draft, make }) ?? addToInteger(call, y, x, { draft, make });
};

/** (x + a) + b = x + (a + b), for ints only: floats would round differently. */
function addToInteger(call: Call, x: string, y: string, { draft, make }: Simplifier): string | undefined {
  const value = uniformValue(draft, y);
  const inner = draft.definition(x);
  if (call.type.dtype !== "int" || value === undefined || !isNode(inner, maps.add)) return undefined;
  const [p = "", q = ""] = inner.inputs;
  const other = uniformValue(draft, q);
  return other === undefined ? undefined : make(maps.add, [p, scalar(draft, value + other, "int")], {});
}

const subRule: Rule = (call, { draft, make }) => {
  const [x = "", y = ""] = call.inputs;
  if (uniformValue(draft, y) === 0) return asType(draft, x, call.type);
  if (uniformValue(draft, x) === 0) return asType(draft, make(maps.neg, [y], {}), call.type);
  const negated = operandOf(draft.definition(y), maps.neg);
  if (negated !== undefined) return make(maps.add, [x, negated], {});
  const value = uniformValue(draft, y);
  if (call.type.dtype !== "int" || value === undefined) return undefined;
  return make(maps.add, [x, scalar(draft, -value, "int")], {});
};

const negRule: Rule = (call, { draft, make }) => {
  const node = draft.definition(call.inputs[0] ?? "");
  const [x = "", y = ""] = node?.inputs ?? [];
  if (isNode(node, maps.neg)) return x;
  if (isNode(node, maps.sub)) return make(maps.sub, [y, x], {});
  const factor = isNode(node, maps.mul) ? uniformValue(draft, y) : undefined;
  return factor === undefined ? undefined : make(maps.mul, [x, numberLike(draft, -factor, y)], {});
};

const mulRule: Rule = (call, simplifier) => {
  const { draft, make } = simplifier;
  const [x = "", y = ""] = call.inputs;
  const left = operandOf(draft.definition(x), maps.neg);
  const right = operandOf(draft.definition(y), maps.neg);
  if (left !== undefined && right !== undefined) return make(maps.mul, [left, right], {});
  return mulByNumber(call, x, y, simplifier) ?? mulByNumber(call, y, x, simplifier);
};

/** Constants are the second factor, and one for each product. */
function mulByNumber(call: Call, x: string, factor: string, { draft, make }: Simplifier): string | undefined {
  const value = uniformValue(draft, factor);
  if (value === undefined) return undefined;
  if (value === 1) return asType(draft, x, call.type);
  if (value === -1) return asType(draft, make(maps.neg, [x], {}), call.type);
  const inner = draft.definition(x);
  const [p = "", q = ""] = inner?.inputs ?? [];
  if (isNode(inner, maps.neg)) return make(maps.mul, [p, numberLike(draft, -value, factor)], {});
  const other = isNode(inner, maps.mul) ? uniformValue(draft, q) : undefined;
  if (other !== undefined && isOrdinary(value) && isOrdinary(other)) {
    const product = numberLike(draft, value * other, call.type.dtype === "float" ? undefined : factor);
    return make(maps.mul, [asType(draft, p, call.type), product], {});
  }
  return factor === call.inputs[0] && uniformValue(draft, x) === undefined
    ? make(maps.mul, [x, factor], {})
    : undefined;
}

const divRule: Rule = (call, { draft, make }) => {
  const [x = "", y = ""] = call.inputs;
  const value = uniformValue(draft, y);
  if (value === 1) return asType(draft, x, call.type);
  if (value === undefined || !isOrdinary(value)) return undefined;
  return make(maps.mul, [x, scalar(draft, 1 / value, "float")], {});
};

const powRule: Rule = (call, simplifier) => {
  const { draft, make } = simplifier;
  const [x = "", y = ""] = call.inputs;
  const exponent = uniformValue(draft, y);
  if (exponent === undefined || uniformValue(draft, x) !== undefined) return undefined;
  const base = draft.type(x).dtype === "float" ? x : make(maps.toFloat, [x], {});
  const whole = (value: string): string => asType(draft, value, call.type);
  if (exponent === 0) return whole(scalar(draft, 1, "float"));
  if (exponent === 0.5 && isNeverNegative(simplifier, x, 6)) return whole(make(maps.sqrt, [base], {}));
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 8) return undefined;
  const power = integerPower(simplifier, base, Math.abs(exponent));
  return whole(exponent > 0 ? power : make(maps.div, [scalar(draft, 1, "float"), power], {}));
};

/** By squaring: x⁶ = (x²)² x². */
function integerPower({ make }: Simplifier, x: string, exponent: number): string {
  let result: string | undefined;
  let square = x;
  for (let rest = exponent; ; square = make(maps.mul, [square, square], {})) {
    if (rest % 2 === 1) result = result === undefined ? square : make(maps.mul, [result, square], {});
    rest = Math.floor(rest / 2);
    if (rest === 0) return result ?? x;
  }
}

/** Whether a value is ≥ 0 or NaN wherever it is, so that its root is its power. Looks `depth` nodes back. */
function isNeverNegative(simplifier: Simplifier, id: string, depth: number): boolean {
  const { draft } = simplifier;
  const value = uniformValue(draft, id);
  if (value !== undefined) return value >= 0;
  const node = draft.definition(id);
  if (node === undefined || depth === 0) return false;
  if (NEVER_NEGATIVE.has(node.op.name)) return true;
  const [x = "", y = ""] = node.inputs;
  if (isNode(node, maps.mul) && x === y) return true;
  const keeps = isNode(node, reduce)
    ? ["sum", "max", "min", "prod"].includes(node.attributes.kind)
    : KEEPS_SIGN.has(node.op.name);
  return keeps && node.inputs.every((input) => isNeverNegative(simplifier, input, depth - 1));
}

const NEVER_NEGATIVE: ReadonlySet<string> = new Set(["abs", "exp", "sigmoid", "sqrt", "iota"]);
const KEEPS_SIGN: ReadonlySet<string> = new Set([
  "add",
  "mul",
  "div",
  "maximum",
  "minimum",
  "expand",
  "rename",
  "to_float",
]);

/** Whose product and quotient with another such number is neither 0 nor infinite, in float32 either. */
function isOrdinary(value: number): boolean {
  const size = Math.abs(value);
  return size > 2 ** -60 && size < 2 ** 60;
}

function operandOf(node: Node | undefined, op: typeof maps.neg): string | undefined {
  return isNode(node, op) ? node.inputs[0] : undefined;
}

/** A constant of the dtype of another value, float by default. */
function numberLike(draft: Simplifier["draft"], value: number, like: string | undefined): string {
  return scalar(draft, value, like !== undefined && draft.type(like).dtype === "int" ? "int" : "float");
}

/** max(x, x) = x; max(x, -∞) = x. */
const extremeRule =
  (neutral: number): Rule =>
  (call, { draft }) => {
    const [x = "", y = ""] = call.inputs;
    if (x === y || uniformValue(draft, y) === neutral) return asType(draft, x, call.type);
    return uniformValue(draft, x) === neutral ? asType(draft, y, call.type) : undefined;
  };

const absRule: Rule = (call, { draft, make }) => {
  const [x = ""] = call.inputs;
  const node = draft.definition(x);
  if (isNode(node, maps.neg)) return make(maps.abs, [node.inputs[0] ?? ""], {});
  return isNode(node, maps.abs) ? x : undefined;
};

/** After differentiation nothing asks for gradients. */
const identityRule: Rule = (call) => call.inputs[0];

const toFloatRule: Rule = (call, { draft }) => {
  const [x = ""] = call.inputs;
  return draft.type(x).dtype === "float" ? x : undefined;
};

const toIntRule: Rule = (call, { draft }) => {
  const [x = ""] = call.inputs;
  if (draft.type(x).dtype === "int") return x;
  const node = draft.definition(x);
  const inner = node?.inputs[0] ?? "";
  return isNode(node, maps.toFloat) && draft.type(inner).dtype === "int" ? inner : undefined;
};

export const ARITHMETIC_RULES: Readonly<Record<string, Rule>> = {
  add: addRule,
  sub: subRule,
  neg: negRule,
  mul: mulRule,
  div: divRule,
  pow: powRule,
  maximum: extremeRule(Number.NEGATIVE_INFINITY),
  minimum: extremeRule(Number.POSITIVE_INFINITY),
  abs: absRule,
  stop_gradient: identityRule,
  to_float: toFloatRule,
  to_int: toIntRule,
};
