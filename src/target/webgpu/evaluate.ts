import { isNode, type Node } from "../../ir/graph.ts";
import { hashStream } from "../../ir/random.ts";
import { constantSize, multiplySizes, type Size } from "../../ir/size.ts";
import type { Axis } from "../../ir/type.ts";
import { expand, gather, pad, rename, reshape, scatter, slice } from "../../op/move.ts";
import { constant, extent, iota, random } from "../../op/source.ts";
import { prefix, shift, suffix, window } from "../../op/window.ts";
import type { Value } from "../../plan/value.ts";
import { viewOf } from "../../plan/view.ts";
import {
  add,
  clip,
  divide,
  fixedSize,
  inside,
  type Kernel,
  multiply,
  remainder,
  sizeTerm,
  subtract,
} from "./context.ts";
import { loadFrom, loopPosition, type Positions, positionAlong } from "./memory.ts";
import { literalCode, renderScalar } from "./render.ts";
import { integer, type Term } from "./shader.ts";

/** Values that a kernel has computed itself, at the positions where it is. */
export type Own = ReadonlyMap<Value, Term | undefined>;

export const NO_OWN: Own = new Map();

/**
 * The value at a position: read where it lies in memory, else computed from its operands at the positions that it needs of them.
 * `own` are values that this kernel computes itself: those that it has, and those that it is to compute now.
 */
export function evaluate(kernel: Kernel, value: Value, positions: Positions, own: Own = NO_OWN): Term {
  const given = own.get(value);
  if (given !== undefined) return given;
  if (own.has(value)) return compute(kernel, value, positions, own);
  const view = viewOf(kernel.plan, value);
  // What this kernel is about to write does not lie in memory yet.
  if (view === undefined || own.has(view.root)) return compute(kernel, value, positions, own);
  return loadFrom(kernel, view.place, positions, value.dtype, value.name);
}

function compute(kernel: Kernel, value: Value, positions: Positions, own: Own): Term {
  const { definition } = value;
  if (definition.kind === "entry") {
    const { loop, of } = definition;
    return evaluate(kernel, of, new Map([...positions, [loop.axis.id, loopPosition(kernel, loop)]]), own);
  }
  if (definition.kind !== "node") throw new Error(`internal: %${value.name} is not in memory`);
  const { node, inputs } = definition;
  if (node.op.scalar !== undefined) {
    const operands = inputs.map((input) => evaluate(kernel, input, positions, own));
    return renderScalar(kernel, node.op.scalar, operands, value.dtype, value.name);
  }
  return move(kernel, value, node, inputs, positions, own);
}

type Change = readonly (readonly [axis: string, position: Term])[];

