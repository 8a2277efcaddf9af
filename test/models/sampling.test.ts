import { describe, expect, test } from "vitest";
import { compileGenerationOf } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

const COUNT = 20_000;

/** Draws many examples of what a model without inputs emits. */
function drawn(
  emission: string,
  params: string,
  weights: Readonly<Record<string, NamedArray>>,
  method = "sample",
): readonly number[] {
  const text = `model M(K = 4) { ${params} emit ${emission} }
    generate some of M { y by ${method} }`;
  const { program } = compileGenerationOf(text, "some");
  const results = evaluate(program.graph, feed(program, weights, { sizes: { B: COUNT }, seed: 5, training: false }));
  return Array.from(readArray(program, results, "choice.y").data);
}

function frequencies(values: readonly number[], count: number): readonly number[] {
  return Array.from({ length: count }, (_, token) => values.filter((value) => value === token).length / values.length);
}

function softmax(logits: readonly number[]): readonly number[] {
  const powers = logits.map(Math.exp);
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Each within four standard errors of its probability. */
function expectFrequencies(found: readonly number[], wanted: readonly number[]): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((frequency, token) => {
    const p = wanted[token] ?? 0;
    const error = Math.sqrt((p * (1 - p)) / COUNT);
    expect(Math.abs(frequency - p), `${token}: ${frequency}, expected ${p}`).toBeLessThanOrEqual(4 * error);
  });
}

