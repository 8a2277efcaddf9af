import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { difference, oneHot, transposed } from "../arrays.ts";
import { columnGates, type GateKind, splitColumnGates, weightData } from "../gates.ts";
import { CELLS, type CellName, features, type SequenceProblem, type Weights } from "../sequence.ts";
import type { Results, Side } from "../side.ts";
import { MinimalGatedLayer } from "./minimal-gated-layer.ts";

export type Backend = "wasm" | "cpu" | "webgpu";

/** Makes a tfjs backend the current one. */
export async function enterTfjs(backend: Backend): Promise<void> {
  tf.env().set("PROD", true);
  setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  // Setting a backend prepares all its kernels anew.
  if (tf.getBackend() !== backend && !(await tf.setBackend(backend))) throw new Error(`tfjs does not start ${backend}`);
}

/** In which order Keras packs the gates that seqc's cells name. */
const ORDER: Readonly<Record<CellName, readonly string[]>> = {
  lstm: ["i", "f", "g", "o"],
  both: ["i", "f", "g", "o"],
  gru: ["z", "r", "n"],
  mgu: ["f", "n"],
};
const KINDS: readonly GateKind[] = ["W", "U", "b"];

/** `trainOnBatch` of a recurrent layer, a dense layer and softmax, with Adam. */
export async function sequenceTraining(problem: SequenceProblem, backend: Backend): Promise<Side> {
  await enterTfjs(backend);
  const { model, x, y } = sequenceModel(problem, true);
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: "categoricalCrossentropy" });
  return {
    enter: () => enterTfjs(backend),
    check: async () => {
      const results = new Map(toSeqc(problem, await numbers(gradients(model, x, y)), "gradient."));
      const loss = await model.trainOnBatch(x, y);
      results.set("loss", Float32Array.of(Number(loss)));
      for (const [name, values] of toSeqc(problem, await numbers(model.getWeights()), "")) {
        results.set(`update.${name}`, difference(values, weightData(problem.weights, name)));
      }
      return results;
    },
    run: async () => {
      await model.trainOnBatch(x, y);
    },
    dispose: () => {
      model.dispose();
      tf.dispose([x, y]);
    },
  };
}

/** `predict` of the same without softmax, from an array to an array. */
export async function sequenceForward(problem: SequenceProblem, backend: Backend): Promise<Side> {
  await enterTfjs(backend);
  const { model, x, y } = sequenceModel(problem, false);
  tf.dispose([x, y]);
  const shape: [number, number, number] = [problem.batch, problem.steps, problem.inputs];
  return arraySide(backend, () => taken(() => one(model.predict(tf.tensor(problem.x, shape)))), model);
}

/** A stateful model of one step, `predict` for each vector of the stream. */
export async function stream(problem: SequenceProblem, backend: Backend): Promise<Side> {
  await enterTfjs(backend);
  const { steps, inputs } = problem;
  const { model, x, y } = sequenceModel({ ...problem, steps: 1, x: problem.x.slice(0, inputs) }, false, true);
  tf.dispose([x, y]);
  const run = () => {
    let last: ArrayLike<number> = [];
    for (let step = 0; step < steps; step++) {
      const input = problem.x.subarray(step * inputs, (step + 1) * inputs);
      last = taken(() => one(model.predict(tf.tensor(input, [1, 1, inputs]))));
    }
    return last;
  };
  return arraySide(backend, run, model);
}

function arraySide(backend: Backend, run: () => ArrayLike<number>, model: tf.LayersModel): Side {
  return {
    enter: () => enterTfjs(backend),
    check: async (): Promise<Results> => new Map([["output", Float32Array.from(run())]]),
    run: async () => {
      run();
    },
    dispose: () => model.dispose(),
  };
}

/** The numbers of a tensor, which goes. Not inside of `tidy`: that looks for tensors in every entry of an array. */
function taken(compute: () => tf.Tensor): ArrayLike<number> {
  const tensor = tf.tidy(compute);
  const data = tensor.dataSync();
  tensor.dispose();
  return data;
}

