import { describe, expect, test } from "vitest";
import { compileText } from "../support/compile.ts";
import { evaluate, numberOf } from "../support/execute.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

/** Values of x: [T], p: [T] (positive), m: [T, D] and q: [D], all ragged over T; each gives one number for an example. */
const REDUCTIONS: readonly string[] = [
  "sum(x)",
  "mean(x)",
  "var(x)",
  "max(x)",
  "min(x)",
  "prod(x)",
  "norm(x)",
  "logsumexp(x)",
  "sum(softmax(x)**2)",
  "sum(log_softmax(x))",
  "sum(x) / T",
  "sum(x) / (T - 1 + 2*T)",
  "sum(x) * T**2 / (T/2 + 1)",
  "sum(log(p))",
  "sum(1 / p)",
  "sum(sqrt(p)) + prod(p)",
  "mean(p ** x)",
  "x @ p",
  "sum[D](m.T @ x)",
  "sum[D](m.T @ softmax(m @ q))",
  "sum[D](mean[T](m) * q)",
  "mean[T, D](m)",
  "max[T, D](m) - min[T, D](m)",
  "logsumexp[T, D](m)",
  "sum[T](max[D](m))",
  "sum[D](max[T](m))",
  "sum[D](var[T](m))",
  "x[T-1]",
  "x[0]",
  "x[T-2] else 5",
  "x[2] else 7",
  "x[T-1] * x[T-2] else x[0]",
  "sum(x[1:])",
  "sum(x[:2])",
  "sum(x[1:3])",
  "sum(x[:T-1])",
  "sum(x[T-3:])",
  "max(x[T-2:])",
  "sum(x[1:] * x[:T-1])",
  "mean(x[:4]) * q[0]",
  "sum(m[:2] @ q[:D])",
  "sum(q[1:2]) * x[0]",
  "norm(m[T-1])",
  "sum(cumsum(x)**2)",
  "where(any(x > 0.9), 1.0, 2.0) * sum(x)",
  "where(all(x > 0.1), 1.0, 2.0) * sum(x)",
  "m[argmax(x)] @ q",
  "m[argmin(p), 1] * x[0]",
];

/** Equations over T and what is made of them. */
const EQUATIONS: readonly (readonly [equations: string, value: string])[] = [
  ["h[t] = tanh(x[t] + 0.7 * h[t-1] else 0.3)", "h[T-1]"],
  ["h[t] = tanh(x[t] + 0.7 * h[t+1] else 0.3)", "h[0] + sum(h)"],
  ["h[t] = x[t] - 0.5 * h[t-2] else 1", "sum(h**2)"],
  ["h[t] = x[t] - 0.5 * h[t+2] else 1", "sum(h**2)"],
  ["w[t, k in 3] = x[t-1-k] else 0.2\n  s[t] = sum(w[t]**2)", "sum(s)"],
  ["w[t, k in 3] = x[t+k] else 0.2\n  s[t] = max(w[t])", "sum(s)"],
  ["r[t in T] = x[T-1-t]", "r[0] - 0.5 * r[T-1] + sum(r * x)"],
  ["a[t] = sum(x[:t+1])**2", "sum(a)"],
  ["a[t] = mean(x[:t]) else 0.1", "sum(a**2)"],
  ["a[t] = max(x[t:])", "sum(a**2)"],
  ["a[t] = logsumexp(x[t+1:]) else 0.4", "sum(a)"],
  ["a[t] = m[:t+1].T @ softmax(m[:t+1] @ q)", "sum[T](a @ q)"],
  ["a[t, u] = x[t] * p[u] - p[t] * x[u]", "sum[T, T](a**3)"],
  ["d[t] = x[t] - x[t-1] else 0", "sum(d**2)"],
  ["d[t in T] = x[T-1-t] else 0", "sum(d * p)"],
];

const SIZES = { B: 4, T: 7, D: 2 };
const LENGTHS = [7, 4, 2, 1];

describe("a ragged example equals the same example by itself", () => {
  for (const value of REDUCTIONS) test(value, () => checkEqual("", value));
  for (const [equations, value] of EQUATIONS) test(`${equations}; ${value}`, () => checkEqual(equations, value));
});

