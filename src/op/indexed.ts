import type { SizeBinding } from "../ir/size.ts";
import { addBox, copyBox, eachOffset, unionShape } from "../ir/strided.ts";
import { axisLength, emptyTensor, stridesAlong, stridesOf, type Tensor, zeroTensor } from "../ir/tensor.ts";
import type { Type } from "../ir/type.ts";

/* The reference evaluation of gather, scatter and put. */

/** x[axis := index[..]] at every position of the index, which leads the result. */
export function gatherTensor(x: Tensor, index: Tensor, axis: string): Tensor {
  const length = axisLength(x, axis);
  const rest = x.axes.filter((id) => id !== axis && !index.axes.includes(id));
  const restShape = rest.map((id) => axisLength(x, id));
  const out = zeroTensor(x.dtype, [...index.axes, ...rest], [...index.shape, ...restShape]);
  const [stride = 0] = stridesAlong(x, [axis]);
  const own = stridesAlong(x, index.axes).map((step, at) => (index.axes[at] === axis ? 0 : step));
  const fromStrides = stridesAlong(x, rest);
  const toStrides = stridesAlong(out, rest);
  eachOffset(
    index.shape,
    [stridesOf(index.shape), own, stridesAlong(out, index.axes)],
    ([at = 0, from = 0, to = 0]) => {
      const offset = from + clip(index.data[at] ?? 0, length) * stride;
      copyBox(
        { data: out.data, offset: to, strides: toStrides },
        { data: x.data, offset, strides: fromStrides },
        restShape,
      );
    },
  );
  return out;
}

/** Σ of d over `sum`, at the places along a new axis that the index says. */
export function scatterTensor(d: Tensor, index: Tensor, axis: string, length: number, sum: readonly string[]): Tensor {
  const both = unionShape([d, index]);
  const kept = both.axes.filter((id) => !sum.includes(id));
  const shape = kept.map((id) => both.shape[both.axes.indexOf(id)] ?? 1);
  const out = zeroTensor(d.dtype, [...kept, axis], [...shape, length]);
  // Along what is summed the target stands still, so that the values add up.
  const target = (axes: readonly string[]) =>
    stridesAlong(out, axes).map((stride, at) => (sum.includes(axes[at] ?? "") ? 0 : stride));
  const rest = d.axes.filter((id) => !index.axes.includes(id));
  const restShape = rest.map((id) => axisLength(d, id));
  const fromStrides = stridesAlong(d, rest);
  const toStrides = target(rest);
  const strides = [stridesOf(index.shape), stridesAlong(d, index.axes), target(index.axes)];
  eachOffset(index.shape, strides, ([at = 0, from = 0, to = 0]) => {
    addBox(
      { data: out.data, offset: to + clip(index.data[at] ?? 0, length), strides: toStrides },
      { data: d.data, offset: from, strides: fromStrides },
      restShape,
    );
  });
  return out;
}

/** The buffer, laid out as `type`, with the entries that the index says replaced by the value. */
export function putTensor(
  buffer: Tensor,
  value: Tensor,
  index: Tensor,
  axis: string,
  type: Type,
  sizes: SizeBinding,
): Tensor {
  const out = emptyTensor(type, sizes);
  const whole = { data: out.data, offset: 0, strides: stridesOf(out.shape) };
  copyBox(whole, { data: buffer.data, offset: 0, strides: stridesAlong(buffer, out.axes) }, out.shape);
  const rest = out.axes.filter((id) => id !== axis && !index.axes.includes(id));
  const restShape = rest.map((id) => axisLength(out, id));
  const length = axisLength(out, axis);
  const [stride = 0] = stridesAlong(out, [axis]);
  const toStrides = stridesAlong(out, rest);
  const fromStrides = stridesAlong(value, rest);
  const strides = [stridesOf(index.shape), stridesAlong(value, index.axes), stridesAlong(out, index.axes)];
  eachOffset(index.shape, strides, ([at = 0, from = 0, to = 0]) => {
    const offset = to + clip(index.data[at] ?? 0, length) * stride;
    copyBox(
      { data: out.data, offset, strides: toStrides },
      { data: value.data, offset: from, strides: fromStrides },
      restShape,
    );
  });
  return out;
}

/** The nearest position of an axis. */
function clip(index: number, length: number): number {
  return Math.min(Math.max(index, 0), length - 1);
}
