import { isNode } from "../../ir/graph.ts";
import { constantSize } from "../../ir/size.ts";
import { unionAxes, withoutAxes } from "../../ir/type.ts";
import { concat, put, reshape, scatter } from "../../op/move.ts";
import { type ArgAttributes, argmax } from "../../op/reduce.ts";
import { madeBy, operand } from "../../plan/made.ts";
import { cutPlace } from "../../plan/place.ts";
import type { Loop, Value } from "../../plan/value.ts";
import type { Context } from "./context.ts";
import { f32x4, i32x4, local, type Procedure, type V128, v128 } from "./encode-code.ts";
import { evaluate, lookedUp } from "./evaluate.ts";
import { createKernel, type Kernel } from "./kernel.ts";
import { byStride, nest, nestSingly, placeOf, storedAxes } from "./kernel-map.ts";
import {
  loadFrom,
  type Positions,
  positionAlong,
  positionVector,
  scalarPosition,
  storeTo,
  type Vector,
} from "./memory.ts";
import { addToPosition, clipPosition } from "./position.ts";
import type { Share } from "./share.ts";

/** The position of the greatest or smallest value along an axis: four results side by side, the axis walked inside. */
export function argKernel(context: Context, output: Value, loops: readonly Loop[], share?: Share): Procedure {
  const kernel = createKernel(context, `arg ${output.name}`, loops);
  const { node, inputs } = madeBy(output);
  const x = operand(inputs, 0);
  const { axis } = node.attributes as ArgAttributes;
  const better = (a: V128, b: V128): V128 => {
    const number = x.dtype === "float" ? f32x4 : i32x4;
    return node.op.name === argmax.name ? number.gt(a, b) : number.lt(a, b);
  };
  const size = x.axes.find((own) => own.id === axis)?.size ?? constantSize(0);
  const walk = (positions: Positions): void => {
    const best = kernel.variable("v128");
    const where = kernel.variable("v128");
    kernel.emit(local.set(best, i32x4.const(0)), local.set(where, i32x4.const(0)));
    kernel.loop(kernel.size(size), (index) => {
      const value = evaluate(kernel, x, new Map([...positions, [axis, scalarPosition(index)]]));
      const here = positionVector(kernel, scalarPosition(index));
      const first = i32x4.eq(here.code, i32x4.const(0));
      const take = kernel.bind(kernel.depth(), v128.or(better(value.code, local.get(best)), first));
      kernel.emit(
        local.set(best, v128.bitselect(value.code, local.get(best), take)),
        local.set(where, v128.bitselect(here.code, local.get(where), take)),
      );
    });
    const code = kernel.bind(kernel.depth(), local.get(where));
    storeTo(kernel, placeOf(context, output), positions, { code, depth: kernel.depth(), key: "where", dtype: "int" });
  };
  nest(kernel, storedAxes(context, output), walk, { share });
  return kernel.finish();
}

/** Σ of d at the places that the index says: zeros, then one addition for each position. */
export function scatterKernel(context: Context, output: Value, loops: readonly Loop[], share?: Share): Procedure {
  const kernel = createKernel(context, `scatter ${output.name}`, loops);
  const { node, inputs } = madeBy(output);
  if (!isNode(node, scatter)) throw new Error(`internal: ${node.op.name} is no scatter`);
  const d = operand(inputs, 0);
  const index = operand(inputs, 1);
  const { axis, sum } = node.attributes;
  const place = placeOf(context, output);
  const clear = (positions: Positions): void => storeTo(kernel, place, positions, zero(kernel, output));
  nest(kernel, storedAxes(context, output), clear, { share });
  const { order } = context.plan;
  // The innermost loop goes along memory, unless the index or a sum takes neighbours to one place.
  const far = order(
    unionAxes(
      index.axes,
      d.axes.filter((own) => sum.includes(own.id)),
    ),
  );
  const near = order(
    withoutAxes(
      d.axes,
      far.map((own) => own.id),
    ),
  );
  const walk = (outer: Positions): void => {
    const looked = clipPosition(kernel, lookedUp(kernel, evaluate(kernel, index, outer)), kernel.size(axis.size));
    const add = (positions: Positions): void => {
      const value = evaluate(kernel, d, positions);
      const target = new Map([...positions, [axis.id, looked]]);
      const before = loadFrom(kernel, place, target, output.dtype, kernel.depth());
      const number = output.dtype === "float" ? f32x4 : i32x4;
      const code = output.dtype === "bool" ? v128.or(before.code, value.code) : number.add(before.code, value.code);
      storeTo(kernel, place, target, { ...value, dtype: output.dtype, code: kernel.bind(kernel.depth(), code) });
    };
    if (near.length === 0) add(outer);
    else nest(kernel, near, add, { positions: outer, share });
  };
  nestSingly(kernel, far, walk, { share });
  return kernel.finish();
}