function sequenceModel(problem: SequenceProblem, softmax: boolean, stateful = false) {
  const { batch, steps, inputs, classes } = problem;
  const model = tf.sequential();
  model.add(recurrentLayer(problem, stateful));
  model.add(tf.layers.dense({ units: classes, activation: softmax ? "softmax" : "linear" }));
  model.setWeights(fromSeqc(problem));
  const x = tf.tensor3d(problem.x, [batch, steps, inputs]);
  const y = tf.tensor3d(oneHot(problem.y, classes), [batch, problem.y.length / batch, classes]);
  return { model, x, y };
}

function recurrentLayer({ cell, batch, steps, inputs, hidden }: SequenceProblem, stateful: boolean): tf.layers.Layer {
  const batchInputShape: [number, number, number] = [batch, steps, inputs];
  const options = {
    units: hidden,
    recurrentActivation: "sigmoid",
    // The default is slow, and weights are set anyway.
    recurrentInitializer: "zeros",
    returnSequences: true,
    stateful,
  } as const;
  switch (cell) {
    case "lstm":
      return tf.layers.lstm({ ...options, batchInputShape });
    case "gru":
      return tf.layers.gru({ ...options, batchInputShape });
    case "both": {
      const layer = tf.layers.lstm(options);
      return tf.layers.bidirectional({ layer, mergeMode: "concat", batchInputShape });
    }
    case "mgu":
      return new MinimalGatedLayer(hidden, batchInputShape);
    default:
      return cell satisfies never;
  }
}

/** What a graphics card has is not to be had at once. */
function numbers(tensors: readonly tf.Tensor[]): Promise<readonly Float32Array[]> {
  return Promise.all(tensors.map(async (tensor) => Float32Array.from(await tensor.data())));
}

/** Mean cross-entropy's gradients, in the order of the model's weights. */
function gradients(model: tf.LayersModel, x: tf.Tensor, y: tf.Tensor): tf.Tensor[] {
  return tf.tidy(() => {
    const variables = model.getWeights();
    const tensors = model.trainableWeights.map((weight) => weight.read());
    const loss = () =>
      tf.metrics
        .categoricalCrossentropy(y, one(model.apply(x, { training: true })))
        .mean()
        .asScalar();
    const { grads } = tf.variableGrads(loss);
    const found = Object.values(grads);
    if (found.length !== variables.length || tensors.length !== variables.length) {
      throw new Error("tfjs-layers: not every weight has a gradient");
    }
    return tensors.map((tensor) => {
      const [, grad] = Object.entries(grads).find(([name]) => name === nameOf(tensor)) ?? [];
      if (grad === undefined) throw new Error("tfjs-layers: a weight has no gradient");
      return grad;
    });
  });
}

function nameOf(tensor: tf.Tensor): string {
  return tensor instanceof tf.Variable ? tensor.name : "";
}

function one(outputs: unknown): tf.Tensor {
  if (outputs instanceof tf.Tensor) return outputs;
  throw new Error("tfjs-layers: the model gives more than one output");
}

/** kernel, recurrent kernel and bias of each direction, then those of the dense layer. */
function fromSeqc(problem: SequenceProblem): tf.Tensor[] {
  const { cell, weights, inputs, hidden, classes } = problem;
  const units = ORDER[cell].length * hidden;
  const shapes: Readonly<Record<GateKind, number[]>> = { W: [inputs, units], U: [hidden, units], b: [units] };
  const cells = CELLS[cell].prefixes.flatMap((prefix) =>
    KINDS.map((kind) => tf.tensor(columnGates(weights, prefix, kind, ORDER[cell]), shapes[kind])),
  );
  const width = features(problem);
  const kernel = tf.tensor(transposed(weightData(weights, "head.W"), classes, width), [width, classes]);
  return [...cells, kernel, tf.tensor(weightData(weights, "head.b"), [classes])];
}

