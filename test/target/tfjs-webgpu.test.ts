import type * as tfjs from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { losses } from "../../examples/browser/train.ts";
import type { Program } from "../../src/build/program.ts";
import { checkedByGpu } from "../../src/runtime/gpu-errors.ts";
import { referenceExecutor } from "../../src/runtime/reference.ts";
import { tfjsGpuDevice } from "../../src/runtime/tfjs.ts";
import { tfjsExecutor } from "../../src/runtime/tfjs-executor.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { startTfjs } from "../support/tfjs.ts";
import { expectClose } from "./compare.ts";
import { writeModule } from "./emitted.ts";
import { CHARACTERS, compileFile } from "./programs.ts";

const INPUT = compileFile(CHARACTERS, new Map([["V", 7]]));
const IDS = Int32Array.of(0, 3, 5, 1, 6, 2, 4, 4, 1, 0, 2, 6);
const BATCH = {
  size: 2,
  columns: new Map([["ids", { shape: [2, 6], data: IDS, lengths: Int32Array.of(6, 4) }]]),
};

describe("tfjs on a graphics device", { timeout: 120_000 }, () => {
  let library: TfLibrary;
  beforeAll(async () => {
    library = await startTfjs("webgpu");
  });

  it("trains as the interpreter does, and keeps as many tensors as before", async () => {
    const executor = await tfjsExecutor("webgpu");
    const before = library.tf.memory().numTensors;
    const found: number[] = [];
    const counts: number[] = [];
    for await (const loss of losses(executor, stepProgram(), BATCH, { steps: 3, seed: 7 })) {
      found.push(loss);
      counts.push(library.tf.memory().numTensors);
    }
    expect(counts).toEqual([counts[0], counts[0], counts[0]]);
    expect(library.tf.memory().numTensors).toBe(before);
    const wanted = await Array.fromAsync(losses(referenceExecutor(), stepProgram(), BATCH, { steps: 3, seed: 7 }));
    expectClose("loss", found, wanted, 1e-4);
    expect(wanted[2]).toBeLessThan(wanted[0] ?? 0);
  });

  it.runIf(process.platform === "linux" && process.arch === "x64")("says that a processor computes", async () => {
    expect((await tfjsExecutor("webgpu")).notice).toMatch(/software adapter/);
  });

  it("throws what the device finds wrong", async () => {
    const device = await tfjsGpuDevice(library);
    const broken = checkedByGpu(device, "the step", async () => device.createShaderModule({ code: "fn broken(" }));
    await expect(broken).rejects.toThrow(/internal: the graphics device refuses the step: .*WGSL/);
    await expect(checkedByGpu(device, "the step", async () => 3)).resolves.toBe(3);
  });

  it("runs an emitted module to the same numbers as the processor", async () => {
    const emitted = await writeModule(INPUT);
    try {
      const module: Emitted = await import(emitted.file);
      const wanted = await numbersOf(await startTfjs("cpu"), module);
      const found = await numbersOf(await startTfjs("webgpu"), module);
      expect(found.ids).toEqual(wanted.ids);
      expectClose("losses", found.losses, wanted.losses, 1e-4);
    } finally {
      emitted.dispose();
    }
  });
});

function stepProgram(): Program {
  const [step] = INPUT.train;
  if (step === undefined) throw new Error("the model has a train block");
  return step.program;
}

type Weights = Readonly<Record<string, tfjs.Tensor>>;
interface State {
  readonly weights: Weights;
  readonly slots: Weights;
}
interface Step {
  readonly state: State;
  readonly loss: tfjs.Tensor;
  readonly metrics: Weights;
}
interface Batch {
  readonly ids: tfjs.Tensor;
  readonly lengths?: { readonly T: tfjs.Tensor };
}

/** What the emitted module exports, as a caller sees it. */
interface Emitted {
  init(seed: number): Weights;
  start(weights: Weights): State;
  trainStep(state: State, batch: Batch): Step;
  generate(weights: Weights, inputs: Batch, options: { readonly seed: number; readonly max: number }): Weights;
}

/** Two steps and a continued prompt on the current backend; checks that nothing is left behind. */
async function numbersOf({ tf }: TfLibrary, module: Emitted): Promise<{ losses: number[]; ids: number[] }> {
  const before = tf.memory().numTensors;
  const batch = { ids: tf.tensor2d(IDS, [2, 6], "int32"), lengths: { T: tf.tensor1d([6, 4], "int32") } };
  const losses: number[] = [];
  let state = module.start(module.init(3));
  for (let step = 0; step < 2; step++) {
    const next = module.trainStep(state, batch);
    state = next.state;
    losses.push(...(await next.loss.data()));
    tf.dispose([next.loss, ...Object.values(next.metrics)]);
  }
  const prompt = tf.tensor2d([0, 3, 4, 4], [2, 2], "int32");
  const made = module.generate(state.weights, { ids: prompt }, { seed: 5, max: 8 });
  const ids = [...((await made.ids?.data()) ?? [])];
  tf.dispose([batch.ids, batch.lengths.T, prompt, ...[state.weights, state.slots, made].flatMap(Object.values)]);
  expect(tf.memory().numTensors, "tensors left").toBe(before);
  return { losses, ids };
}
