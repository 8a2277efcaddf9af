import { describe, expect, test } from "vitest";
import { compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

const [A, D, K] = [2, 3, 4];
/** One example. */
const x = [0.5, -1, 2];
const y = [1.5, 0.25, -0.75];
const m = [
  [1, 2, 3],
  [-1, 0.5, 4],
];
const s = [
  [2, 1, 0],
  [0.5, -1, 3],
  [1, 1, 1],
];
const v = [0.1, -0.4];
const ids = [2, 0, 1];

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, place) => place);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, place) => sum + value * (b[place] ?? 0), 0);
const at = (matrix: readonly (readonly number[])[], row: number, column: number): number =>
  matrix[row]?.[column] ?? Number.NaN;
const column = (matrix: readonly (readonly number[])[], place: number): readonly number[] =>
  matrix.map((row) => row[place] ?? 0);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const softmax = (values: readonly number[]): readonly number[] =>
  values.map((value) => Math.exp(value) / total(values.map(Math.exp)));

/** What an expression or the last of some equations is, entry by entry. */
const VALUES: readonly (readonly [source: string, shape: readonly number[], wanted: readonly number[]])[] = [
  // Products: the last axis of each; the right side's other axes, then the left side's.
  ["m @ x", [A], m.map((row) => dot(row, x))],
  ["m.T @ v", [D], range(D).map((d) => dot(column(m, d), v))],
  ["s @ m", [A, D], m.flatMap((row) => s.map((other) => dot(other, row)))],
  ["m @ s", [D, A], s.flatMap((row) => m.map((other) => dot(other, row)))],
  ["s.T @ m", [A, D], m.flatMap((row) => range(D).map((d) => dot(column(s, d), row)))],
  ["x @ y", [], [dot(x, y)]],
  // Elementwise operators align axes by name.
  ["m * x", [A, D], m.flatMap((row) => row.map((value, d) => value * (x[d] ?? 0)))],
  ["x + m", [A, D], m.flatMap((row) => row.map((value, d) => value + (x[d] ?? 0)))],
  ["m - v", [A, D], m.flatMap((row, a) => row.map((value) => value - (v[a] ?? 0)))],
  ["2 ** x / (1 + y**2)", [D], x.map((value, d) => 2 ** value / (1 + (y[d] ?? 0) ** 2))],
  ["-x**2 + 7 % 4", [D], x.map((value) => -(value ** 2) + 3)],
  ["x % 1", [D], x.map((value) => value - Math.floor(value))],
  [
    "max(x, y, 0.3) - min(x, y)",
    [D],
    x.map((value, d) => Math.max(value, y[d] ?? 0, 0.3) - Math.min(value, y[d] ?? 0)),
  ],
  ["where(x > y and not (x == 2), 1, where(x < 0 or y < 0, -1, 0))", [D], [0, -1, -1]],
  // Reductions.
  ["sum[A](m) + sum[D, D](s)", [D], range(D).map((d) => total(column(m, d)) + total(s.flat()))],
  ["mean(m)", [A], m.map((row) => total(row) / D)],
  ["max[A, D](m) + min[A, D](m) + prod(x)", [], [4 - 1 - 1]],
  ["softmax[A](m)", [A, D], range(A).flatMap((a) => range(D).map((d) => softmax(column(m, d))[a] ?? 0))],
  ["softmax(m)", [A, D], m.flatMap((row) => softmax(row))],
  ["log_softmax(x)", [D], softmax(x).map(Math.log)],
  ["argmax(m)", [A], [2, 2]],
  ["argmin[A](m)", [D], [1, 1, 0]],
  ["var(x)", [], [total(x.map((value) => (value - 0.5) ** 2)) / 3]],
  // Positions, slices, gathers.
  ["m[1]", [D], m[1] ?? []],
  ["m[:, 2]", [A], column(m, 2)],
  ["m[1, D-1]", [], [4]],
  ["x[1:]", [2], [-1, 2]],
  ["x[:D-1] * y[1:]", [2], [0.5 * 0.25, 0.75]],
  ["x[ids]", [D], ids.map((id) => x[id] ?? 0)],
  ["s[ids]", [D, D], ids.flatMap((id) => s[id] ?? [])],
  ["m[:, ids]", [A, D], m.flatMap((row) => ids.map((id) => row[id] ?? 0))],
  ["one_hot(ids)", [D, D], ids.flatMap((id) => range(D).map((d) => (d === id ? 1 : 0)))],
  ["one_hot(ids) @ x", [D], ids.map((id) => x[id] ?? 0)],
  // Index equations.
  ["r[i, j] = s[j, i] * x[i]", [D, D], range(D).flatMap((i) => range(D).map((j) => at(s, j, i) * (x[i] ?? 0)))],
  ["r[i, j] = x[i] - y[j]", [D, D], range(D).flatMap((i) => range(D).map((j) => (x[i] ?? 0) - (y[j] ?? 0)))],
  ["r[i] = s[i, i] * 1.0", [D], range(D).map((i) => at(s, i, i))],
  ["r[a] = m[a] @ x + a", [A], m.map((row, a) => dot(row, x) + a)],
  ["r[i] = x[i-1] else 9 + y[i]", [D], [9 + 1.5, 0.5 + 0.25, -1 - 0.75]],
  ["r[i] = x[i] + r[i-1] else 0", [D], [0.5, -0.5, 1.5]],
  ["r[i] = x[i] * r[i+1] else 1", [D], [-1, -2, 2]],
  ["r[i] = x[i] + r[i-2] else 10", [D], [10.5, 9, 12.5]],
  ["r[i] = sum(x[:i+1]) * 1", [D], [0.5, -0.5, 1.5]],
  ["r[i] = sum(x[i:]) - sum(x[:i])", [D], [1.5, 0.5, 2.5]],
  ["r[i] = sum(sum(s[:i+1, :i+1]))", [D], range(D).map((i) => corner(0, i + 1, 0, i + 1))],
  ["r[i] = sum(sum(s[:i, i:]))", [D], range(D).map((i) => corner(0, i, i, D))],
  ["r[i] = sum(s[:i+1, :i+1] @ x[:i+1])", [D], range(D).map((i) => corner(0, i + 1, 0, i + 1, x))],
  ["r[i] = sum(s[i, :i] * s[:i, i])", [D], range(D).map((i) => total(range(i).map((j) => at(s, i, j) * at(s, j, i))))],
  ["p[i] = where(i == 0, 1, sum(sum(s[:i, :i])) + sum(p[:i]))", [D], grown()],
  ["r[i] = max(x[:i]) else -3", [D], [-3, 0.5, 0.5]],
  ["r[i, k in 2] = x[i-k] else 0", [D, 2], [0.5, 0, -1, 0.5, 2, -1]],
  ["r[k in K] = k * k + 1", [K], [1, 2, 5, 10]],
  ["r[i in D] = x[D-1-i]", [D], [2, -1, 0.5]],
  ["r[k in 2] = m[1, 2*k]", [2], [-1, 4]],
  ["r[k in 2, l in 2] = x[k + l]", [2, 2], [0.5, -1, -1, 2]],
  ["r[k in 2] = x[2*k+1] else 0", [2], [-1, 0]],
  ["r[i in D] = x[(i - 1) % D] + x[(i + 1) % D]", [D], [2 - 1, 0.5 + 2, -1 + 0.5]],
  ["r[k in 5] = x[k % 2 + 1]", [5], [-1, 2, -1, 2, -1]],
  ["r[i] = where((x[i] > x[i-1]) else true, 1, where(false, 2, 0))", [D], [1, 0, 1]],
  [
    "r[i, j] = s[i, j] + min(r[i-1, j] else 10, r[i, j-1] else 10, r[i-1, j-1] else where(i + j == 0, 0, 10))",
    [D, D],
    paths(),
  ],
  ["f[i] = 0.5 * g[i-1] else 1 + x[i]\n g[i] = f[i] - y[i]", [D], mutual()],
  // Shapes.
  ["concat(x, y)", [2 * D], [...x, ...y]],
  ["concat[A](m, 2 * m)", [2 * A, D], [...m.flat(), ...m.flat().map((value) => 2 * value)]],
  ["concat(x, m, x)", [A, 3 * D], m.flatMap((row) => [...x, ...row, ...x])],
  ["concat(s, s)", [D, 2 * D], s.flatMap((row) => [...row, ...row])],
  ["concat(m, v)", [A, D + A], m.flatMap((row) => [...row, ...v])],
  ["concat(v, m)", [A, A + D], m.flatMap((row) => [...v, ...row])],
  ["concat(x[0], y, 7)", [D + 2], [0.5, ...y, 7]],
  ["reshape(m, [A*D])", [A * D], m.flat()],
  ["reshape(m, [D*A])", [A * D], m.flat()],
  ["diag(s) + eye(D) @ x", [D], range(D).map((d) => at(s, d, d) + (x[d] ?? 0))],
  ["m.T", [D, A], range(D).flatMap((d) => column(m, d))],
  // Numbers.
  ["sqrt(D) * x + D / A", [D], x.map((value) => Math.sqrt(3) * value + 1.5)],
  ["x * inf * 0 == 0", [D], [0, 0, 0]],
  [
    "abs(x) + sign(x) + floor(x) + ceil(y) + round(y * 2)",
    [D],
    x.map(
      (value, d) =>
        Math.abs(value) + Math.sign(value) + Math.floor(value) + Math.ceil(y[d] ?? 0) + roundEven(2 * (y[d] ?? 0)),
    ),
  ],
];

