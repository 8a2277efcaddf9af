import type { Builder } from "../ir/builder.ts";
import type { Attributes } from "../ir/graph.ts";
import type { Op, Reads } from "../ir/op.ts";
import { equalSizes, laidOutSize, type Size, sizeConstant } from "../ir/size.ts";
import { addBox, copyBox, layOutLast, type Place } from "../ir/strided.ts";
import { axisLength, elementCount, sizeValue, stridesAlong, zeroTensor } from "../ir/tensor.ts";
import { type Axis, hasAxis, type Type, withoutAxes } from "../ir/type.ts";
import * as make from "./make.ts";
import * as moves from "./make_move.ts";
import { and, le, lt } from "./map.ts";

/**
 * Ops that read an axis at other positions than their own: the delayed reads that a recurrence closes through, and their
 * adjoints. What they read outside is a legal value (the nearest end's) that nobody may rely on: users mask it.
 */

const SAME: Reads = { kind: "same" };
const ALL: Reads = { kind: "all" };

export type ShiftAttributes = { readonly axis: string; readonly offset: number };

/** shift(x)[t] = x[t + offset], clipped to the ends. */
export const shift: Op<ShiftAttributes> = {
  name: "shift",
  form: "window",
  infer: ([x], { axis }) =>
    x === undefined || !hasAxis(x, axis) ? `the value has no axis ${axis}` : [{ dtype: x.dtype, axes: x.axes }],
  reads: ({ attributes: { axis: along, offset } }, _input, axis) =>
    axis === along ? { kind: "offsets", low: offset, high: offset } : SAME,
  /** dx[u] = dy[u - offset] where that is inside. Exact where nothing flows back from outside reads, as they are masked. */
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axis: id, offset } = node.attributes;
    const axis = builder.type(node.inputs[0] ?? "").axes.find((own) => own.id === id);
    if (dy === undefined || axis === undefined) return [undefined];
    const low = Math.max(offset, 0);
    const high = Math.max(-offset, 0);
    const inside = make.inside(builder, axis, low, high);
    if (inside === undefined) return [dy];
    const back = moves.shift(builder, dy, id, -offset);
    const ranges = [{ axis: id, low, high }];
    return [make.orelse(builder, back, make.num(builder, 0), inside, { ranges, ragged: false })];
  },
  evaluate: ([x], { axis, offset }) => {
    if (x === undefined) return [];
    const out = zeroTensor(x.dtype, x.axes, x.shape);
    const strides = stridesAlong(x, x.axes);
    const at = x.axes.indexOf(axis);
    copyClipped({ data: out.data, offset: 0, strides }, { data: x.data, offset: 0, strides }, x.shape, at, offset);
    return [out];
  },
};

/** target[t] = source[clip(t + offset)] along one axis of a box. */
function copyClipped(target: Place, source: Place, shape: readonly number[], axis: number, offset: number): void {
  const length = shape[axis] ?? 0;
  const first = Math.min(Math.max(-offset, 0), length);
  const end = Math.max(Math.min(length - offset, length), 0);
  const part = (from: number, count: number, at: number, repeat: boolean) => {
    if (count <= 0) return;
    const strides = repeat ? source.strides.map((stride, index) => (index === axis ? 0 : stride)) : source.strides;
    copyBox(
      { ...target, offset: target.offset + from * (target.strides[axis] ?? 0) },
      { ...source, strides, offset: source.offset + at * (source.strides[axis] ?? 0) },
      shape.map((size, index) => (index === axis ? count : size)),
    );
  };
  part(0, first, 0, true);
  part(first, end - first, first + offset, false);
  part(Math.max(end, first), length - Math.max(end, first), length - 1, true);
}

export type WindowAttributes = {
  readonly axis: string;
  readonly to: Axis;
  readonly offset: number;
  readonly stride: number;
};

/** window(x)[t, k] = x[t + offset + stride*k], clipped to the ends; k on the new axis `to`. */
export const window: Op<WindowAttributes> = {
  name: "window",
  form: "window",
  infer: ([x], { axis, to }) => {
    if (x === undefined || !hasAxis(x, axis)) return `the value has no axis ${axis}`;
    return hasAxis(x, to.id) ? `the value has ${to.id} already` : [{ dtype: x.dtype, axes: [...x.axes, to] }];
  },
  reads: ({ attributes: { axis: along, to, offset, stride } }, _input, axis) =>
    axis === along ? windowReads(to.size, offset, stride) : SAME,
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axis: id, to, offset, stride } = node.attributes;
    const axis = builder.type(node.inputs[0] ?? "").axes.find((own) => own.id === id);
    if (dy === undefined || axis === undefined) return [undefined];
    return [moves.unwindow(builder, dy, axis, to, offset, stride)];
  },
  evaluate: ([x], { axis, to, offset, stride }, _outputs, sizes) => {
    if (x === undefined) return [];
    const count = sizeValue(to.size, sizes);
    const out = zeroTensor(x.dtype, [...x.axes, to.id], [...x.shape, count]);
    const target = stridesAlong(out, x.axes);
    const strides = stridesAlong(x, x.axes);
    const at = x.axes.indexOf(axis);
    for (let k = 0; k < count; k++) {
      const place = { data: out.data, offset: k, strides: target };
      copyClipped(place, { data: x.data, offset: 0, strides }, x.shape, at, offset + stride * k);
    }
    return [out];
  },
};

