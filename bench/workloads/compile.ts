import { type SequenceSize, sequenceProblem } from "../sequence.ts";
import type { Goal, Side, SideName, Workload } from "../side.ts";
import * as jax from "../sides/jax.ts";
import { compileSide, seqcSides } from "../sides/seqc.ts";
import { describe, sequenceStep } from "./sequence.ts";

/** From the model's text to the end of its first training step, less another step. */
export function compileWorkload(name: string, size: SequenceSize, goals: readonly Goal[]): Workload {
  const problem = () => sequenceProblem(size);
  return {
    name,
    title: `${describe(size)}: compiling the training step`,
    unit: "compilation",
    units: 1,
    flops: 0,
    goals,
    slow: size.steps > 100 ? ["jax-js wasm"] : [],
    sides: new Map<SideName, () => Promise<Side>>([
      ...seqcSides((executor) => {
        const given = problem();
        return compileSide(() => sequenceStep(executor, given));
      }),
      ["jax-js wasm", async () => jax.compileSide(problem())],
    ]),
  };
}