function zero(kernel: Kernel, value: Value): Vector {
  return { code: i32x4.const(0), depth: kernel.depth(), key: "zero", dtype: value.dtype };
}

/** The buffer's value, unless the output lies over it, and the entries at the index replaced. */
export function putKernel(context: Context, output: Value, loops: readonly Loop[], share?: Share): Procedure {
  const kernel = createKernel(context, `put ${output.name}`, loops);
  const { node, inputs } = madeBy(output);
  if (!isNode(node, put)) throw new Error(`internal: ${node.op.name} is no put`);
  const buffer = operand(inputs, 0);
  const value = operand(inputs, 1);
  const index = operand(inputs, 2);
  const { axis } = node.attributes;
  const place = placeOf(context, output);
  const axes = storedAxes(context, output);
  const same = context.plan.stored.has(buffer) && placeOf(context, buffer) === place;
  const copy = (positions: Positions): void => storeTo(kernel, place, positions, evaluate(kernel, buffer, positions));
  if (!same) nest(kernel, axes, copy, { share });
  const length = axes.find((own) => own.id === axis)?.size ?? constantSize(0);
  // Where several positions name one entry, the last in the index's own order stays.
  const rest = [...index.axes, ...withoutAxes(axes, [axis, ...index.axes.map((own) => own.id)])];
  const write = (positions: Positions): void => {
    const looked = clipPosition(kernel, lookedUp(kernel, evaluate(kernel, index, positions)), kernel.size(length));
    storeTo(kernel, place, new Map([...positions, [axis, looked]]), evaluate(kernel, value, positions));
  };
  nest(kernel, rest, write, { share });
  return kernel.finish();
}

/** The inputs one after another, each by a loop nest of its own, unless it is computed there already. */
export function concatKernel(context: Context, output: Value, loops: readonly Loop[], share?: Share): Procedure {
  const kernel = createKernel(context, `concat ${output.name}`, loops);
  const { node, inputs } = madeBy(output);
  if (!isNode(node, concat)) throw new Error(`internal: ${node.op.name} is no concat`);
  const { axes, to } = node.attributes;
  const place = placeOf(context, output);
  let start = kernel.constant(0);
  inputs.forEach((input, index) => {
    const own = input.axes.find((axis) => axis.id === axes[index]);
    const count = own?.size ?? constantSize(1);
    const walked = storedAxes(context, output).map((axis) => (axis.id === to.id ? { ...axis, size: count } : axis));
    const first = start;
    start = kernel.add(start, kernel.size(count));
    if (context.plan.parts.get(input)?.whole === output) return;
    const write = (positions: Positions): void => {
      const at = positionAlong(positions, to.id);
      const inside = own === undefined ? positions : new Map([...positions, [own.id, at]]);
      const moved = new Map([...positions, [to.id, addToPosition(kernel, at, first)]]);
      storeTo(kernel, place, moved, converted(kernel, evaluate(kernel, input, inside), output));
    };
    nest(kernel, walked, write, { share });
  });
  return kernel.finish();
}

function converted(kernel: Kernel, value: Vector, output: Value): Vector {
  if (value.dtype === output.dtype || output.dtype !== "float") return value;
  return { ...value, dtype: "float", code: kernel.bind(value.depth, f32x4.convert(value.code)) };
}

/** Several axes laid out as one: a loop nest over the several, each with its own stride in the one. */
export function mergeKernel(context: Context, output: Value, loops: readonly Loop[], share?: Share): Procedure {
  const kernel = createKernel(context, `merge ${output.name}`, loops);
  const { node, inputs } = madeBy(output);
  if (!isNode(node, reshape)) throw new Error(`internal: ${node.op.name} is no reshape`);
  const x = operand(inputs, 0);
  const place = placeOf(context, output);
  const cut = cutPlace(place, node.attributes.to[0]?.id ?? "", node.attributes.from, x.axes);
  const copy = (positions: Positions): void => storeTo(kernel, cut, positions, evaluate(kernel, x, positions));
  nest(kernel, byStride(x.axes, cut), copy, { share });
  return kernel.finish();
}
