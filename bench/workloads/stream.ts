import { type SequenceSize, sequenceFlops, sequenceProblem } from "../sequence.ts";
import type { Goal, Side, SideName, Workload } from "../side.ts";
import * as jax from "../sides/jax.ts";
import * as layers from "../sides/layers.ts";
import * as onnx from "../sides/onnx.ts";
import { seqcSides, streamSide } from "../sides/seqc.ts";
import { describe } from "./sequence.ts";

/** A sequence given one vector at a time, as it comes in; after each, the answer is there as an array. */
export function streamWorkload(name: string, size: SequenceSize, goals: readonly Goal[]): Workload {
  const problem = () => sequenceProblem(size);
  return {
    name,
    title: `${describe(size)}: forward, one step at a time`,
    unit: "step",
    units: size.steps,
    flops: sequenceFlops({ ...size, steps: 1 }).forward,
    goals,
    sides: new Map<SideName, () => Promise<Side>>([
      ...seqcSides((executor) => {
        const { weights, x, inputs, hidden, classes } = problem();
        return streamSide(executor, weights, x, { D: inputs, H: hidden, C: classes });
      }),
      ["tfjs-layers wasm", () => layers.stream(problem(), "wasm")],
      ["jax-js wasm", () => jax.stream(problem())],
      ["onnxruntime", () => onnx.stream(problem())],
    ]),
  };
}
