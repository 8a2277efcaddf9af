import { randomFloats } from "../arrays.ts";
import { randomWeights, type Weights } from "../sequence.ts";
import type { Goal, Side, SideName, Workload } from "../side.ts";
import * as jax from "../sides/jax.ts";
import * as layers from "../sides/layers.ts";
import * as onnx from "../sides/onnx.ts";
import { load, seqcSides, valueSide } from "../sides/seqc.ts";
import { valuesProgram } from "../sides/seqc-program.ts";

/** size × size times size × size; the left operand comes as an array, the right one is a weight, the result goes out as an array. */
export function productWorkload(name: string, size: number, goals: readonly Goal[]): Workload {
  const x = () => randomFloats("x", size * size, "gaussian");
  const weights = (): Weights => randomWeights(new Map([["W", [size, size]]]));
  const weight = () => weights().get("W")?.data ?? new Float32Array();
  return {
    name,
    title: `Product ${size} × ${size} × ${size}`,
    unit: "product",
    units: 1,
    flops: 2 * size ** 3,
    goals,
    sides: new Map<SideName, () => Promise<Side>>([
      ...seqcSides((executor) => {
        const program = valuesProgram({ file: "product.seq", sizes: { N: size }, model: "Product", values: ["y"] });
        const inputs = { x: { shape: [size, size], data: x() } };
        return valueSide(load(executor, program, weights(), inputs, { B: size }), "value.y");
      }),
      ["tfjs wasm", () => layers.product(x(), weight(), size)],
      ["jax-js wasm", () => jax.product(x(), weight(), size)],
      ["onnxruntime", () => onnx.product(x(), weight(), size)],
    ]),
  };
}
