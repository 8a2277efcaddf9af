import { isNode, type Node } from "../../ir/graph.ts";
import { hashStream } from "../../ir/random.ts";
import { constantSize, multiplySizes, type Size } from "../../ir/size.ts";
import type { DType } from "../../ir/type.ts";
import { expand, gather, type PadAttributes, pad, rename, reshape, scatter, slice } from "../../op/move.ts";
import { constant, extent, iota, type RandomAttributes, random } from "../../op/source.ts";
import { prefix, shift, suffix, window } from "../../op/window.ts";
import type { Value } from "../../plan/value.ts";
import { viewOf } from "../../plan/view.ts";
import { fixedSize } from "./context.ts";
import { f32x4, i32x4, type V128, v128 } from "./encode-code.ts";
import type { Kernel, Scalar } from "./kernel.ts";
import { uniformOf } from "./math-random.ts";
import {
  loadFrom,
  type Position,
  type Positions,
  positionAlong,
  positionKey,
  positionVector,
  scalarPosition,
  type Vector,
} from "./memory.ts";
import { addToPosition, clipPosition, divided, insideOf, joinPositions, negated } from "./position.ts";
import { mathOf, renderScalar } from "./render.ts";

/**
 * The value at a position: read where it lies in memory, else computed from its operands at the positions that it needs of them.
 * `own` are values that this kernel computes itself. Code goes as far out of the kernel's loops as it can; equal code is made once.
 */
export function evaluate(kernel: Kernel, value: Value, positions: Positions, own: ReadonlySet<Value> = NONE): Vector {
  const key = `${value.index}: ${value.axes.map(({ id }) => positionKey(positionAlong(positions, id))).join(", ")}`;
  const before = kernel.recall<Vector>(VALUES, key);
  if (before !== undefined) return before;
  const result = own.has(value) ? compute(kernel, value, positions, own) : read(kernel, value, positions, own);
  kernel.remember(VALUES, key, result.depth, result);
  return result;
}

const VALUES = Symbol("values");
const NONE: ReadonlySet<Value> = new Set();

function read(kernel: Kernel, value: Value, positions: Positions, own: ReadonlySet<Value>): Vector {
  const view = viewOf(kernel.context.plan, value);
  // What this kernel is about to write does not lie in memory yet.
  if (view === undefined || own.has(view.root)) return compute(kernel, value, positions, own);
  return loadFrom(kernel, view.place, positions, value.dtype);
}

function compute(kernel: Kernel, value: Value, positions: Positions, own: ReadonlySet<Value>): Vector {
  const { definition } = value;
  if (definition.kind === "entry") {
    const { loop, of } = definition;
    return evaluate(kernel, of, new Map([...positions, [loop.axis.id, scalarPosition(kernel.position(loop))]]), own);
  }
  if (definition.kind !== "node") throw new Error(`internal: %${value.name} is not in memory`);
  const { node, inputs } = definition;
  if (node.op.scalar !== undefined) {
    const operands = inputs.map((input) => evaluate(kernel, input, positions, own));
    return made(kernel, value, operands, renderScalar(kernel, node.op.scalar, operands, value.dtype));
  }
  return move(kernel, value, node, inputs, positions, own);
}

/** A computed vector, kept in a variable at the depth of what it is made of. */
function made(
  kernel: Kernel,
  value: Value,
  parts: readonly { readonly depth: number; readonly key: string }[],
  code: V128,
): Vector {
  const depth = Math.max(0, ...parts.map((part) => part.depth));
  const key = `${value.index}(${parts.map((part) => part.key).join(",")})`;
  return { code: code.args.length === 0 ? code : kernel.bind(depth, code), depth, key, dtype: value.dtype };
}

function move(
  kernel: Kernel,
  value: Value,
  node: Node,
  inputs: readonly Value[],
  positions: Positions,
  own: ReadonlySet<Value>,
): Vector {
  const at = (input: Value | undefined, changed: readonly (readonly [string, Position])[] = []): Vector => {
    if (input === undefined) throw new Error(`internal: ${node.op.name} lacks an operand`);
    return evaluate(kernel, input, changed.length === 0 ? positions : new Map([...positions, ...changed]), own);
  };
  const along = (axis: string): Position => positionAlong(positions, axis);
  const [x, index] = inputs;
  if (isNode(node, constant)) return literal(kernel, value, node.attributes.value);
  if (isNode(node, extent)) return extentOf(kernel, value, node.attributes.size);
  if (isNode(node, iota)) return positionVector(kernel, along(node.attributes.axis.id));
  if (isNode(node, random)) return randomAt(kernel, value, node, at(x), positions);
  if (isNode(node, expand)) return at(x);
  if (isNode(node, rename)) {
    const { from, to } = node.attributes;
    return at(
      x,
      from.map((id, each) => [id, along(to[each]?.id ?? id)] as const),
    );
  }
  if (isNode(node, prefix) || isNode(node, suffix))
    return at(x, [[node.attributes.axis, along(node.attributes.to.id)]]);
  if (isNode(node, slice)) {
    const { axis, to, start } = node.attributes;
    return at(x, [[axis, addToPosition(kernel, along(to.id), kernel.size(start))]]);
  }
  if (isNode(node, pad)) return padded(kernel, value, node, x, positions, at);
  if (isNode(node, shift)) {
    const { axis, offset } = node.attributes;
    const moved = addToPosition(kernel, along(axis), kernel.constant(offset));
    return at(x, [[axis, clipPosition(kernel, moved, sizeOf(kernel, x, axis))]]);
  }
  if (isNode(node, window)) {
    const { axis, to, offset, stride } = node.attributes;
    const step = joinPositions(kernel, [
      { position: along(axis), factor: kernel.constant(1) },
      { position: along(to.id), factor: kernel.constant(stride) },
    ]);
    const moved = addToPosition(kernel, step, kernel.constant(offset));
    return at(x, [[axis, clipPosition(kernel, moved, sizeOf(kernel, x, axis))]]);
  }
  if (isNode(node, gather)) {
    const looked = lookedUp(kernel, at(index));
    return at(x, [[node.attributes.axis, clipPosition(kernel, looked, sizeOf(kernel, x, node.attributes.axis))]]);
  }
  if (isNode(node, scatter)) {
    const { axis } = node.attributes;
    const wanted = positionVector(kernel, clipPosition(kernel, lookedUp(kernel, at(index)), kernel.size(axis.size)));
    const here = positionVector(kernel, along(axis.id));
    const given = at(x);
    return made(kernel, value, [wanted, here, given], v128.and(given.code, i32x4.eq(wanted.code, here.code)));
  }
  if (isNode(node, reshape)) return at(x, reshaped(kernel, node.attributes, x, positions));
  throw new Error(`internal: ${node.op.name} is no expression`);
}