/** Positions t+offset, t+offset+stride, …; of a symbolic number of them, no last one is known. */
function windowReads(size: Size, offset: number, stride: number): Reads {
  const count = sizeConstant(size);
  if (count === undefined) {
    return stride > 0 ? { kind: "suffix", start: offset } : { kind: "prefix", end: offset + 1 };
  }
  const last = offset + stride * (count - 1);
  return { kind: "offsets", low: Math.min(offset, last), high: Math.max(offset, last) };
}

export type UnwindowAttributes = {
  readonly axis: string;
  readonly from: string;
  readonly offset: number;
  readonly stride: number;
};

/** The adjoint of window: unwindow(d)[u] = Σ_k d[u - offset - stride*k, k], where that is inside. */
export const unwindow: Op<UnwindowAttributes> = {
  name: "unwindow",
  form: "window",
  infer: ([d], { axis, from }) =>
    d === undefined || !hasAxis(d, axis) || !hasAxis(d, from)
      ? `the value needs the axes ${axis} and ${from}`
      : [{ dtype: d.dtype, axes: withoutAxes(d.axes, [from]) }],
  reads: ({ attributes: { axis: along, from, offset, stride } }, _input, axis, type) => {
    if (axis === from) return ALL;
    const size = type.axes.find((own) => own.id === from)?.size;
    return axis === along && size !== undefined ? windowReads(size, -offset, -stride) : SAME;
  },
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axis: id, from, offset, stride } = node.attributes;
    const axes = builder.type(node.inputs[0] ?? "").axes;
    const axis = axes.find((own) => own.id === id);
    const to = axes.find((own) => own.id === from);
    if (dy === undefined || axis === undefined || to === undefined) return [undefined];
    const back = moves.window(builder, dy, id, to, offset, stride);
    return [make.select(builder, windowInside(builder, axis, to, offset, stride), back, make.num(builder, 0))];
  },
  evaluate: ([d], { axis, from, offset, stride }) => {
    if (d === undefined) return [];
    const axes = d.axes.filter((id) => id !== from);
    const shape = axes.map((id) => axisLength(d, id));
    const out = zeroTensor(d.dtype, axes, shape);
    const at = axes.indexOf(axis);
    const length = axisLength(d, axis);
    const target = stridesAlong(out, axes);
    const source = stridesAlong(d, axes);
    const [next = 0] = stridesAlong(d, [from]);
    for (let k = 0; k < axisLength(d, from); k++) {
      const by = offset + stride * k;
      const count = length - Math.abs(by);
      if (count <= 0) continue;
      addBox(
        { data: out.data, offset: Math.max(by, 0) * (target[at] ?? 0), strides: target },
        { data: d.data, offset: k * next + Math.max(-by, 0) * (source[at] ?? 0), strides: source },
        shape.map((size, index) => (index === at ? count : size)),
      );
    }
    return [out];
  },
};

/** 0 <= t + offset + stride*k < size, for t on `axis` and k on `to`. */
function windowInside(b: Builder, axis: Axis, to: Axis, offset: number, stride: number): string {
  const step = make.add(b, make.int(b, offset), make.mul(b, make.int(b, stride), make.iota(b, to)));
  const at = make.add(b, make.iota(b, axis), step);
  return make.map(b, and, make.map(b, le, make.int(b, 0), at), make.map(b, lt, at, make.sizeInt(b, axis.size)));
}

export type PrefixAttributes = { readonly axis: string; readonly to: Axis; readonly end: number };

/**
 * x[:t+end] for the positions t of `axis`, laid out whole: the value is x with `axis` renamed to `to`, and whoever uses it at
 * position t masks all but to < t + end. It says that they read no more, which is what a recurrence through it needs.
 */
export const prefix: Op<PrefixAttributes> = {
  name: "prefix",
  form: "window",
  infer: ([x], { axis, to }) => partType(x, axis, to),
  reads: ({ attributes: { axis: along, end } }, _input, axis) => (axis === along ? { kind: "prefix", end } : SAME),
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axis, to, end } = node.attributes;
    const own = builder.type(node.inputs[0] ?? "").axes.find((other) => other.id === axis);
    if (dy === undefined || own === undefined) return [undefined];
    if (hasAxis(builder.type(dy), axis)) return [moves.collect(builder, dy, own, to, end)];
    return [moves.rename(builder, dy, [to.id], [own])];
  },
  evaluate: ([x], { axis, to }) =>
    x === undefined ? [] : [{ ...x, axes: x.axes.map((id) => (id === axis ? to.id : id)) }],
};

export type SuffixAttributes = { readonly axis: string; readonly to: Axis; readonly start: number };

