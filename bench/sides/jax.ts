import { blockUntilReady, type Array as JaxArray, jit, nn, numpy as np } from "@jax-js/jax";
import { difference, swapped, transposed } from "../arrays.ts";
import { CLOCKS, type Clock } from "../clock.ts";
import { weightData } from "../gates.ts";
import type { SequenceProblem, Weights } from "../sequence.ts";
import type { Results, Side } from "../side.ts";
import { type Arrays, at, floats, release, shared, startJax } from "./jax-arrays.ts";
import { JAX_CELLS } from "./jax-cells.ts";
import { inputs, labels, logits, meanCrossEntropy, parameters, parts, toSeqc } from "./jax-sequence.ts";
import { trainer } from "./jax-training.ts";

function sequenceTrainer(problem: SequenceProblem) {
  return trainer(
    (p, xs, y) => meanCrossEntropy(problem, p, xs, y),
    parameters(problem),
    inputs(problem),
    labels(problem),
  );
}

export async function sequenceTraining(problem: SequenceProblem, device?: "wasm" | "webgpu"): Promise<Side> {
  await startJax(device);
  const training = sequenceTrainer(problem);
  return {
    check: async () => {
      const results = new Map<string, Float32Array>();
      for (const [name, values] of await toSeqc(problem, training.gradients())) results.set(`gradient.${name}`, values);
      results.set("loss", Float32Array.of(await training.run()));
      for (const [name, values] of await toSeqc(problem, training.weights()))
        results.set(`update.${name}`, difference(values, weightData(problem.weights, name)));
      return results;
    },
    run: async () => {
      await training.run();
    },
    dispose: training.dispose,
  };
}

/** Loss and gradients without Adam: what the step takes at least. */
export async function sequenceGradient(problem: SequenceProblem): Promise<Side> {
  await startJax();
  const training = sequenceTrainer(problem);
  return {
    check: async () => {
      const results = await toSeqc(problem, training.gradients());
      return new Map([...results].map(([name, values]) => [`gradient.${name}`, values]));
    },
    run: async () => {
      const gradients = training.gradients();
      await blockUntilReady(gradients);
      release(Object.values(gradients));
    },
    dispose: training.dispose,
  };
}

/** The first training step, less the second: tracing, differentiating and compiling. */
export function compileSide(problem: SequenceProblem): Side {
  const compile = async (clock: Clock): Promise<{ readonly milliseconds: number; readonly loss: number }> => {
    await startJax();
    const training = sequenceTrainer(problem);
    const start = clock();
    const loss = await training.run();
    const first = clock();
    await training.run();
    const second = clock();
    training.dispose();
    return { milliseconds: first - start - (second - first), loss };
  };
  return {
    check: async () => new Map([["loss", Float32Array.of((await compile(CLOCKS.elapsed)).loss)]]),
    time: async (clock) => (await compile(CLOCKS[clock])).milliseconds,
    run: async () => {
      await compile(CLOCKS.elapsed);
    },
    dispose: () => undefined,
  };
}

/** From an array to an array. */
export async function sequenceForward(problem: SequenceProblem): Promise<Side> {
  await startJax();
  const { batch, steps, inputs: width, classes } = problem;
  const weights = parameters(problem);
  const run = jit((p: Arrays, xs: JaxArray[]) => logits(problem, p, xs));
  const x = swapped(problem.x, batch, steps, width);
  const call = (): Promise<Float32Array> => floats(run(shared(weights), parts(x, steps, [batch, width])));
  return {
    check: async (): Promise<Results> => new Map([["output", swapped(await call(), steps, batch, classes)]]),
    run: async () => {
      await call();
    },
    dispose: () => release(Object.values(weights)),
  };
}

/** One compiled step, called for each vector of the stream. */
export async function stream(problem: SequenceProblem): Promise<Side> {
  await startJax();
  const { cell, steps, inputs: width, hidden } = problem;
  const weights = parameters(problem);
  const { states, open, step } = JAX_CELLS[cell];
  const compiled = jit((p: Arrays, x: JaxArray, state: JaxArray[]) => {
    const opened = open(p, "cell.");
    const next = step(opened, x, state);
    const guess = np.matmul(next[0]?.ref ?? 0, at(p, "head.W")).add(at(p, "head.b"));
    release([...Object.values(opened), ...Object.values(p)]);
    return { guess, next };
  });
  let state = states.map(() => np.zeros([1, hidden]));
  const run = async (): Promise<Float32Array> => {
    let last = new Float32Array();
    for (let at = 0; at < steps; at++) {
      const x = np.array(problem.x.slice(at * width, (at + 1) * width)).reshape([1, width]);
      const { guess, next } = compiled(shared(weights), x, state);
      last = Float32Array.from(guess.dataSync());
      state = next;
    }
    return last;
  };
  return {
    check: async (): Promise<Results> => new Map([["output", await run()]]),
    run: async () => {
      await run();
    },
    dispose: () => release([...Object.values(weights), ...state]),
  };
}

/** x · Wᵀ, from an array to an array. */
export async function product(x: Float32Array, weight: Float32Array, size: number): Promise<Side> {
  await startJax();
  const kernel = np.array(transposed(weight, size, size)).reshape([size, size]);
  const multiply = jit((a: JaxArray, b: JaxArray) => np.matmul(a, b));
  const run = (): Promise<Float32Array> =>
    floats(multiply(np.array(Float32Array.from(x)).reshape([size, size]), kernel.ref));
  return {
    check: async (): Promise<Results> => new Map([["output", await run()]]),
    run: async () => {
      await run();
    },
    dispose: () => kernel.dispose(),
  };
}

const AUTOENCODER = ["enc.hidden.0.f", "enc.top.f", "dec.hidden.0.f", "dec.top.f"] as const;

/** A training step of four dense layers; the loss is Bernoulli's, summed over the picture. */
export async function autoencoderTraining(x: Float32Array, weights: Weights, batch: number): Promise<Side> {
  await startJax();
  const start = Object.fromEntries(
    [...weights].map(([name, { shape, data }]) => [name, np.array(Float32Array.from(data)).reshape([...shape])]),
  );
  const pictures = (): JaxArray => np.array(Float32Array.from(x)).reshape([batch, x.length / batch]);
  const training = trainer((p, xs, y) => reconstructionLoss(p, xs, y, batch), start, [pictures()], pictures());
  return {
    check: async () => {
      const results = new Map<string, Float32Array>();
      await named(training.gradients(), (name, values) => results.set(`gradient.${name}`, values));
      results.set("loss", Float32Array.of(await training.run()));
      await named(training.weights(), (name, values) =>
        results.set(`update.${name}`, difference(values, weightData(weights, name))),
      );
      return results;
    },
    run: async () => {
      await training.run();
    },
    dispose: training.dispose,
  };
}

function reconstructionLoss(p: Arrays, [x]: JaxArray[], y: JaxArray, batch: number): JaxArray {
  let value = x ?? y.ref;
  for (const name of AUTOENCODER) {
    value = np.matmul(value, at(p, `${name}.W`).transpose()).add(at(p, `${name}.b`));
    if (name.includes("hidden")) value = nn.relu(value);
  }
  release(Object.values(p));
  return nn
    .softplus(value.ref)
    .sub(value.mul(y))
    .sum()
    .mul(1 / batch);
}

async function named(arrays: Arrays, give: (name: string, values: Float32Array) => void): Promise<void> {
  for (const [name, array] of Object.entries(arrays)) give(name, await floats(array));
}