function sizeOf(kernel: Kernel, value: Value | undefined, axis: string): Scalar {
  const found = value?.axes.find((own) => own.id === axis);
  if (found === undefined) throw new Error(`internal: a value has no axis ${axis}`);
  return kernel.size(found.size);
}

/** An index as a position: one for all lanes where it does not depend on them. */
export function lookedUp(kernel: Kernel, index: Vector): Position {
  if (index.depth >= kernel.vectorDepth()) return { kind: "lanes", at: index };
  const key = `lane of ${index.key}`;
  const code = kernel.bind(index.depth, i32x4.extract(index.code, 0), key);
  return scalarPosition({ code, depth: index.depth, key, constant: undefined });
}

function literal(kernel: Kernel, value: Value, number: number): Vector {
  const key = `literal ${value.dtype} ${Object.is(number, -0) ? "-0" : number}`;
  const code = kernel.bind(0, literalCode(value.dtype, number), key);
  return { code, depth: 0, key, dtype: value.dtype, literal: number };
}

function literalCode(dtype: DType, number: number): V128 {
  if (dtype === "float") return f32x4.const(number);
  // What is infinite stays at the end of the range.
  const whole = Math.min(Math.max(Number.isNaN(number) ? 0 : number, -(2 ** 31)), 2 ** 31 - 1);
  return i32x4.const(dtype === "bool" ? (number === 0 ? 0 : -1) : whole);
}

function extentOf(kernel: Kernel, value: Value, size: Size): Vector {
  const fixed = fixedSize(size);
  if (fixed !== undefined) return literal(kernel, value, fixed);
  const number = f32x4.convert(i32x4.splat(kernel.size(size).code));
  return { code: kernel.bind(0, number, `extent ${size.text}`), depth: 0, key: `extent ${size.text}`, dtype: "float" };
}

function padded(
  kernel: Kernel,
  value: Value,
  node: Node<PadAttributes>,
  x: Value | undefined,
  positions: Positions,
  at: (input: Value | undefined, changed: readonly (readonly [string, Position])[]) => Vector,
): Vector {
  const { axis, to, start } = node.attributes;
  const length = sizeOf(kernel, x, axis);
  const moved = addToPosition(kernel, positionAlong(positions, to.id), negated(kernel, kernel.size(start)));
  const given = at(x, [[axis, clipPosition(kernel, moved, length)]]);
  const inside = insideOf(kernel, moved, length);
  return made(kernel, value, [given, inside], v128.and(given.code, inside.code));
}

function reshaped(
  kernel: Kernel,
  {
    from,
    to,
  }: { readonly from: readonly string[]; readonly to: readonly { readonly id: string; readonly size: Size }[] },
  x: Value | undefined,
  positions: Positions,
): readonly (readonly [string, Position])[] {
  let stride = constantSize(1);
  const parts = to.toReversed().map(({ id, size }) => {
    const factor = kernel.size(stride);
    stride = multiplySizes(stride, size);
    return { position: positionAlong(positions, id), factor };
  });
  let rest = joinPositions(kernel, parts.toReversed());
  const found: (readonly [string, Position])[] = [];
  for (const id of from.slice(1).toReversed()) {
    const { quotient, remainder } = divided(kernel, rest, sizeOf(kernel, x, id));
    found.push([id, remainder]);
    rest = quotient;
  }
  found.push([from[0] ?? "", rest]);
  return found;
}

function randomAt(
  kernel: Kernel,
  value: Value,
  node: Node<RandomAttributes>,
  seed: Vector,
  positions: Positions,
): Vector {
  const { distribution, stream, axes } = node.attributes;
  let stride = constantSize(1);
  const parts = axes.toReversed().map(({ id, size }) => {
    const factor = kernel.size(stride);
    stride = multiplySizes(stride, size);
    return { position: positionAlong(positions, id), factor };
  });
  const at = positionVector(kernel, joinPositions(kernel, parts));
  const depth = Math.max(at.depth, seed.depth);
  const { module } = kernel.context;
  const key = kernel.bind(seed.depth, i32x4.extract(seed.code, 0), `seed of ${seed.key}`);
  const draw = (part: 0 | 1): V128 =>
    kernel.bind(depth, uniformOf(module, distribution, at.code, key, hashStream(stream), part));
  if (distribution === "uniform") return made(kernel, value, [at, seed], draw(0));
  const radius = f32x4.sqrt(f32x4.mul(f32x4.const(-2), mathOf(kernel, depth, "log", draw(0))));
  return made(kernel, value, [at, seed], f32x4.mul(radius, mathOf(kernel, depth, "cosineOfTurns", draw(1))));
}
