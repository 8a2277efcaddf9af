import { describe, expect, test } from "vitest";
import { births } from "../../models/data/births.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { createChance } from "../support/chance.ts";
import { compileDefinitionOf, compileText, packageFile, readSource } from "../support/compile.ts";
import { feed } from "../support/feed.ts";
import { readArray } from "../support/read.ts";
import { prepared, trainedOn } from "../support/train.ts";

describe("the hidden Markov model", () => {
  const [K, V, T] = [3, 5, 8];
  const chance = createChance(4);
  const draw = (count: number): Float64Array => Float64Array.from({ length: count }, () => chance.between(-2, 2));
  const [a, b, p] = [draw(K * K), draw(K * V), draw(K)];
  const x = Array.from({ length: T }, () => chance.below(V));
  const program = compileText(readSource("models/hmm.seq").text, {
    sizes: { K, V },
    values: ["loglik", "path"],
    dense: true,
  });
  const given = {
    a: { shape: [K, K], data: a },
    b: { shape: [K, V], data: b },
    p: { shape: [K], data: p },
    x: { shape: [1, T], data: x },
  };
  const { inputs, sizes } = feed(program, given, { training: false });
  const results = interpret(program.graph, inputs, sizes);
  const softmax = (scores: readonly number[]): readonly number[] => {
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
    return scores.map((score) => Math.exp(score) / sum);
  };
  const states = Array.from({ length: K }, (_, k) => k);
  const start = softmax([...p]);
  const emits = states.map((k) => softmax([...b.slice(k * V, (k + 1) * V)]));
  /** From a state, to each. */
  const moves = states.map((from) => softmax(states.map((to) => a[to * K + from] ?? 0)));
  const at = (table: readonly (readonly number[])[], row: number, column: number): number => table[row]?.[column] ?? 0;

  test("its likelihood is that of the forward algorithm (Rabiner 1989, eqs. 19 to 21)", () => {
    let alpha = states.map((k) => (start[k] ?? 0) * at(emits, k, x[0] ?? 0));
    for (const symbol of x.slice(1)) {
      alpha = states.map(
        (k) => states.reduce((sum, from) => sum + (alpha[from] ?? 0) * at(moves, from, k), 0) * at(emits, k, symbol),
      );
    }
    const likelihood = Math.log(alpha.reduce((sum, each) => sum + each, 0));
    expect(readArray(program, results, "value.loglik").data[0]).toBeCloseTo(likelihood, 9);
  });

  test("its path is the likeliest of all paths", () => {
    const score = (path: readonly number[]): number =>
      path.reduce((sum, k, t) => {
        const before = t === 0 ? (start[k] ?? 0) : at(moves, path[t - 1] ?? 0, k);
        return sum + Math.log(before) + Math.log(at(emits, k, x[t] ?? 0));
      }, 0);
    const best = { score: Number.NEGATIVE_INFINITY };
    for (let code = 0; code < K ** T; code++) {
      best.score = Math.max(best.score, score(x.map((_, t) => Math.floor(code / K ** t) % K)));
    }
    const found = Array.from(readArray(program, results, "value.path").data);
    expect(score(found)).toBeCloseTo(best.score, 9);
  });
});

describe("dynamic time warping", () => {
  const source = readSource("models/dtw.seq").text;
  const chance = createChance(5);
  const [x, y] = [7, 5].map((length) => Array.from({ length }, () => chance.between(-1, 1)));
  const distance = (gamma: number): number => {
    const program = compileDefinitionOf(`SoftDTW(gamma: ${gamma})`, { sizes: { B: 1, N: 7, M: 5 } }, source);
    const given = { x: { shape: [1, 7], data: x ?? [] }, y: { shape: [1, 5], data: y ?? [] } };
    const { inputs, sizes } = feed(program, given);
    const [name] = program.graph.results.map((result) => result.name).filter((one) => one.startsWith("out"));
    return interpret(program.graph, inputs, sizes).get(name ?? "")?.data[0] ?? Number.NaN;
  };
  /** Every path of steps right, down or both, by brute force. */
  const costs = (i: number, j: number): readonly number[] => {
    const here = ((x?.[i] ?? 0) - (y?.[j] ?? 0)) ** 2;
    if (i === 0 && j === 0) return [here];
    const ways = [
      [i - 1, j],
      [i, j - 1],
      [i - 1, j - 1],
    ] as const;
    return ways.flatMap(([k, l]) => (k < 0 || l < 0 ? [] : costs(k, l).map((cost) => cost + here)));
  };
  const all = costs(6, 4);

  test("soft: the soft minimum over all alignments (Cuturi and Blondel 2017, eq. 2)", () => {
    for (const gamma of [1, 0.3]) {
      const sum = all.reduce((total, cost) => total + Math.exp(-cost / gamma), 0);
      expect(distance(gamma)).toBeCloseTo(-gamma * Math.log(sum), 9);
    }
  });

  test("a small gamma gives the best alignment", () => {
    expect(distance(1e-5)).toBeCloseTo(Math.min(...all), 3);
  });
});

test("the linear autoregression reaches the solution of the Yule-Walker equations", async () => {
  const training = await prepared(packageFile("models/ar.seq"), { steps: 1000 });
  const { outcome } = await trainedOn(training, "wasm");
  const found = Array.from(outcome.state.weights.get("w")?.data ?? []);
  const { x } = births();
  const P = found.length;
  expect(P).toBe(14);
  const r = Array.from({ length: P + 1 }, (_, lag) => x.reduce((sum, value, t) => sum + value * (x[t - lag] ?? 0), 0));
  // The equations themselves: sum over j of r[|i-j|] w[j] = r[i+1], and how far w is off, by the size of r[0].
  const off = found.map((_, i) => found.reduce((sum, w, j) => sum + w * (r[Math.abs(i - j)] ?? 0), -(r[i + 1] ?? 0)));
  expect(Math.max(...off.map(Math.abs)) / (r[0] ?? 1)).toBeLessThan(1e-4);
});
