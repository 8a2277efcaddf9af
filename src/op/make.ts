import type { Builder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import { evaluateScalar } from "../ir/scalar_functions.ts";
import { constantSize, multiplySizes, type Size, sizeConstant } from "../ir/size.ts";
import { type Axis, type DType, hasAxis, sameAxes, type Type, unionAxes } from "../ir/type.ts";
import type { NoAttributes } from "./elementwise.ts";
import { expand } from "./make_move.ts";
import * as maps from "./map.ts";
import { expand as expandOp } from "./move.ts";
import { constant, extent, iota as iotaOp } from "./source.ts";

/*
 * Elementwise values over a builder. Each function gives a value of exactly the type that its op infers, but may reach it by
 * less: constants fold, `x*1`, `x+0`, `x*0`, `--x` and their like are not built. Families: make_move.ts, make_sum.ts.
 */

// Constants.

export function num(b: Builder, value: number): string {
  return b.add(constant, [], { value, dtype: "float" }, "c");
}

export function int(b: Builder, value: number): string {
  return b.add(constant, [], { value, dtype: "int" }, "c");
}

export function bool(b: Builder, value: boolean): string {
  return b.add(constant, [], { value: value ? 1 : 0, dtype: "bool" }, "c");
}

/** The same number everywhere in a type. */
export function full(b: Builder, value: number, type: Type): string {
  return expand(b, b.add(constant, [], { value, dtype: type.dtype }, "c"), type.axes);
}

/** Zeros of the type of `x`. */
export function zerosLike(b: Builder, x: string): string {
  return full(b, 0, b.type(x));
}

/** The number that a value is at every position, where that is known. */
export function constantValue(b: Builder, x: string): number | undefined {
  const node = b.definition(x);
  if (isNode(node, constant)) return node.attributes.value;
  return isNode(node, expandOp) ? constantValue(b, node.inputs[0] ?? "") : undefined;
}

// Positions and sizes.

/** 0, 1, 2, … along an axis, int. */
export function iota(b: Builder, axis: Axis): string {
  return b.add(iotaOp, [], { axis });
}

/** The number that a size is, float; a constant where it is known. */
export function sizeNumber(b: Builder, size: Size): string {
  const value = sizeConstant(size);
  return value === undefined ? b.add(extent, [], { size }) : num(b, value);
}

/** The same as an int. */
export function sizeInt(b: Builder, size: Size): string {
  const value = sizeConstant(size);
  return value === undefined ? toInt(b, b.add(extent, [], { size })) : int(b, value);
}

/** How many positions some axes have together, float. */
export function countOf(b: Builder, axes: readonly Axis[]): string {
  return sizeNumber(
    b,
    axes.reduce((product, axis) => multiplySizes(product, axis.size), constantSize(1)),
  );
}

// Masks.

/** Which positions of an axis lie before `length` (a number, an example's length say): bool, the axis and those of `length`. */
export function positionLess(b: Builder, axis: Axis, length: string): string {
  return map(b, maps.lt, iota(b, axis), length);
}

/** low <= position < size - high along an axis: bool. Undefined where that is everywhere. */
export function inside(b: Builder, axis: Axis, low: number, high: number): string | undefined {
  const position = iota(b, axis);
  const parts: string[] = [];
  if (low > 0) parts.push(map(b, maps.le, int(b, low), position));
  if (high > 0) parts.push(map(b, maps.lt, add(b, position, int(b, high)), sizeInt(b, axis.size)));
  const [first, second] = parts;
  return first === undefined || second === undefined ? first : and(b, first, second);
}

// Elementwise ops.

/** Any elementwise op without attributes; constants fold, and operands are not repeated along axes that others have anyway. */
export function map(b: Builder, op: Op<NoAttributes>, ...operands: readonly string[]): string {
  return mapNamed(b, op, operands, undefined);
}

/** `map` with a wish for the value's name. */
export function mapNamed(
  b: Builder,
  op: Op<NoAttributes>,
  operands: readonly string[],
  name: string | undefined,
): string {
  const values = operands.map((operand) => constantValue(b, operand));
  if (op.scalar !== undefined && values.every((value) => value !== undefined)) {
    const inferred = op.infer(operands.map(b.type), {});
    if (typeof inferred !== "string" && inferred[0]) return full(b, evaluateScalar(op.scalar, values), inferred[0]);
  }
  return b.add(op, withoutRepeats(b, operands), {}, name);
}

/** Drops an `expand` whose new axes another operand has. */
function withoutRepeats(b: Builder, operands: readonly string[]): readonly string[] {
  const kept = [...operands];
  for (const [index, operand] of operands.entries()) {
    const node = b.definition(operand);
    if (!isNode(node, expandOp)) continue;
    const others = unionAxes(...kept.filter((_, other) => other !== index).map((other) => b.type(other).axes));
    const source = node.inputs[0] ?? "";
    const dtype: DType = b.type(operand).dtype;
    const covered = node.attributes.axes.every(
      (axis) => hasAxis({ dtype, axes: others }, axis.id) || hasAxis(b.type(source), axis.id),
    );
    if (covered) kept[index] = source;
  }
  return kept;
}

/** `x` as the type that `op(operands)` has: promoted and repeated where it must be. */
function asResult(b: Builder, op: Op<NoAttributes>, operands: readonly string[], x: string): string {
  const inferred = op.infer(operands.map(b.type), {});
  const type = typeof inferred === "string" ? undefined : inferred[0];
  if (type === undefined) return b.add(op, operands, {});
  const known = constantValue(b, x);
  if (known !== undefined) return full(b, known, type);
  return expand(b, type.dtype === "float" ? toFloat(b, x) : x, type.axes);
}

/** Whether `x` alone has all the axes of an op's operands. */
function sameAxesAs(b: Builder, x: string, ...operands: readonly string[]): boolean {
  return sameAxes(b.type(x).axes, unionAxes(...operands.map((operand) => b.type(operand).axes)));
}

export function neg(b: Builder, x: string): string {
  const node = b.definition(x);
  if (isNode(node, maps.neg)) return node.inputs[0] ?? "";
  if (isNode(node, maps.sub)) return sub(b, node.inputs[1] ?? "", node.inputs[0] ?? "");
  return map(b, maps.neg, x);
}

export function add(b: Builder, x: string, y: string, name?: string): string {
  if (constantValue(b, x) === 0) return asResult(b, maps.add, [x, y], y);
  if (constantValue(b, y) === 0) return asResult(b, maps.add, [x, y], x);
  const right = b.definition(y);
  if (isNode(right, maps.neg)) return sub(b, x, right.inputs[0] ?? "", name);
  const left = b.definition(x);
  if (isNode(left, maps.neg)) return sub(b, y, left.inputs[0] ?? "", name);
  return mapNamed(b, maps.add, [x, y], name);
}

export function sub(b: Builder, x: string, y: string, name?: string): string {
  if (constantValue(b, y) === 0) return asResult(b, maps.sub, [x, y], x);
  if (constantValue(b, x) === 0) return asResult(b, maps.sub, [x, y], neg(b, y));
  const right = b.definition(y);
  if (isNode(right, maps.neg)) return add(b, x, right.inputs[0] ?? "", name);
  return mapNamed(b, maps.sub, [x, y], name);
}

export function mul(b: Builder, x: string, y: string, name?: string): string {
  for (const [known, other] of [
    [constantValue(b, x), y],
    [constantValue(b, y), x],
  ] as const) {
    if (known === 0) return asResult(b, maps.mul, [x, y], num(b, 0));
    if (known === 1) return asResult(b, maps.mul, [x, y], other);
    if (known === -1) return asResult(b, maps.mul, [x, y], neg(b, other));
  }
  return mapNamed(b, maps.mul, [x, y], name);
}

export function div(b: Builder, x: string, y: string, name?: string): string {
  if (constantValue(b, y) === 1) return asResult(b, maps.div, [x, y], x);
  return mapNamed(b, maps.div, [x, y], name);
}

export function pow(b: Builder, x: string, y: string, name?: string): string {
  const exponent = constantValue(b, y);
  if (exponent === 0) return asResult(b, maps.pow, [x, y], num(b, 1));
  if (exponent === 1) return asResult(b, maps.pow, [x, y], x);
  if (exponent === 2) return asResult(b, maps.pow, [x, y], mul(b, x, x, name));
  if (exponent === -1) return asResult(b, maps.pow, [x, y], div(b, num(b, 1), x, name));
  return mapNamed(b, maps.pow, [x, y], name);
}

export function maximum(b: Builder, x: string, y: string, name?: string): string {
  return mapNamed(b, maps.maximum, [x, y], name);
}

export function minimum(b: Builder, x: string, y: string, name?: string): string {
  return mapNamed(b, maps.minimum, [x, y], name);
}

export function exp(b: Builder, x: string, name?: string): string {
  return mapNamed(b, maps.exp, [x], name);
}

export function log(b: Builder, x: string, name?: string): string {
  return mapNamed(b, maps.log, [x], name);
}

export function lt(b: Builder, x: string, y: string): string {
  return map(b, maps.lt, x, y);
}

export function le(b: Builder, x: string, y: string): string {
  return map(b, maps.le, x, y);
}

export function eq(b: Builder, x: string, y: string): string {
  return map(b, maps.eq, x, y);
}

export function and(b: Builder, x: string, y: string): string {
  for (const [known, other] of [
    [constantValue(b, x), y],
    [constantValue(b, y), x],
  ] as const) {
    if (known === 1 && sameAxesAs(b, other, x, y)) return other;
    if (known === 0) return asResult(b, maps.and, [x, y], bool(b, false));
  }
  return x === y ? x : map(b, maps.and, x, y);
}

export function or(b: Builder, x: string, y: string): string {
  for (const [known, other] of [
    [constantValue(b, x), y],
    [constantValue(b, y), x],
  ] as const) {
    if (known === 0 && sameAxesAs(b, other, x, y)) return other;
    if (known === 1) return asResult(b, maps.or, [x, y], bool(b, true));
  }
  return x === y ? x : map(b, maps.or, x, y);
}

export function not(b: Builder, x: string): string {
  const node = b.definition(x);
  return isNode(node, maps.not) ? (node.inputs[0] ?? "") : map(b, maps.not, x);
}

export function toFloat(b: Builder, x: string): string {
  return b.type(x).dtype === "float" ? x : map(b, maps.toFloat, x);
}

export function toInt(b: Builder, x: string): string {
  return b.type(x).dtype === "int" ? x : map(b, maps.toInt, x);
}

export function stopGradient(b: Builder, x: string): string {
  return map(b, maps.stopGradient, x);
}

/** `a` where `condition` holds, else `otherwise`. */
export function select(b: Builder, condition: string, a: string, otherwise: string, name?: string): string {
  const known = constantValue(b, condition);
  const operands = [condition, a, otherwise];
  if (known !== undefined) return asResult(b, maps.select, operands, known === 1 ? a : otherwise);
  if (a === otherwise) return asResult(b, maps.select, operands, a);
  return mapNamed(b, maps.select, operands, name);
}

/** `x` where `inside` holds, else `otherwise`; see the op. */
export function orelse(
  b: Builder,
  x: string,
  otherwise: string,
  inside: string,
  attributes: maps.OrelseAttributes,
  name?: string,
): string {
  return b.add(maps.orelse, [x, otherwise, inside], attributes, name);
}

/** Shares a cotangent between x and y: all of it to the greater, half to each where they are equal. */
export function splitByOrder(b: Builder, dz: string, x: string, y: string): readonly [string, string] {
  const zero = num(b, 0);
  const tie = mul(b, num(b, 0.5), dz);
  const equal = eq(b, x, y);
  return [
    select(b, lt(b, y, x), dz, select(b, equal, tie, zero)),
    select(b, lt(b, x, y), dz, select(b, equal, tie, zero)),
  ];
}
