import type { Tensor } from "../../src/ir/tensor.ts";

/** The gradient of a number by one of its inputs: central differences, extrapolated once (error of fourth order). */
export function numericGradient(
  value: (inputs: ReadonlyMap<string, Tensor>) => number,
  inputs: ReadonlyMap<string, Tensor>,
  id: string,
  step = 1e-3,
): Tensor {
  const tensor = inputs.get(id);
  if (tensor === undefined) throw new Error(`no input %${id}`);
  const at = (index: number, by: number): number => {
    const data = Float64Array.from(tensor.data);
    data[index] = (data[index] ?? 0) + by;
    return value(new Map(inputs).set(id, { ...tensor, data }));
  };
  const difference = (index: number, by: number): number => (at(index, by) - at(index, -by)) / (2 * by);
  const data = tensor.data.map((_, index) => (4 * difference(index, step / 2) - difference(index, step)) / 3);
  return { ...tensor, data };
}
