import type { Op } from "../ir/op.ts";
import { type Distribution, fillRandom } from "../ir/random.ts";
import { evaluateSize, type Size } from "../ir/size.ts";
import { emptyTensor, scalarTensor } from "../ir/tensor.ts";
import type { Axis, DType } from "../ir/type.ts";

/** Values that come from no other value: numbers, positions, sizes, random numbers. */

export type ConstantAttributes = { readonly value: number; readonly dtype: DType };

export const constant: Op<ConstantAttributes> = {
  name: "constant",
  form: "source",
  infer: (_inputs, { value, dtype }) =>
    dtype === "int" && Number.isFinite(value) && !Number.isInteger(value)
      ? `${value} is not an int`
      : [{ dtype, axes: [] }],
  reads: () => ({ kind: "same" }),
  vjp: () => [],
  evaluate: (_inputs, { value, dtype }) => [scalarTensor(dtype, value)],
};

export type IotaAttributes = { readonly axis: Axis };

/** The positions 0, 1, 2, … of an axis. */
export const iota: Op<IotaAttributes> = {
  name: "iota",
  form: "source",
  infer: (_inputs, { axis }) => [{ dtype: "int", axes: [axis] }],
  reads: () => ({ kind: "same" }),
  vjp: () => [],
  evaluate: (_inputs, { axis }, _outputs, sizes) => {
    const out = emptyTensor({ dtype: "int", axes: [axis] }, sizes);
    return [{ ...out, data: out.data.map((_, index) => index) }];
  },
};

export type ExtentAttributes = { readonly size: Size };

/** The number that a size is when the program is bound. */
export const extent: Op<ExtentAttributes> = {
  name: "extent",
  form: "source",
  infer: () => [{ dtype: "float", axes: [] }],
  reads: () => ({ kind: "same" }),
  vjp: () => [],
  evaluate: (_inputs, { size }, _outputs, sizes) => {
    const value = evaluateSize(size, sizes);
    if (value === undefined) throw new Error(`the size ${size.text} is not known: bind its names`);
    return [scalarTensor("float", value)];
  },
};

export type RandomAttributes = {
  readonly distribution: Distribution;
  /** What the numbers are for; streams of different names are independent. */
  readonly stream: string;
  /** The number at a position depends on its row-major index over these axes in this order. */
  readonly axes: readonly Axis[];
};

/** random(seed): numbers of `ir/random.ts`. */
export const random: Op<RandomAttributes> = {
  name: "random",
  form: "source",
  infer: ([seed, ...more], { axes }) =>
    seed === undefined || more.length > 0 || seed.dtype !== "int" || seed.axes.length > 0
      ? "takes one seed, an int without axes"
      : [{ dtype: "float", axes }],
  reads: () => ({ kind: "same" }),
  vjp: () => [undefined],
  evaluate: ([seed], { distribution, stream, axes }, _outputs, sizes) => {
    const out = emptyTensor({ dtype: "float", axes }, sizes);
    fillRandom(out.data, distribution, seed?.data[0] ?? 0, stream);
    return [out];
  },
};