function move(
  kernel: Kernel,
  value: Value,
  node: Node,
  inputs: readonly Value[],
  positions: Positions,
  own: Own,
): Term {
  const at = (input: Value | undefined, changed: Change = []): Term => {
    if (input === undefined) throw new Error(`internal: ${node.op.name} lacks an operand`);
    return evaluate(kernel, input, changed.length === 0 ? positions : new Map([...positions, ...changed]), own);
  };
  const along = (axis: string): Term => positionAlong(positions, axis);
  const [x, index] = inputs;
  if (isNode(node, constant)) return literal(kernel, value, node.attributes.value);
  if (isNode(node, extent)) return extentOf(kernel, value, node.attributes.size);
  if (isNode(node, iota)) return along(node.attributes.axis.id);
  if (isNode(node, random)) {
    const { distribution, stream, axes } = node.attributes;
    const seed = at(x);
    const position = runPosition(kernel, axes, positions);
    const name = kernel.needs(`random_${distribution}`);
    const depth = Math.max(seed.depth, position.depth);
    return kernel.bind(depth, "float", `${name}(${position.code}, ${seed.code}, ${hashStream(stream)}u)`, value.name);
  }
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
    return at(x, [[axis, add(kernel, along(to.id), sizeTerm(kernel, start))]]);
  }
  if (isNode(node, pad)) {
    const { axis, to, start } = node.attributes;
    const length = sizeAlong(kernel, x, axis);
    const moved = subtract(kernel, along(to.id), sizeTerm(kernel, start));
    return whereTrue(kernel, inside(kernel, moved, length), at(x, [[axis, clip(kernel, moved, length)]]), value.name);
  }
  if (isNode(node, shift)) {
    const { axis, offset } = node.attributes;
    const moved = add(kernel, along(axis), integer(offset));
    return at(x, [[axis, clip(kernel, moved, sizeAlong(kernel, x, axis))]]);
  }
  if (isNode(node, window)) {
    const { axis, to, offset, stride } = node.attributes;
    const step = add(kernel, along(axis), multiply(kernel, along(to.id), integer(stride)));
    const moved = add(kernel, step, integer(offset));
    return at(x, [[axis, clip(kernel, moved, sizeAlong(kernel, x, axis))]]);
  }
  if (isNode(node, gather)) {
    const { axis } = node.attributes;
    return at(x, [[axis, clip(kernel, at(index), sizeAlong(kernel, x, axis))]]);
  }
  if (isNode(node, scatter)) {
    const { axis } = node.attributes;
    const wanted = clip(kernel, at(index), sizeTerm(kernel, axis.size));
    const here = along(axis.id);
    const same = kernel.bind(Math.max(wanted.depth, here.depth), "bool", `${wanted.code} == ${here.code}`);
    return whereTrue(kernel, same, at(x), value.name);
  }
  if (isNode(node, reshape)) return at(x, reshaped(kernel, node.attributes, x, positions));
  throw new Error(`internal: ${node.op.name} is no expression`);
}

function sizeAlong(kernel: Kernel, value: Value | undefined, axis: string): Term {
  const found = value?.axes.find((own) => own.id === axis);
  if (found === undefined) throw new Error(`internal: a value has no axis ${axis}`);
  return sizeTerm(kernel, found.size);
}

function literal(kernel: Kernel, { dtype }: Value, number: number): Term {
  return { code: literalCode(kernel, number, dtype), depth: 0, dtype, constant: number };
}

function extentOf(kernel: Kernel, value: Value, size: Size): Term {
  const fixed = fixedSize(size);
  if (fixed !== undefined) return literal(kernel, value, fixed);
  return kernel.bind(0, "float", `f32(${sizeTerm(kernel, size).code})`, value.name);
}

/** The value where a condition holds, else zero. */
export function whereTrue(kernel: Kernel, condition: Term, value: Term, hint: string): Term {
  const depth = Math.max(condition.depth, value.depth);
  const zero = literalCode(kernel, 0, value.dtype);
  return kernel.bind(depth, value.dtype, `select(${zero}, ${value.code}, ${condition.code})`, hint);
}

/** The row-major position over axes. */
function runPosition(kernel: Kernel, axes: readonly Axis[], positions: Positions): Term {
  let stride = constantSize(1);
  let sum = integer(0);
  for (const { id, size } of axes.toReversed()) {
    sum = add(kernel, sum, multiply(kernel, positionAlong(positions, id), sizeTerm(kernel, stride)));
    stride = multiplySizes(stride, size);
  }
  return sum;
}

function reshaped(
  kernel: Kernel,
  { from, to }: { readonly from: readonly string[]; readonly to: readonly Axis[] },
  x: Value | undefined,
  positions: Positions,
): Change {
  let rest = runPosition(kernel, to, positions);
  const found: (readonly [string, Term])[] = [];
  for (const id of from.slice(1).toReversed()) {
    const size = sizeAlong(kernel, x, id);
    found.push([id, remainder(kernel, rest, size)]);
    rest = divide(kernel, rest, size);
  }
  found.push([from[0] ?? "", rest]);
  return found;
}
