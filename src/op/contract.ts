import type { Op } from "../ir/op.ts";
import { layOut } from "../ir/strided.ts";
import { axisLength, elementCount, type Tensor, zeroTensor } from "../ir/tensor.ts";
import { unionAxes, withoutAxes } from "../ir/type.ts";
import { promoted } from "./dtype.ts";
import { sizeClash, spread } from "./elementwise.ts";
import * as make from "./make.ts";

export type ContractAttributes = { readonly over: readonly string[] };

/** contract(a, b) = Σ over the axes `over` of a·b; other axes that both have stay (batch axes). */
export const contract: Op<ContractAttributes> = {
  name: "contract",
  form: "contract",
  infer: ([a, b], { over }) => {
    if (a === undefined || b === undefined) return "takes two values";
    const dtype = promoted([a.dtype, b.dtype]);
    if (typeof dtype !== "string") return dtype.wrong;
    const union = unionAxes(a.axes, b.axes);
    const missing = over.find((id) => !union.some((axis) => axis.id === id));
    if (missing !== undefined) return `sums over ${missing}, which neither has`;
    return sizeClash([a, b]) ?? [{ dtype, axes: withoutAxes(union, over) }];
  },
  reads: (node, _input, axis) => (node.attributes.over.includes(axis) ? { kind: "all" } : { kind: "same" }),
  /** da = dy·b, db = dy·a, which become contractions when they are summed. */
  vjp: ({ builder, node, cotangents: [dy] }) => {
    const [a = "", b = ""] = node.inputs;
    const axes = node.outputs[0]?.type.axes ?? [];
    if (dy === undefined) return [undefined, undefined];
    return [
      spread(builder, make.mul(builder, dy, b), axes, builder.type(a)),
      spread(builder, make.mul(builder, dy, a), axes, builder.type(b)),
    ];
  },
  evaluate: ([a, b], { over }, [type]) =>
    a === undefined || b === undefined ? [] : [{ ...contractTensors(a, b, over), dtype: type?.dtype ?? "float" }],
};

/** As products of matrices [rows, inner] and [inner, columns], one for each position of the shared axes that stay. */
function contractTensors(a: Tensor, b: Tensor, over: readonly string[]): Tensor {
  const has = (tensor: Tensor) => (id: string) => tensor.axes.includes(id);
  const inner = over.filter((id) => a.axes.includes(id) && b.axes.includes(id));
  const batch = a.axes.filter((id) => has(b)(id) && !over.includes(id));
  const left = sumAway(
    a,
    over.filter((id) => !has(b)(id)),
  );
  const right = sumAway(
    b,
    over.filter((id) => !has(a)(id)),
  );
  const rows = left.axes.filter((id) => !has(right)(id));
  const columns = right.axes.filter((id) => !has(left)(id));
  const shape = (tensor: Tensor, ids: readonly string[]) => ids.map((id) => axisLength(tensor, id));
  const arrange = (tensor: Tensor, ids: readonly string[]) => layOut(tensor, ids, shape(tensor, ids)).data;
  const out = zeroTensor(
    "float",
    [...batch, ...rows, ...columns],
    [...shape(a, batch), ...shape(a, rows), ...shape(b, columns)],
  );
  const count = {
    batch: elementCount(shape(a, batch)),
    rows: elementCount(shape(a, rows)),
    columns: elementCount(shape(b, columns)),
    inner: elementCount(shape(a, inner)),
  };
  multiply(
    out.data,
    arrange(left, [...batch, ...rows, ...inner]),
    arrange(right, [...batch, ...inner, ...columns]),
    count,
  );
  return out;
}

interface ProductCounts {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

function multiply(out: Float64Array, a: Float64Array, b: Float64Array, count: ProductCounts): void {
  const { rows, columns, inner } = count;
  for (let batch = 0; batch < count.batch; batch++)
    for (let row = 0; row < rows; row++) {
      const to = (batch * rows + row) * columns;
      const from = (batch * rows + row) * inner;
      for (let k = 0; k < inner; k++) {
        const factor = a[from + k]!;
        const line = (batch * inner + k) * columns;
        for (let column = 0; column < columns; column++)
          out[to + column] = out[to + column]! + factor * b[line + column]!;
      }
    }
}

function sumAway(tensor: Tensor, ids: readonly string[]): Tensor {
  if (ids.length === 0) return tensor;
  const kept = tensor.axes.filter((id) => !ids.includes(id));
  const shape = (axes: readonly string[]) => axes.map((id) => axisLength(tensor, id));
  const laid = layOut(tensor, [...kept, ...ids], shape([...kept, ...ids]));
  const out = zeroTensor(tensor.dtype, kept, shape(kept));
  const count = elementCount(shape(ids));
  for (let row = 0; row < out.data.length; row++) {
    let sum = 0;
    for (let at = row * count; at < (row + 1) * count; at++) sum += laid.data[at]!;
    out.data[row] = sum;
  }
  return out;
}
