import type { Op, Reads } from "../ir/op.ts";
import { addSizes, constantSize, equalSizes, laidOutSize, multiplySizes, type Size } from "../ir/size.ts";
import { copyBox, layOut, layOutLast } from "../ir/strided.ts";
import { axisLength, emptyTensor, sizeValue, stridesAlong, stridesOf, zeroTensor } from "../ir/tensor.ts";
import { type Axis, type DType, hasAxis, type Type, unionAxes, withoutAxes } from "../ir/type.ts";
import { alternatives } from "./dtype.ts";
import { sizeClash, spread } from "./elementwise.ts";
import { gatherTensor, putTensor, scatterTensor } from "./indexed.ts";
import * as make from "./make.ts";
import * as moves from "./make_move.ts";

/** Ops that rearrange a value and compute nothing. */

const SAME: Reads = { kind: "same" };
const ALL: Reads = { kind: "all" };

export type ExpandAttributes = { readonly axes: readonly Axis[] };

/** Repeats a value along axes that it lacks. */
export const expand: Op<ExpandAttributes> = {
  name: "expand",
  form: "move",
  infer: ([x], { axes }) =>
    x === undefined
      ? "takes a value"
      : (sizeClash([x, { dtype: x.dtype, axes }]) ?? [{ dtype: x.dtype, axes: unionAxes(x.axes, axes) }]),
  reads: () => SAME,
  vjp: ({ builder, node, cotangents: [dy] }) => [
    spread(builder, dy, node.attributes.axes, builder.type(node.inputs[0] ?? "")),
  ],
  evaluate: ([x], _attributes, [type], sizes) => {
    if (x === undefined || type === undefined) return [];
    const empty = type.axes.map((axis) => sizeValue(axis.size, sizes));
    return [
      layOut(
        x,
        type.axes.map((axis) => axis.id),
        empty,
      ),
    ];
  },
};

export type RenameAttributes = { readonly from: readonly string[]; readonly to: readonly Axis[] };

/** Gives axes other ids, all at once, so that two can swap. */
export const rename: Op<RenameAttributes> = {
  name: "rename",
  form: "move",
  infer: ([x], { from, to }) => {
    if (x === undefined || from.length !== to.length) return "takes a value, and as many new axes as old ones";
    const axes: Axis[] = [];
    for (const axis of x.axes) {
      const next = to[from.indexOf(axis.id)] ?? axis;
      if (!equalSizes(laidOutSize(next.size), laidOutSize(axis.size)))
        return `${axis.id} is ${axis.size.text}, ${next.id} is ${next.size.text}`;
      if (axes.some((other) => other.id === next.id)) return `the value would have ${next.id} twice`;
      axes.push(next);
    }
    const missing = from.find((id) => !hasAxis(x, id));
    return missing === undefined ? [{ dtype: x.dtype, axes }] : `the value has no axis ${missing}`;
  },
  reads: ({ attributes: { from, to } }, _input, axis) =>
    from.includes(axis) || to.some((other) => other.id === axis) ? ALL : SAME,
  vjp: ({ builder, node, cotangents: [dy] }) => {
    if (dy === undefined) return [undefined];
    const own = builder.type(node.inputs[0] ?? "").axes;
    const { from, to } = node.attributes;
    const back = from.flatMap((id) => own.filter((axis) => axis.id === id));
    return [
      moves.rename(
        builder,
        dy,
        to.map((axis) => axis.id),
        back,
      ),
    ];
  },
  evaluate: ([x], { from, to }) =>
    x === undefined ? [] : [{ ...x, axes: x.axes.map((axis) => to[from.indexOf(axis)]?.id ?? axis) }],
};

export type GatherAttributes = { readonly axis: string };

/**
 * gather(x, index)[p, q] = x[p, axis := index[p', q]], where p are axes of x and q axes of index; axes that both have are
 * aligned. An index outside is moved to the nearest end.
 */
