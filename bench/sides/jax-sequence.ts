import { type Array as JaxArray, nn, numpy as np } from "@jax-js/jax";
import { oneHot, swapped, transposed } from "../arrays.ts";
import { columnGates, type GateKind, splitColumnGates, weightData } from "../gates.ts";
import { CELLS, features, type SequenceProblem } from "../sequence.ts";
import { type Arrays, at, floats, release } from "./jax-arrays.ts";
import { JAX_CELLS } from "./jax-cells.ts";

const KINDS: readonly GateKind[] = ["W", "U", "b"];

/** Mean cross-entropy over all positions, from one-hot labels [steps · batch, classes]. */
export function meanCrossEntropy(problem: SequenceProblem, p: Arrays, xs: JaxArray[], y: JaxArray): JaxArray {
  const { batch, steps } = problem;
  return nn
    .logSoftmax(logits(problem, p, xs), -1)
    .mul(y)
    .sum()
    .mul(-1 / (batch * steps));
}

/** [steps · batch, classes]; the loop over time is unrolled, as jax-js has no scan. */
export function logits(problem: SequenceProblem, p: Arrays, xs: JaxArray[]): JaxArray {
  const [forward = "", backward] = CELLS[problem.cell].prefixes;
  const ahead = walk(problem, p, forward, referred(xs));
  const outputs =
    backward === undefined
      ? ahead
      : walk(problem, p, backward, referred(xs).reverse())
          .reverse()
          .map((back, step) => np.concatenate([ahead[step] ?? back, back], 1));
  release(xs);
  const guess = np.matmul(np.concatenate(outputs, 0), at(p, "head.W")).add(at(p, "head.b"));
  release(Object.values(p));
  return guess;
}

export function referred(xs: readonly JaxArray[]): JaxArray[] {
  return xs.map((x) => x.ref);
}

/** The outputs of all steps; leaves the weights. */
function walk({ cell, batch, hidden }: SequenceProblem, p: Arrays, prefix: string, xs: JaxArray[]): JaxArray[] {
  const { states, open, step } = JAX_CELLS[cell];
  const weights = open(p, prefix);
  let state = states.map(() => np.zeros([batch, hidden]));
  const outputs = xs.map((x) => {
    state = step(weights, x, state);
    return referred(state)[0] ?? np.zeros([batch, hidden]);
  });
  release(state);
  release(Object.values(weights));
  return outputs;
}

export function parameters(problem: SequenceProblem): Arrays {
  const { cell, weights, inputs, hidden, classes } = problem;
  const { order } = JAX_CELLS[cell];
  const units = order.length * hidden;
  const shapes: Readonly<Record<GateKind, number[]>> = { W: [inputs, units], U: [hidden, units], b: [units] };
  const all: Record<string, JaxArray> = {};
  for (const prefix of CELLS[cell].prefixes)
    for (const kind of KINDS)
      all[`${prefix}${kind}`] = np.array(columnGates(weights, prefix, kind, order)).reshape(shapes[kind]);
  const kernel = transposed(weightData(weights, "head.W"), classes, features(problem));
  all["head.W"] = np.array(kernel).reshape([features(problem), classes]);
  all["head.b"] = np.array(Float32Array.from(weightData(weights, "head.b")));
  return all;
}

/** The same by seqc's names and in its layout. */
export async function toSeqc(problem: SequenceProblem, arrays: Arrays): Promise<ReadonlyMap<string, Float32Array>> {
  const { cell, hidden, classes } = problem;
  const { order } = JAX_CELLS[cell];
  const results = new Map<string, Float32Array>();
  for (const prefix of CELLS[cell].prefixes)
    for (const kind of KINDS) {
      const packed = await floats(at(arrays, `${prefix}${kind}`));
      for (const [name, values] of splitColumnGates(packed, prefix, kind, order, hidden)) results.set(name, values);
    }
  results.set("head.W", transposed(await floats(at(arrays, "head.W")), features(problem), classes));
  results.set("head.b", await floats(at(arrays, "head.b")));
  release(Object.values(arrays));
  return results;
}

/** The input of every step, [batch, inputs]. */
export function inputs({ x, batch, steps, inputs: width }: SequenceProblem): JaxArray[] {
  return parts(swapped(x, batch, steps, width), steps, [batch, width]);
}

export function parts(data: Float32Array, count: number, shape: number[]): JaxArray[] {
  const size = data.length / count;
  return Array.from({ length: count }, (_, part) =>
    np.array(data.slice(part * size, (part + 1) * size)).reshape(shape),
  );
}

/** One-hot, [steps · batch, classes]. */
export function labels({ y, batch, steps, classes }: SequenceProblem): JaxArray {
  return np.array(swapped(oneHot(y, classes), batch, steps, classes)).reshape([steps * batch, classes]);
}
