import type { Builder } from "../ir/builder.ts";
import type { Node } from "../ir/graph.ts";
import type { Op, Reads } from "../ir/op.ts";
import { layOutLast } from "../ir/strided.ts";
import { elementCount, type Tensor, zeroTensor } from "../ir/tensor.ts";
import { type Axis, hasAxis, type Type, withoutAxes } from "../ir/type.ts";
import * as make from "./make.ts";
import { product, sumOver } from "./make_sum.ts";

/** Ops that make one value of all positions of some axes. */

export type ReduceKind = "sum" | "max" | "min" | "prod" | "any" | "all";

export type ReduceAttributes = { readonly kind: ReduceKind; readonly axes: readonly string[] };

/** Of no positions: 0, -∞, ∞, 1, false, true. */
export const reduce: Op<ReduceAttributes> = {
  name: "reduce",
  form: "reduce",
  infer: ([x], { kind, axes }) => {
    if (x === undefined) return "takes a value";
    const missing = axes.find((id) => !hasAxis(x, id));
    if (missing !== undefined) return `the value has no axis ${missing}`;
    const logical = kind === "any" || kind === "all";
    if (logical !== (x.dtype === "bool")) return `${kind} takes ${logical ? "booleans" : "numbers"}, not ${x.dtype}`;
    return [{ dtype: x.dtype, axes: withoutAxes(x.axes, axes) }];
  },
  reads: (node, _input, axis) => (node.attributes.axes.includes(axis) ? { kind: "all" } : { kind: "same" }),
  vjp: ({ builder, node, cotangents: [dy] }) => [
    dy === undefined ? undefined : REDUCE_VJP[node.attributes.kind](builder, node, dy),
  ],
  evaluate: ([x], { kind, axes }) => (x === undefined ? [] : [reduceTensor(x, kind, axes)]),
};

const START: Readonly<Record<ReduceKind, number>> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  prod: 1,
  any: 0,
  all: 1,
};

const STEP: Readonly<Record<ReduceKind, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
  prod: (a, b) => a * b,
  any: Math.max,
  all: Math.min,
};

function reduceTensor(x: Tensor, kind: ReduceKind, axes: readonly string[]): Tensor {
  const laid = layOutLast(x, axes);
  const kept = laid.axes.length - axes.length;
  const out = zeroTensor(x.dtype, laid.axes.slice(0, kept), laid.shape.slice(0, kept));
  const count = elementCount(laid.shape.slice(kept));
  const step = STEP[kind];
  for (let row = 0; row < out.data.length; row++) {
    let value = START[kind];
    const end = (row + 1) * count;
    if (kind === "sum") for (let at = row * count; at < end; at++) value += laid.data[at]!;
    else for (let at = row * count; at < end; at++) value = step(value, laid.data[at]!);
    out.data[row] = value;
  }
  return out;
}

type ReduceVjp = (b: Builder, node: Node<ReduceAttributes>, dy: string) => string | undefined;

const REDUCE_VJP: Readonly<Record<ReduceKind, ReduceVjp>> = {
  sum: (_b, _node, dy) => dy,
  max: toExtremes,
  min: toExtremes,
  prod: productVjp,
  any: () => undefined,
  all: () => undefined,
};

/** All positions that hold the extreme value share its cotangent equally. */
function toExtremes(b: Builder, node: Node<ReduceAttributes>, dy: string): string {
  const [x = ""] = node.inputs;
  const extreme = make.toFloat(b, make.eq(b, x, node.outputs[0]?.id ?? ""));
  const share = make.div(b, dy, sumOver(b, extreme, axesOf(b, x, node.attributes.axes)));
  return make.mul(b, extreme, share);
}

/**
 * d/dxᵢ Πx = Π_{j≠i} xⱼ, also where some are zero: with none it is Π/xᵢ, with one it is the rest's product there and 0 elsewhere,
 * with more it is 0.
 */
function productVjp(b: Builder, node: Node<ReduceAttributes>, dy: string): string {
  const [x = ""] = node.inputs;
  const axes = axesOf(b, x, node.attributes.axes);
  const zero = make.num(b, 0);
  const isZero = make.eq(b, x, zero);
  const rest = make.select(b, isZero, make.num(b, 1), x);
  const zeros = sumOver(b, make.toFloat(b, isZero), axes);
  const others = product(b, rest, axes);
  const single = make.select(b, make.and(b, isZero, make.eq(b, zeros, make.num(b, 1))), others, zero);
  const slope = make.select(b, make.eq(b, zeros, zero), make.div(b, others, rest), single);
  return make.mul(b, dy, slope);
}

function axesOf(b: Builder, x: string, ids: readonly string[]): readonly Axis[] {
  return b.type(x).axes.filter((axis) => ids.includes(axis.id));
}

export type ArgAttributes = { readonly axis: string };

/** The position of the greatest value along an axis, the first of equals. */
export const argmax: Op<ArgAttributes> = argOp("argmax", (candidate, best) => candidate > best);

/** The position of the smallest value along an axis, the first of equals. */
export const argmin: Op<ArgAttributes> = argOp("argmin", (candidate, best) => candidate < best);

function argOp(name: string, better: (candidate: number, best: number) => boolean): Op<ArgAttributes> {
  return {
    name,
    form: "reduce",
    infer: ([x], { axis }) => inferArg(x, axis),
    reads: (node, _input, axis): Reads => (node.attributes.axis === axis ? { kind: "all" } : { kind: "same" }),
    vjp: () => [undefined],
    evaluate: ([x], { axis }) => {
      if (x === undefined) return [];
      const laid = layOutLast(x, [axis]);
      const count = laid.shape.at(-1) ?? 1;
      const out = zeroTensor("int", laid.axes.slice(0, -1), laid.shape.slice(0, -1));
      for (let row = 0; row < out.data.length; row++) {
        let best = 0;
        for (let at = 1; at < count; at++) {
          if (better(laid.data[row * count + at]!, laid.data[row * count + best]!)) best = at;
        }
        out.data[row] = best;
      }
      return [out];
    },
  };
}

function inferArg(x: Type | undefined, axis: string): readonly Type[] | string {
  if (x === undefined || !hasAxis(x, axis)) return `the value has no axis ${axis}`;
  if (x.dtype === "bool") return "takes numbers, not bool";
  return [{ dtype: "int", axes: withoutAxes(x.axes, [axis]) }];
}
