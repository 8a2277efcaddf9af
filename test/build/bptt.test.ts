import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { compileStepOf, compileText, openJob, stepOf } from "../support/compile.ts";
import { evaluate, numberOf, type Results } from "../support/execute.ts";
import { advanced, feed, type NamedArray, randomArrays } from "../support/feed.ts";
import { expectArray, readArray } from "../support/read.ts";

const LENGTH = 13;
const SIZES = { B: 3, V: 5, K: 4, D: 2, H: 3, E: 2 };

interface Case {
  readonly text: string;
  /** By how many positions chunks overlap. */
  readonly overlap: number;
}

const LEARNED =
  "cell Learned(D, H) { in x: [D] param h0: [H] init 0 state h: [H] = h0 param W: [H, D], U: [H, H] h' = tanh(W @ x + U @ h) out h' }";

const CASES: Readonly<Record<string, Case>> = {
  "two layers of a language model": {
    text: `model M(V, E, H) { time T in ids: tok(V)[T]
      use emb = Embed(V, E), l1 = LSTM(E, H), l2 = GRU(H, H), head = Linear(H, V)
      y = scan l2 over scan l1 over emb(ids)
      emit ids[t+1] ~ categorical(head(y[t])) }`,
    overlap: 1,
  },
  "tags that see the tag before": {
    text: `model M(K, D, E, H) { time T in x: [T, D]
      use emb = Embed(K, E), l1 = LSTM(D + E, H), head = Linear(H, K)
      y = scan l1 over concat(x, before)
      before[t] = emb(tag[t-1] else BOS)
      emit tag[t in T]: tok(K) ~ categorical(head(y[t])) }`,
    overlap: 0,
  },
  "an equation with a learned start, and what changed since the step before": {
    text: `model M(D, H) { time T in x: [T, D]
      param W: [H, D], U: [H, H], h0: [H]
      use head = Linear(H, D)
      d[t] = x[t] - x[t-1] else 0
      h[t] = tanh(W @ d[t] + U @ h[t-1] else h0)
      emit x[t+1] ~ normal(head(h[t]), 1) }`,
    overlap: 1,
  },
  "two equations that need each other": {
    text: `model M(D, H) { time T in x: [T, D]
      param W: [H, D], U: [H, H], a: [H]
      use head = Linear(H, D)
      g[t] = tanh(U @ h[t-1] else 0.1 + a)
      h[t] = g[t] * sigmoid(W @ x[t]) + 0.5 * h[t-1] else a
      emit x[t+1] ~ normal(head(h[t]), 1) }`,
    overlap: 1,
  },
  "a cell with a learned start": {
    text: `${LEARNED}
      model M(D, H) { time T in x: [T, D] use c = Learned(D, H), head = Linear(H, D)
      y, s = scan c over x
      emit x[t+1] ~ normal(head(y[t]), 1) }`,
    overlap: 1,
  },
};

describe("chunks with the state carried over are the whole sequence", () => {
  for (const [name, { text, overlap }] of Object.entries(CASES)) {
    for (const dense of [true, false]) {
      test(`${name}, ${dense ? "dense" : "ragged"}`, () => {
        const regime = `${text} train check of M { data x = csv("rows.csv") minimize ${objectiveOf(text)} bptt 5 optim sgd(0.0) for 1 steps }`;
        const step = compileStepOf(regime, "check", { sizes: SIZES, dense });
        const forward = compileText(regime, { sizes: SIZES, dense, regime: "check", gradients: true });
        const arrays = randomArrays(forward, { ...SIZES, T: LENGTH }, { lengths: { T: [LENGTH, LENGTH, LENGTH] } });
        const whole = evaluate(forward.graph, feed(forward, arrays));
        for (const cuts of [[4, 4, 4], [3, 7, 2], [12]]) {
          const sizes = overlap === 0 ? [...cuts.slice(0, -1), (cuts.at(-1) ?? 0) + 1] : cuts;
          const { loss, count } = chunked(step, arrays, sizes, overlap);
          expect(count).toBe(LENGTH - overlap);
          expect(loss, `cut at ${cuts.join(", ")}`).toBeCloseTo(numberOf(whole, "loss"), 11);
        }
      });
    }
    test(`${name}: one chunk has the gradients of the whole`, () => {
      const regime = `${text} train check of M { data x = csv("rows.csv") minimize ${objectiveOf(text)} bptt 5 optim sgd(1.0) for 1 steps }`;
      const step = compileStepOf(regime, "check", { sizes: SIZES, dense: true });
      const forward = compileText(regime, { sizes: SIZES, dense: true, regime: "check", gradients: true });
      const arrays = randomArrays(forward, { ...SIZES, T: LENGTH });
      const whole = evaluate(forward.graph, feed(forward, arrays));
      const after = evaluate(step.graph, feed(step, arrays));
      for (const { name: weight } of forward.weights) {
        const [before, moved] = [arrays[weight], readArray(step, after, `weight.${weight}`)];
        const gradient = Array.from(moved.data, (value, place) => (before?.data[place] ?? Number.NaN) - value);
        const { shape, data } = readArray(forward, whole, `gradient.${weight}`);
        expectArray(weight, { shape, data: gradient }, { shape, data }, { within: 1e-12 });
      }
    });
  }
});

