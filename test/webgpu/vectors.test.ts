import { afterAll, beforeAll, describe, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { PROCESSOR_TUNING } from "../../src/runtime/webgpu-tuning.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { expectArray, readArray } from "../support/read.ts";
import { checkCase } from "../vectors/case.ts";
import { cellCases } from "../vectors/cells.ts";
import { train, trajectories } from "../vectors/trajectories.ts";
import { webGpu } from "./execute.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => gpu.device.destroy());

function optimized(program: Program): Program {
  return optimizeProgram(program, { off: PRODUCT_PASSES });
}

/** Some in both directions, with masks, with one way through the loop or the other. */
const CHOSEN = [
  { name: "lstm_bi", whole: true },
  { name: "lstm_masked", whole: false },
  { name: "gruv1", whole: true },
  { name: "rnn_bi_masked", whole: true },
  { name: "rnn_bi_masked", whole: false },
];

describe("recurrent layers of another framework", { timeout: 120_000 }, () => {
  const cases = new Map(cellCases().map((one) => [one.name, one]));
  for (const { name, whole } of CHOSEN) {
    test(`${name}, ${whole ? "all steps in one stage" : "step by step"}`, async () => {
      const one = cases.get(name);
      if (one === undefined) throw new Error(`no case ${name} among ${[...cases.keys()].join(", ")}`);
      const program = optimized(one.program);
      const execute = webGpu(gpu.device, program.sizes, whole);
      await checkCase({ ...one, program }, execute, { output: 1e-5, gradient: 1e-4 });
    });
  }
});

describe("training steps of another framework", { timeout: 120_000 }, () => {
  for (const trajectory of trajectories()) {
    if (trajectory.name === "charlm_sgd") continue;
    test(trajectory.name, async () => {
      const program = optimized(trajectory.program);
      const { losses, last } = await train(
        { ...trajectory, program },
        webGpu(gpu.device, program.sizes, true, { ...PROCESSOR_TUNING, subgroups: true }),
      );
      const wanted = { shape: [losses.length], data: trajectory.losses };
      expectArray("losses", { shape: [losses.length], data: losses }, wanted, { within: 1e-4 });
      for (const [weight, array] of Object.entries(trajectory.final)) {
        expectArray(weight, readArray(program, last, `weight.${weight}`), array, { within: 1e-4 });
      }
    });
  }
});
