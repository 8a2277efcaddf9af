import { describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { namedSize } from "../../src/ir/size.ts";
import * as make from "../../src/op/make.ts";
import { createGpuRunner } from "../../src/runtime/webgpu.ts";
import { webgpuExecutor } from "../../src/runtime/webgpu-executor.ts";
import { compileWebGpu } from "../../src/target/webgpu/compile.ts";
import { gpuModuleOf } from "../../src/target/webgpu/module.ts";
import { compileStepOf } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { SMALL_TUNING } from "./execute.ts";

function doubling() {
  const b = createBuilder("double");
  const x = b.param("x", { dtype: "float", axes: [{ id: "B", size: namedSize("B") }] });
  const graph = b.finish([{ name: "y", id: make.add(b, x, x) }]);
  return gpuModuleOf(compileWebGpu({ graph, sizes: new Map() }, new Map(), { tuning: SMALL_TUNING }));
}

const TEXT = `
model Line { in x: [] param w: [] loss = (w * x - 1)**2 }
train fit of Line { data x = csv("rows.csv") minimize loss optim sgd(0.1) for 1 steps }`;

describe("what a device cannot do", { timeout: 60_000 }, () => {
  test("more memory than it gives is an error before anything is lost", async () => {
    const { device } = await testGpuDevice();
    const runner = createGpuRunner(device, doubling());
    await runner.bind(new Map([["B", 3]]));
    runner.write("x", [1, 2, 3]);
    await expect(runner.bind(new Map([["B", 2 ** 30]]))).rejects.toThrow(
      /double needs \d+ MB in one piece, the graphics device gives \d+ MB\n.*smaller.*--target wasm/,
    );
    runner.run();
    const [y] = await runner.read(["y"]);
    expect([...(y?.data ?? [])]).toEqual([2, 4, 6]);
    device.destroy();
  });

  test("a shader that does not compile is our fault, and says what the device says", async () => {
    const { device } = await testGpuDevice();
    const program = doubling();
    const kernels = program.kernels.map((kernel) => ({ ...kernel, library: ["fn broken() { missing(); }"] }));
    const runner = createGpuRunner(device, { ...program, kernels });
    await expect(runner.bind(new Map([["B", 3]]))).rejects.toThrow(
      /^internal: the graphics device refuses double: .*missing/s,
    );
    device.destroy();
  });

  test("a device that is lost while steps are under way ends them with an error, and with what is left", async () => {
    const gpu = await testGpuDevice();
    const program = compileStepOf(TEXT, "fit");
    const { queue } = webgpuExecutor(gpu).prepare(program);
    const { inputs, sizes } = randomFeed(program, { B: 2 });
    await queue?.enqueue(inputs, sizes);
    expect((await queue?.drain())?.length).toBe(1);
    await queue?.enqueue(inputs, sizes);
    gpu.device.destroy();
    await expect(queue?.drain()).rejects.toThrow(/the graphics device is gone while .* runs.*\n.*seqc train --resume/);
  });
});
