import { expect } from "vitest";
import type { SizeBinding } from "../../src/ir/size.ts";
import { emptyTensor, type Tensor } from "../../src/ir/tensor.ts";
import type { Type } from "../../src/ir/type.ts";
import type { Chance } from "./chance.ts";

/** Numbers for a type: floats in low ... high, ints in 0 ... 3, booleans. */
export function randomTensor(chance: Chance, type: Type, sizes: SizeBinding, low = -1.5, high = 1.5): Tensor {
  const empty = emptyTensor(type, sizes);
  const draw = { float: () => chance.between(low, high), int: () => chance.below(4), bool: () => chance.below(2) };
  return { ...empty, data: empty.data.map(draw[type.dtype]) };
}

/** Same axes, shapes and, within a relative tolerance, numbers. */
export function expectClose(
  actual: Tensor | undefined,
  expected: Tensor | undefined,
  tolerance: number,
  what = "",
): void {
  expect(actual?.axes, what).toEqual(expected?.axes);
  expect(actual?.shape, what).toEqual(expected?.shape);
  actual?.data.forEach((value, index) => {
    const wanted = expected?.data[index] ?? Number.NaN;
    if (Object.is(value, wanted) || value === wanted) return;
    const error = Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
    expect(error, `${what}: entry ${index} is ${value}, expected ${wanted}`).toBeLessThanOrEqual(tolerance);
  });
}

/** Row-major offset of each position of a tensor along one of its axes. */
export function positionsAlong(tensor: Tensor, axis: string): readonly number[] {
  const at = tensor.axes.indexOf(axis);
  const stride = tensor.shape.slice(at + 1).reduce((product, size) => product * size, 1);
  return Array.from(tensor.data, (_, offset) => Math.floor(offset / stride) % (tensor.shape[at] ?? 1));
}