describe("where a chunk cannot go on", () => {
  const refused: Readonly<Record<string, readonly [text: string, code: string]>> = {
    "no recurrence": [
      "model M(D) { time T in x: [T, D] use f = Linear(D, D) emit x[t+1] ~ normal(f(x[t]), 1) }",
      "wrong-option",
    ],
    "two steps back": [
      "model M(D) { time T in x: [T, D] use f = Linear(D, D) h[t] = tanh(f(x[t]) + 0.5 * h[t-2] else 0) emit x[t+1] ~ normal(h[t], 1) }",
      "wrong-option",
    ],
    "a slice of itself": [
      "model M(D) { time T in x: [T, D] use f = Linear(D, D) h[t] = tanh(f(x[t]) + 0.5 * sum[T](h[:t])) emit x[t+1] ~ normal(h[t], 1) }",
      "wrong-option",
    ],
  };
  for (const [name, [text, code]] of Object.entries(refused)) {
    test(name, () => {
      const job = openJob(
        `${text} train check of M { data x = csv("rows.csv") minimize nll(x) bptt 5 optim sgd(0.1) for 1 steps }`,
        { sizes: SIZES },
      );
      expect(stepOf(job, "check")).toBeUndefined();
      expect(job.report.diagnostics.map((found) => found.code)).toEqual([code]);
    });
  }
});

function objectiveOf(text: string): string {
  return `nll(${/emit (\w+)/.exec(text)?.[1]})`;
}

/** Runs the chunks one after another; the losses weighed by how many positions each has. */
function chunked(
  step: Program,
  arrays: Readonly<Record<string, NamedArray>>,
  cuts: readonly number[],
  overlap: number,
): { readonly loss: number; readonly count: number } {
  let start = 0;
  let sum = 0;
  let count = 0;
  let carried: Results | undefined;
  for (const positions of cuts) {
    const own = Object.fromEntries(
      Object.entries(arrays).map(([name, array]) => [name, chunkOf(name, array, start, positions + overlap)]),
    );
    const fresh = feed(step, own, { fresh: start === 0 });
    const given = carried === undefined ? fresh : withCarries(step, fresh, carried);
    carried = evaluate(step.graph, given);
    sum += numberOf(carried, "loss") * positions;
    count += positions;
    start += positions;
  }
  return { loss: sum / count, count };
}

function withCarries(step: Program, fresh: ReturnType<typeof feed>, results: Results): ReturnType<typeof feed> {
  const inputs = new Map(fresh.inputs);
  for (const [id, tensor] of advanced(step, fresh, results).inputs) {
    if (step.params.get(id)?.kind === "carry") inputs.set(id, tensor);
  }
  return { ...fresh, inputs };
}

/** Positions of the second axis, which is the time of all inputs. */
function chunkOf(name: string, array: NamedArray, start: number, count: number): NamedArray {
  if (name === "T.length") return { shape: array.shape, data: Array.from(array.data, () => count) };
  const [B = 0, T, ...rest] = array.shape;
  if (T !== LENGTH) return array;
  const size = rest.reduce((product, axis) => product * axis, 1);
  const data = Array.from({ length: B }, (_, example) =>
    Array.from(array.data).slice((example * T + start) * size, (example * T + start + count) * size),
  ).flat();
  return { shape: [B, count, ...rest], data };
}
