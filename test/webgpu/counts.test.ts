import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { feedbackOf } from "../../src/build/feedback.ts";
import type { Program } from "../../src/build/program.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import { lowerBound, planArena } from "../../src/plan/arena.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { createGpuRunner } from "../../src/runtime/webgpu.ts";
import { PROCESSOR_TUNING, tuningFor } from "../../src/runtime/webgpu-tuning.ts";
import { bindProgram } from "../../src/target/webgpu/bind.ts";
import { compileWebGpu } from "../../src/target/webgpu/compile.ts";
import { isWholeFaster, type LoopFacts, USUAL_COSTS } from "../../src/target/webgpu/cost.ts";
import { gpuModuleOf } from "../../src/target/webgpu/module.ts";
import { compileStepOf, readSource } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { SMALL_TUNING } from "./execute.ts";

function stepOf(train: string, sizes: Readonly<Record<string, number>>): Program {
  const { text, file } = readSource("bench/models/sequence.seq");
  return optimizeProgram(compileStepOf(text, train, { file, sizes, dense: true }), { off: PRODUCT_PASSES });
}

/** Dispatches of a training step, whose memory is within 1.15 of what is alive at the worst moment: vectors of 64, 128 units, 64 classes, batch 32. */
function dispatches(train: string, length: number, whole: boolean): number {
  const program = stepOf(train, { D: 64 });
  const compiled = compileWebGpu(program, feedbackOf(program));
  const sizes = new Map([...program.sizes, ["B", 32], ["T", length]] as const);
  const bound = bindProgram(gpuModuleOf(compiled), sizes, { whole: () => whole, maxGroups: 65535, place: planArena });
  expect(bound.moving.bytes).toBeLessThanOrEqual(1.15 * lowerBound(bound.moving.spans));
  return bound.dispatches.length;
}

describe("dispatches of a training step with softmax and Adam", () => {
  test.each(["lstm", "gru", "mgu"])("%s: as many for any length, where all steps run in one stage", (train) => {
    expect(dispatches(train, 50, true)).toBeLessThanOrEqual(25);
    expect(dispatches(train, 400, true)).toBe(dispatches(train, 50, true));
  });

  test("loops that do not need one another share a stage's dispatch", () => {
    expect(dispatches("both", 50, true)).toBeLessThanOrEqual(dispatches("lstm", 50, true) + 1);
  });

  test("step by step, as many more for each step", () => {
    const [short, long] = [dispatches("lstm", 10, false), dispatches("lstm", 50, false)];
    expect((long - short) / 40).toBeLessThanOrEqual(2);
    expect(short - 10 * ((long - short) / 40)).toBeLessThanOrEqual(25);
  });
});

describe("loops of one length that need nothing of one another step side by side", () => {
  /** Dispatches for each step of a training step. */
  const slope = (program: Program): number => {
    const compiled = compileWebGpu(program, feedbackOf(program));
    const at = (length: number): number => {
      const sizes = new Map([...program.sizes, ["B", 32], ["T", length]] as const);
      return bindProgram(gpuModuleOf(compiled), sizes, { whole: () => false, maxGroups: 65535 }).dispatches.length;
    };
    return (at(50) - at(10)) / 40;
  };
  const ownStep = (layers: string, options: { readonly stagger?: number } = {}): Program => {
    const built = compileStepOf(OWN.replace("LAYERS", layers), "own", { sizes: { D: 3, H: 5 }, dense: true });
    return optimizeProgram(built, { off: PRODUCT_PASSES, ...options });
  };

  test("both directions of an LSTM", () => {
    expect(slope(stepOf("both", { D: 64 }))).toBe(slope(stepOf("lstm", { D: 64 })));
  });

  test("directions of cells of one's own, also where one has more to do in a step", () => {
    const [short, long] = [ownStep("a = scan one over x"), ownStep("a = scan two over x")];
    expect(slope(long)).toBeGreaterThan(slope(short));
    const both = ownStep("a = concat(scan two over x, scan back over x reverse)");
    expect(slope(both)).toBe(slope(long));
    const mixed = ownStep("a = concat(scan one over x, scan back over x reverse)");
    expect(slope(mixed)).toBe(slope(long));
  });

  test("layers above one another, each a step behind the one below: as many dispatches for any number of them", () => {
    const layers = (cell: string, count: number): string =>
      Array.from({ length: count }, (_, at) => `l${at} = scan ${cell}${at} over ${at === 0 ? "x" : `l${at - 1}`}`)
        .join("\n")
        .replace(`l${count - 1} =`, "a =");
    for (const cell of ["one", "two"]) {
      const [single, two, three] = [1, 2, 3].map((count) => slope(ownStep(layers(cell, count), { stagger: 1 })));
      expect(two).toBeLessThan(2 * (single ?? 0));
      expect({ cell, three }).toEqual({ cell, three: two });
      expect(slope(ownStep(layers(cell, 3)))).toBe(3 * (single ?? 0));
    }
  });

  test("a loop steps with another that steps anyway, if its own dispatches then cost less than waiting", () => {
    const program = ownStep("a = concat(scan one over x, scan back over x reverse)");
    const compiled = compileWebGpu(program, feedbackOf(program));
    const sizes = new Map([...program.sizes, ["B", 32], ["T", 9]] as const);
    const asked: LoopFacts[] = [];
    const products = (fact: LoopFacts): number => asked.push(fact) && fact.products;
    const count = (whole: (fact: LoopFacts) => boolean): number =>
      bindProgram(gpuModuleOf(compiled), sizes, { whole, maxGroups: 65535 }).dispatches.length;
    count((fact) => products(fact) > 0);
    const least = Math.min(...asked.map((fact) => fact.products));
    const steps = count(() => false);
    // The smaller loop alone would run in one stage, but has no dispatch of its own.
    expect(count((fact) => fact.products === least && fact.dispatches > 0)).toBe(steps);
    expect(asked.every(({ dispatches }) => dispatches > 0)).toBe(true);
    expect(count(() => true)).toBeLessThan(steps);
  });
});

