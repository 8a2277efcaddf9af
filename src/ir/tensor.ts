import { evaluateSize, type Size, type SizeBinding } from "./size.ts";
import type { Axis, DType, Type } from "./type.ts";

/** A dense value with named axes, row-major in the order of `axes`; booleans are 0 and 1, integers exact. */
export interface Tensor {
  readonly dtype: DType;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function scalarTensor(dtype: DType, value: number): Tensor {
  return { dtype, axes: [], shape: [], data: Float64Array.of(value) };
}

export function zeroTensor(dtype: DType, axes: readonly string[], shape: readonly number[]): Tensor {
  return { dtype, axes, shape, data: new Float64Array(elementCount(shape)) };
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] ?? 1;
  }
  return strides;
}

/** The size of one of a tensor's axes. */
export function axisLength(tensor: Tensor, axis: string): number {
  const size = tensor.shape[tensor.axes.indexOf(axis)];
  if (size === undefined) throw new Error(`internal: a tensor [${tensor.axes.join(", ")}] has no axis ${axis}`);
  return size;
}

/** How far apart neighbours along each of `axes` lie; 0 along axes that the tensor lacks, so that it repeats there. */
export function stridesAlong(tensor: Tensor, axes: readonly string[]): number[] {
  const strides = stridesOf(tensor.shape);
  return axes.map((axis) => strides[tensor.axes.indexOf(axis)] ?? 0);
}

/**
 * What a size is under a binding.
 * Throws where a name of it is not bound, or where it is not a whole number (`D/N` with N not dividing D).
 */
export function sizeValue(size: Size, sizes: SizeBinding): number {
  const value = evaluateSize(size, sizes);
  if (value === undefined) throw new Error(`the size ${size.text} is not known: bind its names`);
  if (!Number.isInteger(value) || value < 0) throw new Error(`the size ${size.text} is ${value}, not a whole number`);
  return value;
}

export function shapeOf(axes: readonly Axis[], sizes: SizeBinding): number[] {
  return axes.map((axis) => sizeValue(axis.size, sizes));
}

/** Zeros of a type. */
export function emptyTensor(type: Type, sizes: SizeBinding): Tensor {
  return zeroTensor(
    type.dtype,
    type.axes.map((axis) => axis.id),
    shapeOf(type.axes, sizes),
  );
}