function toSeqc(problem: SequenceProblem, packed: readonly Float32Array[], prefix: string): Results {
  const { cell, hidden, classes } = problem;
  const results = new Map<string, Float32Array>();
  let at = 0;
  const next = (): Float32Array => packed[at++] ?? new Float32Array();
  for (const direction of CELLS[cell].prefixes)
    for (const kind of KINDS)
      for (const [name, values] of splitColumnGates(next(), direction, kind, ORDER[cell], hidden))
        results.set(`${prefix}${name}`, values);
  results.set(`${prefix}head.W`, transposed(next(), features(problem), classes));
  results.set(`${prefix}head.b`, next());
  return results;
}

/** Layers' names for the weights of the autoencoder, in order. */
const AUTOENCODER = ["enc.hidden.0.f", "enc.top.f", "dec.hidden.0.f", "dec.top.f"] as const;

/** `trainOnBatch` of four dense layers; the loss is Bernoulli's, summed over the picture. */
export async function autoencoderTraining(x: Float32Array, weights: Weights, batch: number, backend: Backend) {
  await enterTfjs(backend);
  const model = tf.sequential();
  for (const name of AUTOENCODER) {
    const [units = 0, size = 0] = weights.get(`${name}.W`)?.shape ?? [];
    const activation = name.includes("hidden") ? "relu" : "linear";
    model.add(tf.layers.dense({ units, activation, batchInputShape: [batch, size] }));
  }
  model.setWeights(AUTOENCODER.flatMap((name) => denseWeights(weights, name)));
  const input = tf.tensor2d(x, [batch, x.length / batch]);
  model.compile({ optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-7), loss: bernoulli });
  const side: Side = {
    enter: () => enterTfjs(backend),
    check: async () => {
      const loss = await model.trainOnBatch(input, input);
      const results = new Map<string, Float32Array>([["loss", Float32Array.of(Number(loss))]]);
      model.getWeights().forEach((weight, at) => {
        const name = `${AUTOENCODER[at >> 1]}.${at % 2 === 0 ? "W" : "b"}`;
        const [rows = 0, columns = 1] = weight.shape;
        const values = Float32Array.from(weight.dataSync());
        const after = weight.rank === 2 ? transposed(values, rows, columns) : values;
        results.set(`update.${name}`, difference(after, weightData(weights, name)));
      });
      return results;
    },
    run: async () => {
      await model.trainOnBatch(input, input);
    },
    dispose: () => {
      model.dispose();
      input.dispose();
    },
  };
  return side;
}

/** −log p of each picture, from logits. */
function bernoulli(truth: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const overflow = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  return tf.sum(tf.add(tf.sub(tf.relu(logits), tf.mul(logits, truth)), overflow), -1);
}

function denseWeights(weights: Weights, name: string): tf.Tensor[] {
  const [rows = 0, columns = 0] = weights.get(`${name}.W`)?.shape ?? [];
  const kernel = tf.tensor(transposed(weightData(weights, `${name}.W`), rows, columns), [columns, rows]);
  return [kernel, tf.tensor(weightData(weights, `${name}.b`), [rows])];
}

/** x · Wᵀ by tfjs's own product, from an array to an array; the weight stays in the backend. */
export async function product(x: Float32Array, weight: Float32Array, size: number): Promise<Side> {
  await enterTfjs("wasm");
  const kernel = tf.tensor2d(transposed(weight, size, size), [size, size]);
  const run = () => taken(() => tf.matMul(tf.tensor2d(x, [size, size]), kernel));
  return {
    enter: () => enterTfjs("wasm"),
    check: async (): Promise<Results> => new Map([["output", Float32Array.from(run())]]),
    run: async () => {
      run();
    },
    dispose: () => kernel.dispose(),
  };
}