/** Cells that no library has: one product after another in a step, and one alone. */
const OWN = `cell One(D, H) {
  in    x: [D]
  state h: [H]
  param W: [H, D], U: [H, H]
  h' = h + sin(W @ x + U @ h)
  out h'
}
cell Two(D, H) {
  in    x: [D]
  state h: [H], c: [H]
  param W: [H, D], U.{a, b}: [H, H]
  c' = sin(W @ x + U.a @ h)
  h' = 0.5 * h + tanh(U.b @ (c' * h)) / (1 + c'**2)
  out h'
}
model Own(D, H) {
  time T
  in  x: [T, D]
  use one = One(D, H), two = Two(D, H), back = Two(D, H)
  use one0 = One(D, H), one1 = One(H, H), one2 = One(H, H), two0 = Two(D, H), two1 = Two(H, H), two2 = Two(H, H)
  LAYERS
}
train own of Own {
  data     x = csv("rows.csv")
  minimize mean[T](sum(a**2))
  optim    adam(0.1)
  for      1 steps
}`;

test("a device with little shared memory gets smaller tiles", () => {
  const on = (bytes: number): number =>
    tuningFor({ software: false, limits: { maxComputeWorkgroupStorageSize: bytes } }).shared;
  expect(on(32768)).toBe(4096);
  expect(4 * on(16384)).toBeLessThan(16384 - 2048);
  expect(tuningFor({ software: true, limits: {} })).toEqual(PROCESSOR_TUNING);
});

describe("how loops run", () => {
  /** Of the forward loop of the model above with more or fewer units and examples. */
  const facts = (units: number, batch: number): LoopFacts => {
    const program = stepOf("lstm", { D: 64, H: units });
    const compiled = compileWebGpu(program, feedbackOf(program));
    const found: LoopFacts[] = [];
    const whole = (fact: LoopFacts): boolean => found.push(fact) > 0;
    bindProgram(gpuModuleOf(compiled), new Map([...program.sizes, ["B", batch], ["T", 9]]), {
      whole,
      maxGroups: 65535,
    });
    const [first] = found;
    if (first === undefined) throw new Error("no loop");
    return first;
  };

  test("what is known of one is counted", () => {
    expect(facts(128, 32)).toEqual({ groups: 8, products: 4 * 32 * 128 * 128, barriers: 2, dispatches: 1, width: 4 });
  });

  test("all steps in one stage where dispatches cost more than the work that waits", () => {
    expect(isWholeFaster(USUAL_COSTS, facts(32, 256))).toBe(true);
    expect(isWholeFaster(USUAL_COSTS, facts(1024, 8))).toBe(false);
    expect(isWholeFaster({ ...USUAL_COSTS, dispatch: 1 }, facts(1024, 8))).toBe(true);
  });
});

describe("what a step asks of the device", { timeout: 120_000 }, () => {
  let gpu: GpuDevice;
  beforeAll(async () => {
    gpu = await testGpuDevice();
  });
  afterAll(() => gpu.device.destroy());

  test("one submit, the batch in, nothing out", async () => {
    const program = stepOf("mgu", { D: 3, H: 4, C: 3 });
    const runner = createGpuRunner(
      gpu.device,
      gpuModuleOf(compileWebGpu(program, feedbackOf(program), { tuning: SMALL_TUNING })),
    );
    const { inputs, sizes } = randomFeed(program, { ...Object.fromEntries(program.sizes), B: 2, T: 3 });
    await runner.bind(sizes);
    for (const [id, { data }] of inputs) runner.write(id, data);
    runner.run();
    const before = runner.counts();
    const batch = [...inputs].filter(([id]) => program.params.get(id)?.kind === "input");
    for (const [id, { data }] of batch) runner.write(id, data);
    runner.run();
    const after = runner.counts();
    expect(after.submits - before.submits).toBe(1);
    expect(after.bytesWritten - before.bytesWritten).toBe(4 * (2 * 3 * 3 + 2 * 3));
    expect(after.bytesRead - before.bytesRead).toBe(0);
    const [loss] = await runner.read(["loss"]);
    expect(loss?.data[0]).toBeGreaterThan(0);
    expect(runner.counts().bytesRead - after.bytesRead).toBe(4);

    // Losses that wait on the device are copied within the step's own submit, and read together.
    const waiting = runner.counts();
    for (let step = 0; step < 3; step++) runner.run(["loss"]);
    expect(runner.counts()).toEqual({ ...waiting, submits: waiting.submits + 3, dispatches: expect.any(Number) });
    const losses = (await runner.readLog()).map(([one]) => one?.data[0]);
    expect(runner.counts()).toMatchObject({ reads: waiting.reads + 1, bytesRead: waiting.bytesRead + 12 });
    const [last] = await runner.read(["loss"]);
    expect(losses.length).toBe(3);
    expect(losses[2]).toBe(last?.data[0]);
    expect(losses[0]).toBeLessThan(loss?.data[0] ?? 0);
    expect(losses[2]).toBeLessThan(losses[0] ?? 0);
    expect(await runner.readLog()).toEqual([]);
  });
});