/** The sum over some rows and columns of `s`, each column weighed. */
function corner(
  top: number,
  bottom: number,
  left: number,
  right: number,
  weights: readonly number[] = [1, 1, 1],
): number {
  return total(
    s
      .slice(top, bottom)
      .map((row) => total(row.slice(left, right).map((value, place) => value * (weights[left + place] ?? 0)))),
  );
}

/** Each number is what the square of `s` before it and all numbers before it add up to. */
function grown(): readonly number[] {
  const p: number[] = [];
  for (const i of range(D)) p.push(i === 0 ? 1 : corner(0, i, 0, i) + total(p));
  return p;
}

function roundEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** The cheapest way to each entry of `s`. */
function paths(): readonly number[] {
  const cost: number[][] = [];
  for (const [i, row] of s.entries()) {
    cost.push([]);
    for (const [j, value] of row.entries()) {
      const before = [
        cost[i - 1]?.[j] ?? 10,
        cost[i]?.[j - 1] ?? 10,
        i === 0 && j === 0 ? 0 : (cost[i - 1]?.[j - 1] ?? 10),
      ];
      cost[i]?.push(value + Math.min(...before));
    }
  }
  return cost.flat();
}

function mutual(): readonly number[] {
  let last: number | undefined;
  return x.map((value, place) => {
    last = 0.5 * (last ?? 1) + value - (y[place] ?? 0);
    return last;
  });
}

