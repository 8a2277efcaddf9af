import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resultLayouts } from "../../src/build/layout.ts";
import type { Program } from "../../src/build/program.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { layOut } from "../../src/ir/strided.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { webgpuExecutor } from "../../src/runtime/webgpu-executor.ts";
import { buildSketch, sketches } from "../models/sketches.ts";
import { type Feed, randomFeed } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => gpu.device.destroy());

/** The greatest difference of each result from the interpreter's, as a share of the result's own size. */
async function distances(program: Program, { inputs, sizes }: Feed): Promise<ReadonlyMap<string, number>> {
  const expected = interpret(program.graph, inputs, sizes);
  const layouts = resultLayouts(program);
  const prepared = webgpuExecutor(gpu).prepare(optimizeProgram(program, { off: PRODUCT_PASSES }));
  const found = await prepared.run(inputs, sizes);
  prepared.dispose();
  return new Map(
    [...found].map(([name, array]) => {
      const reference = expected.get(name);
      if (reference === undefined) throw new Error(`the interpreter has no result ${name}`);
      const wanted = [...layOut(reference, layouts.get(name) ?? reference.axes, array.shape).data];
      const size = Math.max(1e-2, ...wanted.map(Math.abs).filter(Number.isFinite));
      const errors = wanted.map((value, at) =>
        value === array.data[at] ? 0 : Math.abs(value - Number(array.data[at])),
      );
      return [name, errors.reduce((most, error) => (error <= most ? most : error), 0) / size];
    }),
  );
}

/** Attention and ragged sequences, a grid of states, a convolution, two networks, a sum over paths. Shaders compile slowly here. */
const CHOSEN = ["g2p G2P", "pixel_rnn PixelRNN", "temporal_conv Forecast", "gan GAN", "hmm HMM"];

describe("models give the interpreter's numbers, all gradients included", { timeout: 120_000 }, () => {
  const all = new Map(sketches().map((sketch) => [sketch.name, sketch]));
  test.each(CHOSEN)("%s", async (name) => {
    const sketch = all.get(name);
    const program = sketch === undefined ? undefined : buildSketch(sketch, false).program;
    if (sketch === undefined || program === undefined) throw new Error(`no model ${name}`);
    const found = await distances(program, randomFeed(program, sketch.sizes, sketch.setting));
    expect(found.size).toBeGreaterThan(1);
    expect([...found].filter(([, distance]) => !(distance < 1e-4))).toEqual([]);
  });
});
