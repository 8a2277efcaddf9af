import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { feedbackOf } from "../../src/build/feedback.ts";
import type { Program } from "../../src/build/program.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { compileWebGpu } from "../../src/target/webgpu/compile.ts";
import { compileStepOf } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { expectNumbers } from "../wasm/compare.ts";
import { SMALL_TUNING, webGpu } from "./execute.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => gpu.device.destroy());

/** Two products of the state with weights, which its next value is made of position by position. */
const TEXT = `cell Pair(D, H) {
  in    x: [D]
  state h: [H]
  param W.{f, n}: [H, D] init glorot, U.{f, n}: [H, H] init orthogonal

  f  = sigmoid(W.f @ x + U.f @ h)
  h' = (1 - f) * h + f * tanh(W.n @ x + U.n @ h)
  out h'
}

model Pairs(D, H) {
  time T
  in  x: [T, D]
  use cell = Pair(D, H)
  h = scan cell over x
}

train pairs of Pairs {
  data     x = csv("rows.csv")
  minimize mean[T, H](h**2)
  optim    sgd(0.1)
  for      1 steps
}`;

/** Large enough for tiles, with edges that no tile fills, and for weights to be laid out anew. */
const SIZES = { D: 2, H: 34 };
const TUNING = { ...SMALL_TUNING, shared: 1240 };

const FEED = { ...SIZES, B: 9, T: 3 };

function pairs(): Program {
  const built = compileStepOf(TEXT, "pairs", { sizes: SIZES, dense: true });
  return optimizeProgram(built, { off: PRODUCT_PASSES });
}

async function expectSame(program: Program, whole: boolean): Promise<void> {
  const { inputs, sizes } = randomFeed(program, FEED);
  const wanted = interpret(program.graph, inputs, sizes);
  const found = await webGpu(gpu.device, program.sizes, whole, TUNING)(program.graph)(inputs, sizes);
  expect(wanted.size).toBeGreaterThan(3);
  for (const [name, tensor] of wanted) expectNumbers(found.get(name)?.data ?? [], tensor.data, 2e-5, name);
}

/** Two directions of different sizes, one product after another in a step of either. */
const BOTH = `cell Minimal(D, H) {
  in    x: [D]
  state h: [H]
  param W.{f, n}: [H, D] init glorot, U.{f, n}: [H, H] init orthogonal
  f  = sigmoid(W.f @ x + U.f @ h)
  h' = (1 - f) * h + f * tanh(W.n @ x + U.n @ (f * h))
  out h'
}
model Both(D) {
  time T
  in  x: [T, D]
  use there = Minimal(D, 3), back = Minimal(D, 5)
  a = scan there over x
  b = scan back over x reverse
}
train both of Both {
  data     x = csv("rows.csv")
  minimize mean[T](sum(a**2) + sum(b**2) * sum(a))
  optim    sgd(0.1)
  for      1 steps
}`;

test("loops side by side, of which all step, or one runs in one stage", { timeout: 120_000 }, async () => {
  const program = optimizeProgram(compileStepOf(BOTH, "both", { sizes: { D: 2 }, dense: true }), {
    off: PRODUCT_PASSES,
  });
  const { inputs, sizes } = randomFeed(program, { D: 2, B: 5, T: 4 });
  const wanted = interpret(program.graph, inputs, sizes);
  const compiled = compileWebGpu(program, new Map(), { tuning: SMALL_TUNING });
  const loops = compiled.items.flatMap((item) => (item.kind === "loop" ? [item.loops.length] : []));
  expect(loops).toEqual([2, 2]);
  const products: number[] = [];
  let smaller = false;
  const run = webGpu(gpu.device, program.sizes, (facts) => {
    products.push(facts.products);
    return smaller && facts.products === Math.min(...products);
  })(program.graph);
  const expectNumbersOf = async (way: string): Promise<void> => {
    const found = await run(inputs, sizes);
    for (const [name, { data }] of wanted) expectNumbers(found.get(name)?.data ?? [], data, 2e-5, `${way}: ${name}`);
  };
  await expectNumbersOf("all step");
  smaller = true;
  await expectNumbersOf("the smaller runs in one stage");
});

const LAYERS = `${BOTH.slice(0, BOTH.indexOf("model"))}model Layers(D) {
  time T
  in  x: [T, D]
  use one = Minimal(D, 3), two = Minimal(3, 5), three = Minimal(5, 3)
  a = scan one over x
  b = scan two over sin(a)
  c = scan three over b
}
train layers of Layers {
  data     x = csv("rows.csv")
  minimize mean[T](sum(c**2) * sum(b)) + mean[T](sum(a**3))
  optim    sgd(0.1)
  for      1 steps
}`;

test("layers a step behind one another, of sequences of several lengths", { timeout: 120_000 }, async () => {
  const built = compileStepOf(LAYERS, "layers", { sizes: { D: 2 }, dense: false });
  const { inputs, sizes } = randomFeed(built, { D: 2, B: 5, T: 4 });
  const wanted = interpret(built.graph, inputs, sizes);
  const program = optimizeProgram(built, { off: PRODUCT_PASSES, stagger: 1 });
  expect(program.graph.nodes.filter(({ op }) => op.form === "region").length).toBe(2);
  for (const whole of [false, true]) {
    const found = await webGpu(gpu.device, program.sizes, () => whole)(program.graph)(inputs, sizes);
    for (const [name, { data }] of wanted) expectNumbers(found.get(name)?.data ?? [], data, 2e-5, name);
  }
});

describe("loops of products", { timeout: 120_000 }, () => {
  test("step by step: products, what is made of them, and the next step's beginning share kernels", async () => {
    const program = pairs();
    const { items } = compileWebGpu(program, feedbackOf(program), { tuning: TUNING });
    const loops = items.flatMap((item) => (item.kind === "loop" ? [item] : []));
    expect(loops.map(({ before, body }) => [before.length, body.length])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    await expectSame(program, false);
  });

  test("all steps in one stage: weights are laid out for it before", async () => {
    const program = pairs();
    const { kernels } = compileWebGpu(program, feedbackOf(program), { tuning: TUNING });
    const copies = kernels.flatMap(({ stages }) => stages.filter(({ label }) => label === "copy"));
    expect(copies.length).toBe(2);
    await expectSame(program, true);
  });
});