export const gather: Op<GatherAttributes> = {
  name: "gather",
  form: "move",
  infer: ([x, index], { axis }) => {
    if (x === undefined || index === undefined || index.dtype !== "int") return "takes a value and an int index";
    if (!hasAxis(x, axis)) return `the value has no axis ${axis}`;
    const rest = withoutAxes(x.axes, [axis]);
    const clash = sizeClash([{ dtype: x.dtype, axes: rest }, index]);
    return clash ?? [{ dtype: x.dtype, axes: unionAxes(index.axes, rest) }];
  },
  reads: (node, input, axis) => (input === 0 && axis === node.attributes.axis ? ALL : SAME),
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const [x = "", index = ""] = node.inputs;
    const axis = builder.type(x).axes.find((own) => own.id === node.attributes.axis);
    if (dy === undefined || axis === undefined) return [undefined, undefined];
    // The index may run over the very axis that it looks up: then the sum over it cannot wait.
    const sum = hasAxis(builder.type(index), axis.id) ? [axis.id] : [];
    return [builder.add(scatter, [dy, index], { axis, sum }), undefined];
  },
  evaluate: ([x, index], { axis }) => (x === undefined || index === undefined ? [] : [gatherTensor(x, index, axis)]),
};

export type ScatterAttributes = { readonly axis: Axis; readonly sum: readonly string[] };

/**
 * The adjoint of gather: scatter(d, index)[p, a] = Σ over `sum` of d where index is a, over a new axis. An index outside is moved
 * to the nearest end.
 */
export const scatter: Op<ScatterAttributes> = {
  name: "scatter",
  form: "move",
  infer: ([d, index], { axis, sum }) => {
    if (d === undefined || index === undefined || index.dtype !== "int") return "takes a value and an int index";
    const both = unionAxes(d.axes, index.axes);
    const missing = sum.find((id) => !both.some((other) => other.id === id));
    if (missing !== undefined) return `sums over ${missing}, which neither has`;
    const kept = withoutAxes(both, sum);
    if (kept.some((other) => other.id === axis.id)) return `${axis.id} is there already`;
    return sizeClash([d, index]) ?? [{ dtype: d.dtype, axes: [...kept, axis] }];
  },
  reads: (node, _input, axis) => (node.attributes.sum.includes(axis) ? ALL : SAME),
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const [d = "", index = ""] = node.inputs;
    if (dy === undefined) return [undefined, undefined];
    const contribution = moves.gather(builder, dy, index, node.attributes.axis.id);
    return [spread(builder, contribution, builder.type(index).axes, builder.type(d)), undefined];
  },
  evaluate: ([d, index], { axis, sum }, _outputs, sizes) =>
    d === undefined || index === undefined ? [] : [scatterTensor(d, index, axis.id, sizeValue(axis.size, sizes), sum)],
};

export type SliceAttributes = { readonly axis: string; readonly to: Axis; readonly start: Size };

/** slice(x)[i] = x[i + start], `to` in place of `axis`. */
export const slice: Op<SliceAttributes> = {
  name: "slice",
  form: "move",
  infer: ([x], { axis, to }) => (x === undefined ? "takes a value" : replaceAxis(x, axis, to)),
  reads: (node, _input, axis) => (axis === node.attributes.axis ? ALL : SAME),
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axis, to, start } = node.attributes;
    const own = builder.type(node.inputs[0] ?? "").axes.find((other) => other.id === axis);
    if (dy === undefined || own === undefined) return [undefined];
    return [moves.pad(builder, moves.expand(builder, dy, [to]), to.id, own, start)];
  },
  evaluate: ([x], { axis, to, start }, _outputs, sizes) => {
    if (x === undefined) return [];
    const axes = x.axes.map((id) => (id === axis ? to.id : id));
    const shape = x.axes.map((id, at) => (id === axis ? sizeValue(to.size, sizes) : (x.shape[at] ?? 1)));
    const first = sizeValue(start, sizes);
    checkWithin(first, sizeValue(to.size, sizes), axisLength(x, axis), axis);
    const out = zeroTensor(x.dtype, axes, shape);
    const strides = stridesOf(x.shape);
    const offset = first * (strides[x.axes.indexOf(axis)] ?? 0);
    copyBox({ data: out.data, offset: 0, strides: stridesOf(shape) }, { data: x.data, offset, strides }, shape);
    return [out];
  },
};

export type PadAttributes = { readonly axis: string; readonly to: Axis; readonly start: Size };