describe("what expressions are", () => {
  for (const [source, shape, wanted] of VALUES) {
    test(source, () => {
      const name = /^(\w+)(\[[^\]]*\])? = /.test(source)
        ? (source.split("\n").at(-1)?.trim().split(/[[ ]/)[0] ?? "")
        : "z";
      const body = name === "z" ? `z = ${source}` : source;
      const text = `model M(A, D, K) { in x: [D], y: [D], m: [A, D], s: [D, D], v: [A], ids: tok(D)[D]
        ${body}
        out_of_all = sum(x) + sum(y) + sum[A, D](m) + sum[D, D](s) + sum(v) + sum(one_hot(ids[0])) }`;
      const program = compileText(text, { sizes: { A, D, K }, values: [name, "out_of_all"] });
      const arrays = {
        x: { shape: [1, D], data: x },
        y: { shape: [1, D], data: y },
        m: { shape: [1, A, D], data: m.flat() },
        s: { shape: [1, D, D], data: s.flat() },
        v: { shape: [1, A], data: v },
        ids: { shape: [1, D], data: ids },
      };
      const found = readArray(program, evaluate(program.graph, feed(program, arrays)), `value.${name}`);
      expect(found.shape).toEqual([1, ...shape]);
      for (const [place, value] of wanted.entries()) expect(found.data[place], `entry ${place}`).toBeCloseTo(value, 12);
      expect(found.data.length).toBe(wanted.length);
    });
  }
});