/** x[t+start:] for the positions t of `axis`; like `prefix`, users mask all but to >= t + start. */
export const suffix: Op<SuffixAttributes> = {
  name: "suffix",
  form: "window",
  infer: ([x], { axis, to }) => partType(x, axis, to),
  reads: ({ attributes: { axis: along, start } }, _input, axis) => (axis === along ? { kind: "suffix", start } : SAME),
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axis, to, start } = node.attributes;
    const own = builder.type(node.inputs[0] ?? "").axes.find((other) => other.id === axis);
    if (dy === undefined || own === undefined) return [undefined];
    if (hasAxis(builder.type(dy), axis)) return [moves.collectSuffix(builder, dy, own, to, start)];
    return [moves.rename(builder, dy, [to.id], [own])];
  },
  evaluate: ([x], { axis, to }) =>
    x === undefined ? [] : [{ ...x, axes: x.axes.map((id) => (id === axis ? to.id : id)) }],
};

function partType(x: Type | undefined, axis: string, to: Axis): readonly Type[] | string {
  const own = x?.axes.find((other) => other.id === axis);
  if (x === undefined || own === undefined) return `the value has no axis ${axis}`;
  if (hasAxis(x, to.id)) return `the value has ${to.id} already`;
  if (!equalSizes(laidOutSize(own.size), laidOutSize(to.size))) {
    return `${to.id} is ${to.size.text}, no part of ${own.size.text}`;
  }
  return [{ dtype: x.dtype, axes: x.axes.map((other) => (other.id === axis ? to : other)) }];
}

export type CollectAttributes = { readonly axis: string; readonly from: string; readonly end: number };

/** The adjoint of prefix for a cotangent of every t: collect(d)[u] = Σ d[t, from = u] over the t with u < t + end. */
export const collect: Op<CollectAttributes> = collecting<CollectAttributes>(
  "collect",
  ({ end }) => ({ kind: "suffix", start: 1 - end }),
  ({ end }) => [1 - end, Number.POSITIVE_INFINITY],
  (b, dy, axis, to, { end }) => moves.prefix(b, dy, axis.id, to, end),
);

export type CollectSuffixAttributes = { readonly axis: string; readonly from: string; readonly start: number };

/** The adjoint of suffix for a cotangent of every t: collect_suffix(d)[u] = Σ d[t, from = u] over the t with u >= t + start. */
export const collectSuffix: Op<CollectSuffixAttributes> = collecting<CollectSuffixAttributes>(
  "collect_suffix",
  ({ start }) => ({ kind: "prefix", end: 1 - start }),
  ({ start }) => [Number.NEGATIVE_INFINITY, -start],
  (b, dy, axis, to, { start }) => moves.suffix(b, dy, axis.id, to, start),
);

/** Ops that sum d[t, u] over the t with low <= t - u <= high. */
function collecting<A extends Attributes & { readonly axis: string; readonly from: string }>(
  name: string,
  readsAlong: (attributes: A) => Reads,
  bounds: (attributes: A) => readonly [number, number],
  adjoint: (b: Builder, dy: string, axis: Axis, to: Axis, attributes: A) => string,
): Op<A> {
  return {
    name,
    form: "window",
    infer: ([d], { axis, from }) =>
      d === undefined || !hasAxis(d, axis) || !hasAxis(d, from)
        ? `the value needs the axes ${axis} and ${from}`
        : [{ dtype: d.dtype, axes: withoutAxes(d.axes, [from]) }],
    reads: ({ attributes }, _input, axis) =>
      axis === attributes.axis ? readsAlong(attributes) : axis === attributes.from ? ALL : SAME,
    vjp: ({ builder: b, node, cotangents: [dy] }) => {
      const { attributes } = node;
      const axes = b.type(node.inputs[0] ?? "").axes;
      const axis = axes.find((own) => own.id === attributes.axis);
      const to = axes.find((own) => own.id === attributes.from);
      if (dy === undefined || axis === undefined || to === undefined) return [undefined];
      const [low, high] = bounds(attributes);
      const behind = make.sub(b, make.iota(b, axis), make.iota(b, to));
      const mask = Number.isFinite(low) ? make.le(b, make.int(b, low), behind) : make.le(b, behind, make.int(b, high));
      return [make.select(b, mask, adjoint(b, dy, axis, to, attributes), make.num(b, 0))];
    },
    evaluate: ([d], attributes) => {
      if (d === undefined) return [];
      const [low, high] = bounds(attributes);
      const laid = layOutLast(d, [attributes.axis, attributes.from]);
      const length = axisLength(d, attributes.axis);
      const rest = laid.axes.slice(0, -2);
      const out = zeroTensor(d.dtype, [...rest, attributes.axis], [...laid.shape.slice(0, -2), length]);
      const rows = elementCount(laid.shape.slice(0, -2));
      const width = axisLength(d, attributes.from);
      for (let row = 0; row < rows; row++)
        for (let u = 0; u < width; u++) {
          let sum = 0;
          const end = Math.min(length - 1, u + high);
          for (let t = Math.max(0, u + low); t <= end; t++) sum += laid.data[(row * length + t) * width + u] ?? 0;
          out.data[row * width + u] = sum;
        }
      return [out];
    },
  };
}