/** The adjoint of slice: pad(x)[i + start] = x[i], zero (false) elsewhere. */
export const pad: Op<PadAttributes> = {
  name: "pad",
  form: "move",
  infer: ([x], { axis, to }) => (x === undefined ? "takes a value" : replaceAxis(x, axis, to)),
  reads: (node, _input, axis) => (axis === node.attributes.axis ? ALL : SAME),
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axis, to, start } = node.attributes;
    const own = builder.type(node.inputs[0] ?? "").axes.find((other) => other.id === axis);
    if (dy === undefined || own === undefined) return [undefined];
    return [hasAxis(builder.type(dy), to.id) ? moves.slice(builder, dy, to.id, own, start) : dy];
  },
  evaluate: ([x], { axis, to, start }, _outputs, sizes) => {
    if (x === undefined) return [];
    const length = sizeValue(to.size, sizes);
    const axes = x.axes.map((id) => (id === axis ? to.id : id));
    const out = zeroTensor(
      x.dtype,
      axes,
      x.axes.map((id, at) => (id === axis ? length : (x.shape[at] ?? 1))),
    );
    const first = sizeValue(start, sizes);
    checkWithin(first, axisLength(x, axis), length, to.id);
    const strides = stridesOf(out.shape);
    const offset = first * (strides[x.axes.indexOf(axis)] ?? 0);
    copyBox({ data: out.data, offset, strides }, { data: x.data, offset: 0, strides: stridesOf(x.shape) }, x.shape);
    return [out];
  },
};

function replaceAxis(x: Type, axis: string, to: Axis): readonly Type[] | string {
  if (!hasAxis(x, axis)) return `the value has no axis ${axis}`;
  if (to.id !== axis && hasAxis(x, to.id)) return `the value would have ${to.id} twice`;
  return [{ dtype: x.dtype, axes: x.axes.map((own) => (own.id === axis ? to : own)) }];
}

function checkWithin(start: number, count: number, length: number, axis: string): void {
  if (start + count > length) {
    throw new Error(`positions ${start} to ${start + count - 1} of ${axis} are asked for, which has ${length}`);
  }
}

export type ConcatAttributes = {
  /** Each input's own axis, "" where it is one entry without that axis. */
  readonly axes: readonly string[];
  readonly to: Axis;
};

/** The inputs one after another along `to`; their other axes broadcast. */
export const concat: Op<ConcatAttributes> = {
  name: "concat",
  form: "move",
  infer: (inputs, { axes, to }) => {
    if (inputs.length === 0 || inputs.length !== axes.length) return "takes values, and an axis for each";
    const rests: Type[] = [];
    let total: Size = constantSize(0);
    for (const [index, input] of inputs.entries()) {
      const own = input.axes.find((axis) => axis.id === axes[index]);
      if (own === undefined && axes[index] !== "") return `value ${index} has no axis ${axes[index]}`;
      total = addSizes(total, own?.size ?? constantSize(1));
      rests.push({ dtype: input.dtype, axes: own === undefined ? input.axes : withoutAxes(input.axes, [own.id]) });
    }
    if (!equalSizes(total, to.size)) return `the parts make ${total.text}, the whole is ${to.size.text}`;
    const dtype = alternatives(inputs.map((input) => input.dtype));
    if (typeof dtype !== "string") return dtype.wrong;
    const rest = unionAxes(...rests.map((type) => type.axes));
    const taken = [to.id, ...axes].find((id) => rest.some((axis) => axis.id === id));
    if (taken !== undefined) return `${taken} is also another axis of a value`;
    return sizeClash(rests) ?? [{ dtype: dtype satisfies DType, axes: [...rest, to] }];
  },
  reads: (node, input, axis) => (node.attributes.axes[input] === axis ? ALL : SAME),
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { axes, to } = node.attributes;
    const output = node.outputs[0];
    if (dy === undefined || output === undefined) return node.inputs.map(() => undefined);
    let start: Size = constantSize(0);
    return node.inputs.map((input, index) => {
      const type = builder.type(input);
      const own = type.axes.find((axis) => axis.id === axes[index]);
      const from = start;
      start = addSizes(start, own?.size ?? constantSize(1));
      const part = !hasAxis(builder.type(dy), to.id)
        ? dy
        : own === undefined
          ? moves.gather(builder, dy, make.sizeInt(builder, from), to.id)
          : moves.slice(builder, dy, to.id, own, from);
      return spread(builder, part, withoutAxes(output.type.axes, [to.id]), type);
    });
  },
  evaluate: (inputs, { axes, to }, [type], sizes) => {
    if (type === undefined) return [];
    const out = emptyTensor(type, sizes);
    const order = [to.id, ...out.axes.filter((axis) => axis !== to.id)];
    const strides = stridesAlong(out, order);
    let start = 0;
    inputs.forEach((input, index) => {
      const own = axes[index] ?? "";
      const count = own === "" ? 1 : axisLength(input, own);
      const target = { data: out.data, offset: start * (strides[0] ?? 0), strides };
      const source = { data: input.data, offset: 0, strides: stridesAlong(input, [own, ...order.slice(1)]) };
      copyBox(target, source, [count, ...order.slice(1).map((axis) => axisLength(out, axis))]);
      start += count;
    });
    return [out];
  },
};