function moments(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

describe("how often a token is drawn", () => {
  const logits = [1.2, -0.3, 0.4, -1.5];
  const weights = { a: { shape: [4], data: logits } };
  const draw = (method: string): readonly number[] =>
    frequencies(drawn("y: tok(K) ~ categorical(a)", "param a: [K]", weights, method), 4);

  test("by its probability", () => expectFrequencies(draw("sample"), softmax(logits)));
  test("at a temperature", () => {
    for (const temperature of [0.5, 2]) {
      expectFrequencies(
        draw(`sample(temperature: ${temperature})`),
        softmax(logits.map((logit) => logit / temperature)),
      );
    }
  });
  test("among the most likely", () => {
    const [first, , third] = logits;
    const [a = 0, b = 0] = softmax([first ?? 0, third ?? 0]);
    expectFrequencies(draw("sample(top_k: 2)"), [a, 0, b, 0]);
    expectFrequencies(draw("sample(top_k: 4)"), softmax(logits));
  });
  test("the best is always the same", () => expect(draw("best")).toEqual([1, 0, 0, 0]));
});

describe("how numbers are spread", () => {
  const [mu, sigma] = [0.7, 1.8];
  const weights = { m: { shape: [], data: [mu] }, s: { shape: [], data: [sigma] } };
  const near = (found: number, wanted: number, error: number): void => {
    expect(Math.abs(found - wanted), `${found}, expected ${wanted}`).toBeLessThanOrEqual(4 * error);
  };
  const root = Math.sqrt(COUNT);

  test("normal", () => {
    const values = drawn("y: [] ~ normal(m, s)", "param m: [], s: []", weights);
    const { mean, deviation } = moments(values);
    near(mean, mu, sigma / root);
    near(deviation, sigma, sigma / root / Math.SQRT2);
    near(values.filter((value) => value < mu + sigma).length / COUNT, 0.8413, 0.366 / root);
    near(values.filter((value) => value < mu - 2 * sigma).length / COUNT, 0.02275, 0.149 / root);
  });
  test("laplace", () => {
    const values = drawn("y: [] ~ laplace(m, s)", "param m: [], s: []", weights);
    const { mean, deviation } = moments(values);
    near(mean, mu, (Math.SQRT2 * sigma) / root);
    near(deviation, Math.SQRT2 * sigma, (Math.sqrt(2.5) * sigma) / root);
    near(values.filter((value) => value > mu + sigma * Math.LN2).length / COUNT, 0.25, 0.433 / root);
  });
  test("bernoulli, by logits and by probability", () => {
    const p = 1 / (1 + Math.exp(-0.7));
    near(moments(drawn("y: [] ~ bernoulli(logits: m)", "param m: []", { m: weights.m })).mean, p, 0.5 / root);
    near(moments(drawn("y: [] ~ bernoulli(sigmoid(m))", "param m: []", { m: weights.m })).mean, p, 0.5 / root);
  });
  test("mixture", () => {
    const parts = {
      a: { shape: [2], data: [0, 1] },
      m: { shape: [2], data: [-10, 10] },
      s: { shape: [2], data: [0.5, 2] },
    };
    const values = drawn("y: [] ~ mixture(a, m, s)", "param a: [2], m: [2], s: [2]", parts);
    const [low = 0] = softmax([0, 1]);
    const below = values.filter((value) => value < 0);
    near(below.length / COUNT, low, 0.45 / root);
    near(moments(below).deviation, 0.5, 0.5 / root);
    near(moments(values.filter((value) => value > 0)).deviation, 2, 2 / root);
  });
  test("a vector with a covariance", () => {
    const values = drawn("y: [2] ~ multivariate_normal(m, A @ A)", "param m: [2], A: [2, 2]", {
      m: { shape: [2], data: [1, -1] },
      A: { shape: [2, 2], data: [1, 0, 0.8, 0.6] },
    });
    const [x, y] = [0, 1].map((axis) => values.filter((_, place) => place % 2 === axis));
    if (x === undefined || y === undefined) throw new Error("no vectors");
    near(moments(x).mean, 1, 1 / root);
    near(moments(y).mean, -1, 1 / root);
    near(moments(y).deviation, 1, 1 / root);
    const product = x.reduce((sum, value, place) => sum + (value - 1) * ((y[place] ?? 0) + 1), 0) / COUNT;
    near(product, 0.8, 1.3 / root);
  });
});

describe("noise", () => {
  const values = (dist: string): readonly number[] => {
    const text = `model M { noise e: [] ~ ${dist}, other: [] ~ ${dist} both = e emit y: [] ~ normal(0, 1) }
      generate some of M { both other }`;
    const { program } = compileGenerationOf(text, "some");
    const results = evaluate(program.graph, feed(program, {}, { sizes: { B: COUNT }, seed: 9 }));
    const [e, other] = ["value.both", "value.other"].map((name) => Array.from(readArray(program, results, name).data));
    if (e === undefined || other === undefined) throw new Error("no noise");
    // Streams of different names, and neighbours in one stream, have nothing to do with each other.
    const { mean, deviation } = moments(e);
    const correlation = (pair: (place: number) => number): number =>
      e.reduce((sum, value, place) => sum + (value - mean) * (pair(place) - mean), 0) / COUNT / deviation ** 2;
    expect(Math.abs(correlation((place) => other[place] ?? 0))).toBeLessThan(4 / Math.sqrt(COUNT));
    expect(Math.abs(correlation((place) => e[(place + 1) % COUNT] ?? 0))).toBeLessThan(4 / Math.sqrt(COUNT));
    return e;
  };

  test("uniform", () => {
    const drawnValues = values("uniform(-1, 3)");
    expect(Math.min(...drawnValues)).toBeGreaterThan(-1);
    expect(Math.max(...drawnValues)).toBeLessThan(3);
    expectFrequencies(
      frequencies(
        drawnValues.map((value) => Math.floor(value + 1)),
        4,
      ),
      [0.25, 0.25, 0.25, 0.25],
    );
  });
  test("gaussian", () => {
    const { mean, deviation } = moments(values("normal(0.5, 2)"));
    expect(Math.abs(mean - 0.5)).toBeLessThan(8 / Math.sqrt(COUNT));
    expect(Math.abs(deviation - 2)).toBeLessThan(6 / Math.sqrt(COUNT));
  });
});
