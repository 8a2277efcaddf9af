import { expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, randomFeed } from "../support/feed.ts";
import { compareWithDifferences } from "../support/finite.ts";
import { readArray } from "../support/read.ts";

const SIZES = { V: 4, K: 3, C: 2 };
const MODEL = `model M(V, K, C) {
  time T
  in  a: tok(V)[T], b: tok(K)[T], n: tok(V)[2]
  param A: [V, K, C] init 0
  one[t] = A[a[t-1] else 1, b[t]]
  row[t] = A[a[t], b[t], 1]
  all    = A[n, b]
  emit y: [] ~ normal(sum(one) + sum(row) + sum(all), 1)
}`;

const program = compileText(MODEL, { sizes: SIZES, values: ["one", "row", "all"], gradients: true, dense: true });
const [a, b, n] = [
  [0, 3, 2, 1],
  [2, 0, 1, 1],
  [3, 0],
];
const table = Float64Array.from({ length: 24 }, (_, at) => at ** 2);
const entry = (i: number, j: number, c: number): number => table[(i * SIZES.K + j) * SIZES.C + c] ?? Number.NaN;

function numbersOf(made: Program, name: string): readonly number[] {
  const arrays = {
    ...{ a: { shape: [1, 4], data: a }, b: { shape: [1, 4], data: b }, n: { shape: [1, 2], data: n } },
    ...{ A: { shape: [4, 3, 2], data: table }, y: { shape: [1], data: [0] } },
  };
  return Array.from(readArray(made, evaluate(made.graph, feed(made, arrays)), `value.${name}`).data);
}

test("positions of several axes: each reads its own", () => {
  const channels = [0, 1];
  expect(numbersOf(program, "one")).toEqual(b.flatMap((j, t) => channels.map((c) => entry(a[t - 1] ?? 1, j, c))));
  expect(numbersOf(program, "row")).toEqual(b.map((j, t) => entry(a[t] ?? 0, j, 1)));
  expect(numbersOf(program, "all")).toEqual(n.flatMap((i) => b.flatMap((j) => channels.map((c) => entry(i, j, c)))));
});

test("their gradients", () => {
  const { wrong, compared } = compareWithDifferences(program, randomFeed(program, { ...SIZES, B: 2, T: 4 }));
  expect({ wrong, compared: compared > 0 }).toEqual({ wrong: [], compared: true });
});

test("they are one lookup: no value has an example's or a position's copy of a whole table", () => {
  const trigram = compileText(
    "model M(V) { time T in ids: tok(V)[T] param A: [V, V, next: V] emit ids[t+1] ~ categorical(A[ids[t-1] else BOS, ids[t]]) }",
    {
      sizes: { V: 5 },
      gradients: true,
    },
  );
  const large = trigram.graph.nodes.flatMap(({ outputs }) =>
    outputs.filter(({ type }) => {
      const times = type.axes.filter(({ id }) => id === "T" || id === "B").length;
      return times > 0 && type.axes.length - times > 1;
    }),
  );
  expect(large.map(({ id }) => id)).toEqual([]);
  expect(trigram.graph.nodes.filter(({ op }) => op.name === "scatter").length).toBeGreaterThan(0);
});