export type ReshapeAttributes = { readonly from: readonly string[]; readonly to: readonly Axis[] };

/** Reads the axes `from`, in this order, as one row-major run of positions and cuts it into the axes `to`. */
export const reshape: Op<ReshapeAttributes> = {
  name: "reshape",
  form: "move",
  infer: ([x], { from, to }) => {
    if (x === undefined) return "takes a value";
    const own = from.map((id) => x.axes.find((axis) => axis.id === id));
    if (own.includes(undefined)) return `the value has no axis ${from[own.indexOf(undefined)]}`;
    const rest = withoutAxes(x.axes, from);
    const twice = to.find((axis, at) => [...rest, ...to.slice(0, at)].some((other) => other.id === axis.id));
    if (twice !== undefined) return `the value would have ${twice.id} twice`;
    const before = product(own.flatMap((axis) => (axis === undefined ? [] : [axis])));
    const after = product(to);
    return equalSizes(before, after)
      ? [{ dtype: x.dtype, axes: [...rest, ...to] }]
      : `${before.text} positions cannot become ${after.text}`;
  },
  reads: ({ attributes: { from, to } }, _input, axis) =>
    from.includes(axis) || to.some((other) => other.id === axis) ? ALL : SAME,
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const { from, to } = node.attributes;
    const own = builder.type(node.inputs[0] ?? "").axes;
    if (dy === undefined) return [undefined];
    return [
      moves.reshape(
        builder,
        dy,
        to,
        from.flatMap((id) => own.filter((axis) => axis.id === id)),
      ),
    ];
  },
  evaluate: ([x], { from, to }, _outputs, sizes) => {
    if (x === undefined) return [];
    const laid = layOutLast(x, from);
    const kept = laid.axes.length - from.length;
    return [
      {
        ...laid,
        axes: [...laid.axes.slice(0, kept), ...to.map((axis) => axis.id)],
        shape: [...laid.shape.slice(0, kept), ...to.map((axis) => sizeValue(axis.size, sizes))],
      },
    ];
  },
};

function product(axes: readonly Axis[]): Size {
  return axes.reduce((size, axis) => multiplySizes(size, axis.size), constantSize(1));
}

export type PutAttributes = { readonly axis: string };

/** put(buffer, value, index): the buffer with its entry `index` along `axis` replaced. An index outside is moved to the nearest end. */
export const put: Op<PutAttributes> = {
  name: "put",
  form: "move",
  infer: ([buffer, value, index], { axis }) => {
    if (buffer === undefined || value === undefined || index?.dtype !== "int") {
      return "takes a buffer, a value and an int index";
    }
    if (!hasAxis(buffer, axis)) return `the buffer has no axis ${axis}`;
    if (hasAxis(value, axis) || hasAxis(index, axis)) return `value and index must lack ${axis}`;
    if (value.dtype !== buffer.dtype) return `the buffer is ${buffer.dtype}, the value ${value.dtype}`;
    return (
      sizeClash([buffer, value, index]) ?? [
        { dtype: buffer.dtype, axes: unionAxes(buffer.axes, value.axes, index.axes) },
      ]
    );
  },
  reads: () => SAME,
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const [buffer = "", value = "", index = ""] = node.inputs;
    const output = node.outputs[0];
    const axis = builder.type(buffer).axes.find((own) => own.id === node.attributes.axis);
    if (dy === undefined || axis === undefined || output === undefined) return [undefined, undefined, undefined];
    const last = make.sub(builder, make.sizeInt(builder, axis.size), make.int(builder, 1));
    const at = make.minimum(builder, make.maximum(builder, index, make.int(builder, 0)), last);
    const here = make.eq(builder, make.iota(builder, axis), at);
    const kept = make.select(builder, here, make.num(builder, 0), dy);
    const put = moves.gather(builder, dy, index, axis.id);
    return [
      spread(builder, kept, output.type.axes, builder.type(buffer)),
      spread(builder, put, withoutAxes(output.type.axes, [axis.id]), builder.type(value)),
      undefined,
    ];
  },
  evaluate: ([buffer, value, index], { axis }, [type], sizes) =>
    buffer === undefined || value === undefined || index === undefined || type === undefined
      ? []
      : [putTensor(buffer, value, index, axis, type, sizes)],
};
