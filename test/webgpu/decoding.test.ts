import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { createGpuRunner } from "../../src/runtime/webgpu.ts";
import { compileWebGpu } from "../../src/target/webgpu/compile.ts";
import { gpuModuleOf } from "../../src/target/webgpu/module.ts";
import { compileGenerationOf } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { SMALL_TUNING } from "./execute.ts";

const TEXT = `model Letters(V, H) {
  time T
  in  x: tok(V)[T]
  use emb = Embed(V, H), cell = GRU(H, H), head = Linear(H, V)
  h = scan cell over emb(x)
  emit x[t+1] ~ categorical(head(h[t]))
}
generate some of Letters { x by sample(temperature: 0.8) }`;

const SIZES = { V: 7, H: 4 };
const LENGTH = 500;

describe("generating", { timeout: 120_000 }, () => {
  let gpu: GpuDevice;
  beforeAll(async () => {
    gpu = await testGpuDevice();
  });
  afterAll(() => gpu.device.destroy());

  test("500 tokens are drawn on the device, in one submit that is read once", async () => {
    const { program } = compileGenerationOf(TEXT, "some", { sizes: SIZES });
    const optimized = optimizeProgram(program, { off: PRODUCT_PASSES });
    const { inputs, sizes } = randomFeed(
      program,
      { ...SIZES, B: 2, T: LENGTH },
      { training: false, seed: 3, spread: 2 },
    );
    const runner = createGpuRunner(
      gpu.device,
      gpuModuleOf(compileWebGpu(optimized, new Map(), { tuning: SMALL_TUNING })),
    );
    const { dispatches } = await runner.bind(sizes);
    expect(dispatches.length).toBeLessThan(15);
    for (const [id, { data }] of inputs) runner.write(id, data);
    runner.run();
    const [found] = await runner.read(["choice.x"]);
    expect(runner.counts()).toMatchObject({ submits: 1, bytesRead: 4 * 2 * LENGTH });
    const wanted = interpret(program.graph, inputs, sizes).get("choice.x")?.data ?? [];
    expect(new Set(wanted).size).toBeGreaterThan(3);
    expect([...(found?.data ?? [])]).toEqual([...wanted]);
  });
});