describe("what overflows past an example's end reaches no weight", () => {
  const cases = {
    "a recurrence": "h[t] = w * h[t-1] else 1 + x[t]\n  y = h[T-1]",
    "a backward recurrence": "h[t] = w * h[t+1] else 1 + x[t]\n  y = h[0]",
    "two steps back": "h[t] = w * h[t-2] else 1 + x[t]\n  y = h[T-1]",
    "two steps ahead": "h[t] = w * h[t+2] else 1 + x[t]\n  y = h[0]",
    "a window of itself": "h[t] = w * sum(past[t]) + x[t]\n  past[t, k in 2] = h[t-1-k] else 1\n  y = h[T-1]",
    "a slice of itself": "h[t] = w * sum(h[:t]) + x[t]\n  y = h[T-1]",
    "two that need each other": "h[t] = w * g[t-1] else 1 + x[t]\n  g[t] = w * h[t]\n  y = h[T-1]",
    "two that need each other, backward": "h[t] = w * g[t+1] else 1 + x[t]\n  g[t] = w * h[t]\n  y = h[0]",
    "a scan": "ys, s = scan c over x\n  y = s.h",
    "a scan backward": "ys, s = scan c over x reverse\n  y = s.h",
    "a mean of it": "h[t] = w * h[t-1] else 1 + x[t]\n  y = mean(h)",
    "its exponential": "h[t] = x[t] + w * h[t-1] else 1\n  e[t] = exp(h[t])\n  y = sum(e)",
  };
  for (const [name, equations] of Object.entries(cases)) {
    test(name, () => {
      const program = compileText(
        `cell Growing { in x: [] state h: [] param v: [] init 2 h' = v * h + x out h' }
        model M { time T in x: [T] param w: [] init 2 use c = Growing ${equations} }
        train check of M { data x = csv("rows.csv") minimize y optim sgd(0.1) for 1 steps }`,
        { regime: "check", gradients: true },
      );
      const T = 1100;
      const weight = program.weights.at(-1)?.name ?? "";
      const gradients = [3, T].map((length) => {
        const arrays = {
          x: { shape: [1, length], data: Array.from({ length }, () => 1) },
          "T.length": { shape: [1], data: [3] },
          ...Object.fromEntries(program.weights.map(({ name }) => [name, { shape: [], data: [2] }])),
        };
        const results = evaluate(program.graph, feed(program, arrays));
        return [numberOf(results, "loss"), numberOf(results, `gradient.${weight}`)];
      });
      expect(gradients[0]?.every(Number.isFinite)).toBe(true);
      expect(gradients[1]).toEqual(gradients[0]);
    });
  }
});

/** Values and gradients by every input agree; past the end gradients are 0. */
function checkEqual(equations: string, value: string): void {
  const text = `model M(D) {
  time T
  in  x: [T], p: [T], m: [T, D], q: [D]
  ${equations}
  y = ${value}
}
train check of M { data x = csv("rows.csv") minimize y optim sgd(0.1) for 1 steps }`;
  const wrt = ["x", "p", "m", "q"];
  const options = { sizes: { D: SIZES.D }, regime: "check", values: ["y"], wrt };
  const ragged = compileText(text, options);
  const dense = compileText(text, { ...options, dense: true });
  const { B, T, D } = SIZES;
  const inside = (shape: readonly number[], place: number): boolean => {
    const example = Math.floor(((place / T) * (shape[1] === T ? 1 : 0)) / (shape[2] ?? 1));
    const t = Math.floor(place / (shape[2] ?? 1)) % T;
    return shape[1] !== T || t < (LENGTHS[example] ?? 0);
  };
  const array = (shape: readonly number[], salt: number, junk: number): NamedArray => ({
    shape,
    data: Array.from({ length: shape.reduce((a, b) => a * b) }, (_, place) =>
      inside(shape, place) ? 0.55 + 0.45 * Math.sin(place * 1.7 + salt) : junk * (1 + (place % 3)),
    ),
  });
  const arrays = {
    x: array([B, T], 1, 20),
    p: array([B, T], 2, 20),
    m: array([B, T, D], 3, -1e4),
    q: array([B, D], 4, 0),
  };
  const together = evaluate(ragged.graph, feed(ragged, { ...arrays, "T.length": { shape: [B], data: LENGTHS } }));
  const values = readArray(ragged, together, "value.y").data;
  for (const [example, length] of LENGTHS.entries()) {
    const own = Object.fromEntries(
      Object.entries(arrays).map(([name, whole]) => [name, alone(whole, example, length)]),
    );
    const single = evaluate(dense.graph, feed(dense, own));
    expect(values[example], `y of example ${example}`).toBeCloseTo(numberOf(single, "loss"), 11);
    for (const name of wrt) {
      const all = readArray(ragged, together, `gradient.${name}`);
      const found = Array.from(alone(all, example, length).data, (number) => number * B);
      const wanted = Array.from(readArray(dense, single, `gradient.${name}`).data);
      expect(found.length).toBe(wanted.length);
      for (const [place, number] of found.entries()) {
        expect(number, `gradient of ${name}[${place}]`).toBeCloseTo(wanted[place] ?? Number.NaN, 10);
      }
      const outside = Array.from(all.data).filter((_, place) => !inside(all.shape, place));
      expect(outside.map(Math.abs), `gradient past the end of ${name}`).toEqual(outside.map(() => 0));
    }
  }
}

/** One example, cut to its length. */
function alone({ shape, data }: NamedArray, example: number, length: number): NamedArray {
  const [, second = 1, ...rest] = shape;
  const size = rest.reduce((a, b) => a * b, 1);
  const start = example * second * size;
  const kept = second === SIZES.T ? length : second;
  return { shape: [1, kept, ...rest], data: Array.from(data).slice(start, start + kept * size) };
}
