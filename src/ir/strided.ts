import { elementCount, stridesAlong, stridesOf, type Tensor, zeroTensor } from "./tensor.ts";

/** A strided view into numbers: position p (one index an axis) lies at offset + Σ p·stride. */
export interface Place {
  readonly data: Float64Array;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Copies a box of `shape` from one place to another. A stride of 0 repeats. */
export function copyBox(target: Place, source: Place, shape: readonly number[]): void {
  if (!shape.includes(0)) walk(target, source, shape, 0, target.offset, source.offset, copyRow);
}

/** Adds a box of `shape` to what lies at the target. */
export function addBox(target: Place, source: Place, shape: readonly number[]): void {
  if (!shape.includes(0)) walk(target, source, shape, 0, target.offset, source.offset, addRow);
}

type Row = (
  target: Float64Array,
  to: number,
  toStride: number,
  source: Float64Array,
  from: number,
  fromStride: number,
  count: number,
) => void;

function walk(
  target: Place,
  source: Place,
  shape: readonly number[],
  axis: number,
  to: number,
  from: number,
  row: Row,
): void {
  if (axis >= shape.length) {
    row(target.data, to, 1, source.data, from, 1, 1);
    return;
  }
  const count = shape[axis] ?? 0;
  const toStride = target.strides[axis] ?? 0;
  const fromStride = source.strides[axis] ?? 0;
  if (axis === shape.length - 1) {
    row(target.data, to, toStride, source.data, from, fromStride, count);
    return;
  }
  for (let index = 0; index < count; index++) {
    walk(target, source, shape, axis + 1, to + index * toStride, from + index * fromStride, row);
  }
}

const copyRow: Row = (target, to, toStride, source, from, fromStride, count) => {
  if (toStride === 1 && fromStride === 1 && count > 16) {
    target.set(source.subarray(from, from + count), to);
    return;
  }
  for (let index = 0; index < count; index++) target[to + index * toStride] = source[from + index * fromStride]!;
};

const addRow: Row = (target, to, toStride, source, from, fromStride, count) => {
  for (let index = 0; index < count; index++) {
    const at = to + index * toStride;
    target[at] = target[at]! + source[from + index * fromStride]!;
  }
};

/** The tensor with exactly these axes in this order, repeated along those it lacks. The same object where it already is so. */
export function layOut(tensor: Tensor, axes: readonly string[], shape: readonly number[]): Tensor {
  if (tensor.axes.length === axes.length && axes.every((axis, index) => tensor.axes[index] === axis)) return tensor;
  const out = zeroTensor(tensor.dtype, axes, shape);
  copyBox(
    { data: out.data, offset: 0, strides: stridesOf(shape) },
    { data: tensor.data, offset: 0, strides: stridesAlong(tensor, axes) },
    shape,
  );
  return out;
}

/** Moves `last` (which it must have) behind its other axes. */
export function layOutLast(tensor: Tensor, last: readonly string[]): Tensor {
  const axes = [...tensor.axes.filter((axis) => !last.includes(axis)), ...last];
  return layOut(
    tensor,
    axes,
    axes.map((axis) => tensor.shape[tensor.axes.indexOf(axis)] ?? 1),
  );
}

/** Names, sizes and positions of several tensors' axes together, in order of first appearance. */
export function unionShape(tensors: readonly Tensor[]): { axes: readonly string[]; shape: readonly number[] } {
  const sizes = new Map<string, number>();
  for (const tensor of tensors) {
    tensor.axes.forEach((axis, index) => {
      const size = tensor.shape[index] ?? 1;
      const before = sizes.get(axis);
      if (before !== undefined && before !== size) {
        throw new Error(`internal: axis ${axis} is ${before} long in one operand and ${size} in another`);
      }
      sizes.set(axis, size);
    });
  }
  return { axes: [...sizes.keys()], shape: [...sizes.values()] };
}

/** Calls for every position of `shape` in row-major order with the offsets that the given strides lead to. */
export function eachOffset(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (offsets: readonly number[]) => void,
): void {
  const count = elementCount(shape);
  const position = new Array<number>(shape.length).fill(0);
  const offsets = new Array<number>(strides.length).fill(0);
  for (let step = 0; step < count; step++) {
    visit(offsets);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (position[axis] ?? 0) + 1;
      const wrap = next === shape[axis];
      position[axis] = wrap ? 0 : next;
      for (let k = 0; k < offsets.length; k++) {
        const stride = strides[k]?.[axis] ?? 0;
        offsets[k] = (offsets[k] ?? 0) + (wrap ? stride * (1 - next) : stride);
      }
      if (!wrap) break;
    }
  }
}
