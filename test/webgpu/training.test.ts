import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import type { Executor, Results } from "../../src/runtime/executor.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { webgpuExecutor } from "../../src/runtime/webgpu-executor.ts";
import { compileStepOf } from "../support/compile.ts";
import { randomFeed, roleOf } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => gpu.device.destroy());

/** A cell of the user's own, dropout, a latent value, and an optimizer with clipping. */
const TEXT = `cell Own(D, H) {
  in    x: [D]
  state h: [H], n: [H]
  param W: [H, D] init glorot, U: [H, H] init orthogonal, b: [H] init 0

  a  = tanh(W @ x + U @ h + b)
  n' = 0.5 * n + a**2
  h' = a / sqrt(1 + n')
  out h'
}

model Small(V, E, H) {
  time T
  in  x: tok(V)[T]
  use emb = Embed(V, E), cell = Own(E, H), head = Linear(H, V)
  emit y: tok(V)[T] ~ categorical(head(dropout(scan cell over emb(x), p: 0.2)))
}

train small of Small {
  data     x, y = csv("rows.csv")
  minimize nll(y)
  optim    adam(1e-2)
  clip     norm(1.0)
  for      50 steps
}`;

const SIZES = { V: 5, E: 3, H: 4 };
const STEPS = 50;

function smallProgram(): Program {
  return optimizeProgram(compileStepOf(TEXT, "small", { sizes: SIZES }), { off: PRODUCT_PASSES });
}

/** The losses of some steps on the same batch, with a seed of each step's own; a device is waited for after every seventh, and one by one at last. */
async function losses(program: Program, executor: Executor): Promise<readonly number[]> {
  const prepared = executor.prepare(program);
  const all: Results[] = [];
  for (let step = 0; step < STEPS; step++) {
    const { inputs, sizes } = randomFeed(program, { ...SIZES, B: 3, T: 5 }, { seed: 3, step });
    const given = new Map(inputs);
    for (const param of program.graph.params) {
      const { kind } = roleOf(program, param);
      const value = inputs.get(param.id);
      if (value === undefined) continue;
      if (kind === "seed") given.set(param.id, { ...value, data: Float64Array.of(100 + step) });
      if (kind !== "weight" && kind !== "slot") continue;
      given.delete(param.id);
      if (step === 0) prepared.keep(param.id, value);
    }
    const { queue } = prepared;
    if (queue === undefined || step > 40) all.push(await prepared.run(given, sizes));
    else await queue.enqueue(given, sizes);
    if (queue !== undefined && (step % 7 === 0 || step === 40)) all.push(...(await queue.drain()));
  }
  prepared.dispose();
  return all.map((results) => results.get("loss")?.data[0] ?? Number.NaN);
}

describe("training", { timeout: 120_000 }, () => {
  test("gives the losses of WebAssembly, with the same random numbers", async () => {
    const program = smallProgram();
    const [own, wanted] = [await losses(program, webgpuExecutor(gpu)), await losses(program, wasmExecutor())];
    expect(wanted[0]).toBeGreaterThan((wanted.at(-1) ?? 0) * 1.2);
    const off = own.flatMap((loss, step) => {
      const other = wanted[step] ?? Number.NaN;
      return Math.abs(loss - other) <= 1e-3 * Math.abs(other) ? [] : [`step ${step}: ${loss}, not ${other}`];
    });
    expect(off).toEqual([]);
  });
});
