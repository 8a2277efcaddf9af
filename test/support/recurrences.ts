import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { namedSize, partSize, type SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as move from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import { argmax } from "../../src/op/reduce.ts";
import { createChance } from "./chance.ts";
import { randomTensor } from "./tensors.ts";

/** A recurrence as equations, with numbers for its params, and where it pays as plain loops. */
export interface Recurrence {
  readonly name: string;
  readonly sizes: SizeBinding;
  /** Adds the equations; returns the values to look at, by name. Floats among them enter the loss. */
  readonly build: (b: Builder) => Readonly<Record<string, string>>;
  /** The same values by loops over arrays: `get(param, ...position)`, results row-major in the given axes. */
  readonly loops?: (get: Get, size: (name: string) => number) => Readonly<Record<string, LoopResult>>;
  /** How many scans the schedule has, nested ones counted. */
  readonly scans: number;
}

export type Get = (param: string, ...position: readonly number[]) => number;

export interface LoopResult {
  readonly axes: readonly string[];
  readonly data: readonly number[];
}

export interface BuiltRecurrence {
  readonly builder: Builder;
  readonly outputs: Readonly<Record<string, string>>;
  /** Float scalar. */
  readonly loss: string;
  /** Float params. */
  readonly wrt: readonly string[];
  readonly inputs: ReadonlyMap<string, Tensor>;
}

/** A recurrence built anew: its outputs, a scalar that depends on all of them, and random numbers for its params. */
export function buildRecurrence(recurrence: Recurrence): BuiltRecurrence {
  const builder = createBuilder(recurrence.name.replaceAll(" ", "_"));
  const outputs = recurrence.build(builder);
  const { params } = builder.finish([]);
  const chance = createChance(7);
  const inputs = new Map(params.map(({ id, type }) => [id, randomTensor(chance, type, recurrence.sizes)]));
  const floats = Object.values(outputs).filter((id) => builder.type(id).dtype === "float");
  const loss = floats.map((id, index) => scored(builder, id, index)).reduce((sum, part) => make.add(builder, sum, part));
  const wrt = params.filter(({ type }) => type.dtype === "float").map(({ id }) => id);
  return { builder, outputs, loss, wrt, inputs };
}

/** Σ (x + x²/2 + ...) with a weight, so that no entry and no output can stand in for another. */
function scored(b: Builder, id: string, index: number): string {
  const { axes } = b.type(id);
  const ramp = axes.reduce(
    (sum, axis, at) => make.add(b, sum, make.mul(b, make.num(b, 0.1 + 0.07 * at), make.toFloat(b, make.iota(b, axis)))),
    make.num(b, 0.3 + 0.2 * index),
  );
  const curve = make.add(b, id, make.mul(b, make.num(b, 0.5), make.mul(b, id, id)));
  return sums.sumOver(b, make.mul(b, curve, ramp), axes);
}

export function finishRecurrence({ builder, outputs, loss }: BuiltRecurrence): Graph {
  const results = Object.entries(outputs).map(([name, id]) => ({ name, id }));
  return builder.finish([...results, { name: "loss", id: loss }]);
}

const axis = (id: string): Axis => ({ id, size: namedSize(id) });
const float = (...axes: readonly Axis[]): Type => ({ dtype: "float", axes });
const int = (...axes: readonly Axis[]): Type => ({ dtype: "int", axes });
const B = axis("B");
const T = axis("T");
const S = axis("S");
const H = axis("H");
const H2: Axis = { id: "H~1", size: namedSize("H") };
const D = axis("D");
const I = axis("I");
const J = axis("J");
const K = axis("K");
const P = axis("P");

const sizes = (values: Readonly<Record<string, number>>): SizeBinding => new Map(Object.entries(values));

/** x[.. + offset ..] else d, where every offset's outside is masked. */
export function readElse(b: Builder, x: string, offsets: readonly (readonly [Axis, number])[], d: string): string {
  let id = x;
  const masks: string[] = [];
  for (const [along, offset] of offsets) {
    id = move.shift(b, id, along.id, offset);
    const mask = make.inside(b, along, Math.max(-offset, 0), Math.max(offset, 0));
    if (mask !== undefined) masks.push(mask);
  }
  const ranges = offsets.map(([along, offset]) => ({ axis: along.id, low: Math.max(-offset, 0), high: Math.max(offset, 0) }));
  const mask = masks.reduce((sum, part) => make.and(b, sum, part));
  return make.orelse(b, id, d, mask, { ranges, ragged: false });
}

/** W @ x for W: [H, over] and x: [.., over]. */
function product(b: Builder, w: string, x: string, over: Axis): string {
  return sums.contract(b, w, x, [over]);
}

/** U @ h for U: [H, H~1]. */
function square(b: Builder, u: string, h: string): string {
  return product(b, u, move.rename(b, h, ["H"], [H2]), H2);
}

const tanh = (b: Builder, x: string, name: string): string => make.mapNamed(b, maps.tanh, [x], name);

const add = (b: Builder, ...terms: readonly string[]): string => terms.reduce((sum, term) => make.add(b, sum, term));

function closing(b: Builder, name: string, type: Type, equation: (self: string) => string): string {
  const self = b.forward(`${name}.ahead`, type);
  const value = move.expand(b, equation(self), type.axes);
  b.close(self, value);
  return value;
}

/** tanh(Wx + U h[t+offset] else h0). */
function rnn(b: Builder, name: string, x: string, over: Axis, offset: number): string {
  const w = b.param(`${name}.W`, float(H, over));
  const u = b.param(`${name}.U`, float(H, H2));
  const h0 = b.param(`${name}.h0`, float(H));
  return closing(b, name, float(T, B, H), (h) =>
    tanh(b, add(b, product(b, w, x, over), square(b, u, readElse(b, h, [[T, offset]], h0))), name),
  );
}

function rnnLoops(get: Get, x: (t: number, b: number, d: number) => number, name: string, n: { T: number; B: number; H: number; D: number }, reverse: boolean): number[][][] {
  const h: number[][][] = Array.from({ length: n.T }, () => []);
  for (let step = 0; step < n.T; step++) {
    const t = reverse ? n.T - 1 - step : step;
    const before = h[reverse ? t + 1 : t - 1];
    h[t] = range(n.B).map((b) =>
      range(n.H).map((i) => {
        const wx = sum(n.D, (d) => get(`${name}.W`, i, d) * x(t, b, d));
        const uh = sum(n.H, (j) => get(`${name}.U`, i, j) * (before?.[b]?.[j] ?? get(`${name}.h0`, j)));
        return Math.tanh(wx + uh);
      }),
    );
  }
  return h;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const sum = (count: number, term: (index: number) => number): number => range(count).reduce((total, index) => total + term(index), 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** softmax over `over` where the mask holds; 0 elsewhere, also where it holds nowhere. */
function maskedSoftmax(b: Builder, scores: string, mask: string, over: Axis): string {
  const masked = make.select(b, mask, scores, make.num(b, -1e30));
  const top = make.stopGradient(b, sums.reduceOver(b, "max", masked, [over]));
  const weights = make.select(b, mask, make.exp(b, make.sub(b, masked, top)), make.num(b, 0));
  return make.div(b, weights, make.maximum(b, sums.sumOver(b, weights, [over]), make.num(b, 1e-30)));
}

function logSumExp(b: Builder, x: string, over: Axis): string {
  const top = make.stopGradient(b, sums.reduceOver(b, "max", x, [over]));
  return make.add(b, top, make.log(b, sums.sumOver(b, make.exp(b, make.sub(b, x, top)), [over])));
}

const PLAIN = sizes({ T: 5, B: 2, H: 3, D: 2 });
const counts = (size: (name: string) => number) => ({ T: size("T"), B: size("B"), H: size("H"), D: size("D") });

export const RECURRENCES: readonly Recurrence[] = [
  {
    name: "rnn",
    sizes: PLAIN,
    scans: 1,
    build: (b) => ({ h: rnn(b, "h", b.param("x", float(T, B, D)), D, -1) }),
    loops: (get, size) => {
      const h = rnnLoops(get, (t, b, d) => get("x", t, b, d), "h", counts(size), false);
      return { h: { axes: ["T", "B", "H"], data: h.flat(2) } };
    },
  },
  {
    name: "reversed rnn",
    sizes: PLAIN,
    scans: 1,
    build: (b) => ({ h: rnn(b, "h", b.param("x", float(T, B, D)), D, 1) }),
    loops: (get, size) => {
      const h = rnnLoops(get, (t, b, d) => get("x", t, b, d), "h", counts(size), true);
      return { h: { axes: ["T", "B", "H"], data: h.flat(2) } };
    },
  },
  {
    name: "two directions",
    sizes: PLAIN,
    scans: 2,
    build: (b) => {
      const x = b.param("x", float(T, B, D));
      const forward = rnn(b, "f", x, D, -1);
      const backward = rnn(b, "g", x, D, 1);
      return { y: make.mul(b, forward, backward) };
    },
    loops: (get, size) => {
      const x = (t: number, b: number, d: number) => get("x", t, b, d);
      const f = rnnLoops(get, x, "f", counts(size), false).flat(2);
      const g = rnnLoops(get, x, "g", counts(size), true).flat(2);
      return { y: { axes: ["T", "B", "H"], data: f.map((value, index) => value * (g[index] ?? Number.NaN)) } };
    },
  },
  {
    name: "stacked",
    sizes: PLAIN,
    scans: 2,
    build: (b) => {
      const below = rnn(b, "below", b.param("x", float(T, B, D)), D, -1);
      return { y: rnn(b, "above", move.rename(b, below, ["H"], [H2]), H2, -1) };
    },
    loops: (get, size) => {
      const below = rnnLoops(get, (t, b, d) => get("x", t, b, d), "below", counts(size), false);
      const y = rnnLoops(get, (t, b, d) => below[t]?.[b]?.[d] ?? Number.NaN, "above", { ...counts(size), D: size("H") }, false);
      return { y: { axes: ["T", "B", "H"], data: y.flat(2) } };
    },
  },
  {
    name: "lstm",
    sizes: PLAIN,
    scans: 1,
    build: (b) => {
      const x = b.param("x", float(T, B, D));
      const type = float(T, B, H);
      const h = b.forward("h.ahead", type);
      const c = b.forward("c.ahead", type);
      const before = readElse(b, h, [[T, -1]], make.num(b, 0));
      const gate = (name: string) =>
        add(
          b,
          product(b, b.param(`W.${name}`, float(H, D)), x, D),
          square(b, b.param(`U.${name}`, float(H, H2)), before),
          b.param(`b.${name}`, float(H)),
        );
      const [i, f, o] = ["i", "f", "o"].map((name) => make.mapNamed(b, maps.sigmoid, [gate(name)], name));
      const g = tanh(b, gate("g"), "g");
      const cell = make.add(
        b,
        make.mul(b, f ?? "", readElse(b, c, [[T, -1]], make.num(b, 0))),
        make.mul(b, i ?? "", g),
        "c",
      );
      const out = make.mul(b, o ?? "", tanh(b, cell, "tc"), "h");
      b.close(c, cell);
      b.close(h, out);
      return { h: out, c: cell };
    },
    loops: (get, size) => {
      const n = counts(size);
      const h: number[][][] = [];
      const c: number[][][] = [];
      for (let t = 0; t < n.T; t++) {
        const cells = range(n.B).map((b) =>
          range(n.H).map((k) => {
            const gate = (name: string) =>
              sum(n.D, (d) => get(`W.${name}`, k, d) * get("x", t, b, d)) +
              sum(n.H, (j) => get(`U.${name}`, k, j) * (h[t - 1]?.[b]?.[j] ?? 0)) +
              get(`b.${name}`, k);
            const cell = sigmoid(gate("f")) * (c[t - 1]?.[b]?.[k] ?? 0) + sigmoid(gate("i")) * Math.tanh(gate("g"));
            return { cell, out: sigmoid(gate("o")) * Math.tanh(cell) };
          }),
        );
        h.push(cells.map((row) => row.map(({ out }) => out)));
        c.push(cells.map((row) => row.map(({ cell }) => cell)));
      }
      return { h: { axes: ["T", "B", "H"], data: h.flat(2) }, c: { axes: ["T", "B", "H"], data: c.flat(2) } };
    },
  },
  {
    name: "skip connection",
    sizes: sizes({ T: 6, H: 2 }),
    scans: 1,
    build: (b) => {
      const x = b.param("x", float(T, H));
      const d = b.param("d", float(T, H));
      return {
        h: closing(b, "h", float(T, H), (h) =>
          tanh(
            b,
            add(
              b,
              x,
              make.mul(b, make.num(b, 0.6), readElse(b, h, [[T, -1]], make.num(b, 0.25))),
              make.mul(b, make.num(b, -0.7), readElse(b, h, [[T, -2]], d)),
            ),
            "h",
          ),
        ),
      };
    },
    loops: (get, size) => {
      const h: number[][] = [];
      for (let t = 0; t < size("T"); t++) {
        h.push(
          range(size("H")).map((k) =>
            Math.tanh(get("x", t, k) + 0.6 * (h[t - 1]?.[k] ?? 0.25) - 0.7 * (h[t - 2]?.[k] ?? get("d", t, k))),
          ),
        );
      }
      return { h: { axes: ["T", "H"], data: h.flat() } };
    },
  },
  ...[-1, 1].map(
    (sign): Recurrence => ({
      name: `seasonal ${sign < 0 ? "forward" : "reversed"}`,
      sizes: sizes({ T: 9, H: 2 }),
      scans: 1,
      build: (b) => {
        const x = b.param("x", float(T, H));
        const d = b.param("d", float(T, H));
        return {
          h: closing(b, "h", float(T, H), (h) =>
            tanh(
              b,
              add(
                b,
                x,
                readElse(b, h, [[T, 6 * sign]], d),
                make.mul(b, make.num(b, 0.5), readElse(b, h, [[T, 3 * sign]], d)),
                make.mul(b, make.num(b, 0.4), readElse(b, h, [[T, 5 * sign]], make.num(b, 1))),
              ),
              "h",
            ),
          ),
        };
      },
      loops: (get, size) => {
        const n = size("T");
        const h: number[][] = Array.from({ length: n }, () => []);
        for (let step = 0; step < n; step++) {
          const t = sign < 0 ? step : n - 1 - step;
          h[t] = range(size("H")).map((k) =>
            Math.tanh(
              get("x", t, k) +
                (h[t + 6 * sign]?.[k] ?? get("d", t, k)) +
                0.5 * (h[t + 3 * sign]?.[k] ?? get("d", t, k)) +
                0.4 * (h[t + 5 * sign]?.[k] ?? 1),
            ),
          );
        }
        return { h: { axes: ["T", "H"], data: h.flat() } };
      },
    }),
  ),
  ...([
    ["window of the last three", -1, -1],
    ["window at a distance, dilated", -2, -2],
    ["window in the other order", -3, 1],
    ["window ahead", 1, 1],
  ] as const).map(
    ([name, offset, stride]): Recurrence => ({
      name,
      sizes: sizes({ T: 9, H: 2, P: 3 }),
      scans: 1,
      build: (b) => {
        const x = b.param("x", float(T, H));
        const w = b.param("w", float(P));
        return {
          h: closing(b, "h", float(T, H), (h) => {
            const past = move.window(b, h, "T", P, offset, stride);
            const at = add(b, make.iota(b, T), make.int(b, offset), make.mul(b, make.int(b, stride), make.iota(b, P)));
            const mask = make.and(b, make.le(b, make.int(b, 0), at), make.lt(b, at, make.sizeInt(b, T.size)));
            const read = make.orelse(b, past, make.num(b, 0.2), mask, { ranges: [], ragged: true });
            return tanh(b, make.add(b, x, sums.contract(b, w, read, [P])), "h");
          }),
        };
      },
      loops: (get, size) => {
        const n = size("T");
        const h: number[][] = Array.from({ length: n }, () => []);
        for (let step = 0; step < n; step++) {
          const t = offset < 0 ? step : n - 1 - step;
          h[t] = range(size("H")).map((k) =>
            Math.tanh(get("x", t, k) + sum(size("P"), (p) => get("w", p) * (h[t + offset + stride * p]?.[k] ?? 0.2))),
          );
        }
        return { h: { axes: ["T", "H"], data: h.flat() } };
      },
    }),
  ),
  {
    name: "window that sees this step",
    sizes: sizes({ T: 7, H: 2, P: 3 }),
    scans: 1,
    build: (b) => {
      const x = b.param("x", float(T, H));
      const w = b.param("w", float(P));
      const y = b.forward("y.ahead", float(T, H));
      const g = tanh(b, make.add(b, x, readElse(b, y, [[T, -1]], make.num(b, 0))), "g");
      const recent = move.window(b, g, "T", P, 0, -1);
      const mask = make.le(b, make.iota(b, P), make.iota(b, T));
      const read = make.select(b, mask, recent, make.num(b, 0));
      const value = sums.contract(b, w, read, [P], "y");
      b.close(y, value);
      return { y: value };
    },
    loops: (get, size) => {
      const g: number[][] = [];
      const y: number[][] = [];
      for (let t = 0; t < size("T"); t++) {
        g.push(range(size("H")).map((k) => Math.tanh(get("x", t, k) + (y[t - 1]?.[k] ?? 0))));
        y.push(range(size("H")).map((k) => sum(size("P"), (p) => get("w", p) * (g[t - p]?.[k] ?? 0))));
      }
      return { y: { axes: ["T", "H"], data: y.flat() } };
    },
  },
  ...([0, 1] as const).map(
    (end): Recurrence => ({
      name: end === 0 ? "attention over what was" : "attention over what was and is",
      sizes: sizes({ T: 5, B: 2, H: 3 }),
      scans: 1,
      build: (b) => {
        const x = b.param("x", float(T, B, H));
        const wk = b.param("Wk", float(H, H2));
        const part: Axis = { id: "T~1", size: partSize(T.size, `:T+${end}`) };
        return {
          h: closing(b, "h", float(T, B, H), (h) => {
            const source = end === 0 ? h : make.add(b, x, readElse(b, h, [[T, -1]], make.num(b, 0)), "k");
            const key = square(b, wk, source);
            const seen = move.prefix(b, key, "T", part, end);
            const values = move.prefix(b, source, "T", part, end);
            const scores = sums.contract(b, seen, x, [H]);
            const mask = make.lt(b, make.iota(b, part), make.add(b, make.iota(b, T), make.int(b, end)));
            const read = sums.contract(b, maskedSoftmax(b, scores, mask, part), values, [part]);
            if (end === 1) return tanh(b, read, "h");
            const some = make.inside(b, T, 1, 0) ?? "";
            const ranges = [{ axis: "T", low: 1, high: 0 }];
            return tanh(b, make.add(b, x, make.orelse(b, read, make.num(b, 0.1), some, { ranges, ragged: false })), "h");
          }),
        };
      },
      loops: (get, size) => {
        const n = { T: size("T"), B: size("B"), H: size("H") };
        const h: number[][][] = [];
        const source: number[][][] = [];
        for (let t = 0; t < n.T; t++) {
          if (end === 1) {
            source.push(range(n.B).map((b) => range(n.H).map((k) => get("x", t, b, k) + (h[t - 1]?.[b]?.[k] ?? 0))));
          }
          const seen = end === 1 ? source : h;
          h.push(
            range(n.B).map((b) => {
              const scores = seen.map((row) =>
                sum(n.H, (k) => get("x", t, b, k) * sum(n.H, (j) => get("Wk", k, j) * (row[b]?.[j] ?? 0))),
              );
              const weights = scores.map((score) => Math.exp(score));
              const total = weights.reduce((a, c) => a + c, 0);
              return range(n.H).map((k) => {
                const read = weights.reduce((a, weight, s) => a + (weight / total) * (seen[s]?.[b]?.[k] ?? 0), 0);
                return Math.tanh(end === 1 ? read : get("x", t, b, k) + (t === 0 ? 0.1 : read));
              });
            }),
          );
        }
        return { h: { axes: ["T", "B", "H"], data: h.flat(2) } };
      },
    }),
  ),
  {
    name: "sum over what is to come",
    sizes: sizes({ T: 5, H: 2 }),
    scans: 1,
    build: (b) => {
      const x = b.param("x", float(T, H));
      const part: Axis = { id: "T~1", size: partSize(T.size, "T+1:") };
      return {
        h: closing(b, "h", float(T, H), (h) => {
          const rest = move.suffix(b, h, "T", part, 1);
          const mask = make.le(b, make.add(b, make.iota(b, T), make.int(b, 1)), make.iota(b, part));
          const weighted = make.mul(b, make.select(b, mask, rest, make.num(b, 0)), make.num(b, 0.5));
          return tanh(b, make.add(b, x, sums.sumOver(b, weighted, [part])), "h");
        }),
      };
    },
    loops: (get, size) => {
      const n = size("T");
      const h: number[][] = Array.from({ length: n }, () => []);
      for (let t = n - 1; t >= 0; t--) {
        h[t] = range(size("H")).map((k) =>
          Math.tanh(get("x", t, k) + 0.5 * h.slice(t + 1).reduce((total, row) => total + (row[k] ?? 0), 0)),
        );
      }
      return { h: { axes: ["T", "H"], data: h.flat() } };
    },
  },
  {
    name: "soft dtw",
    sizes: sizes({ I: 4, J: 5, B: 2 }),
    scans: 2,
    build: (b) => {
      const x = b.param("x", float(B, I));
      const y = b.param("y", float(B, J));
      const far = make.num(b, 20);
      const corner = make.select(
        b,
        make.eq(b, make.add(b, make.iota(b, I), make.iota(b, J)), make.int(b, 0)),
        make.num(b, 0),
        far,
      );
      const difference = make.sub(b, x, y);
      return {
        r: closing(b, "r", float(B, I, J), (r) => {
          const ways = [
            readElse(b, r, [[I, -1]], far),
            readElse(b, r, [[J, -1]], far),
            readElse(b, r, [[I, -1], [J, -1]], corner),
          ];
          const exponentials = ways.map((way) => make.exp(b, make.neg(b, way)));
          const soft = make.neg(b, make.log(b, add(b, ...exponentials)));
          return make.add(b, make.mul(b, difference, difference), soft, "r");
        }),
      };
    },
    loops: (get, size) => {
      const r = range(size("B")).map((b) => {
        const rows: number[][] = [];
        for (let i = 0; i < size("I"); i++) {
          rows.push([]);
          for (let j = 0; j < size("J"); j++) {
            const corner = i + j === 0 ? 0 : 20;
            const ways = [rows[i - 1]?.[j] ?? 20, rows[i]?.[j - 1] ?? 20, rows[i - 1]?.[j - 1] ?? corner];
            const soft = -Math.log(ways.reduce((total, way) => total + Math.exp(-way), 0));
            rows[i]?.push((get("x", b, i) - get("y", b, j)) ** 2 + soft);
          }
        }
        return rows;
      });
      return { r: { axes: ["B", "I", "J"], data: r.flat(2) } };
    },
  },
  {
    name: "hidden Markov model",
    sizes: sizes({ T: 5, K: 3, B: 2 }),
    scans: 1,
    build: (b) => {
      const previous: Axis = { id: "K~1", size: K.size };
      const emission = b.param("e", float(B, T, K));
      const transition = b.param("A", float(K, previous));
      const initial = b.param("pi", float(K));
      const alpha = closing(b, "alpha", float(B, T, K), (self) => {
        const before = move.rename(b, move.shift(b, self, "T", -1), ["K"], [previous]);
        const step = logSumExp(b, make.add(b, before, transition), previous);
        const ranges = [{ axis: "T", low: 1, high: 0 }];
        const inside = make.inside(b, T, 1, 0) ?? "";
        return make.add(b, emission, make.orelse(b, step, initial, inside, { ranges, ragged: false }), "alpha");
      });
      const last = make.sub(b, make.sizeInt(b, T.size), make.int(b, 1));
      return { likelihood: logSumExp(b, move.entry(b, alpha, "T", last), K), alpha };
    },
    loops: (get, size) => {
      const n = { T: size("T"), K: size("K") };
      const alpha = range(size("B")).map((b) => {
        const rows: number[][] = [];
        for (let t = 0; t < n.T; t++) {
          rows.push(
            range(n.K).map((k) => {
              const before = rows[t - 1];
              const step =
                before === undefined ? get("pi", k) : Math.log(sum(n.K, (j) => Math.exp((before[j] ?? 0) + get("A", k, j))));
              return get("e", b, t, k) + step;
            }),
          );
        }
        return rows;
      });
      const likelihood = alpha.map((rows) => Math.log(sum(n.K, (k) => Math.exp(rows[n.T - 1]?.[k] ?? 0))));
      return {
        likelihood: { axes: ["B"], data: likelihood },
        alpha: { axes: ["B", "T", "K"], data: alpha.flat(2) },
      };
    },
  },
  {
    name: "Viterbi",
    sizes: sizes({ T: 6, K: 3, B: 2 }),
    scans: 2,
    build: (b) => {
      const previous: Axis = { id: "K~1", size: K.size };
      const emission = b.param("e", float(B, T, K));
      const transition = b.param("A", float(K, previous));
      const start = (value: string, d: string) =>
        make.orelse(b, value, d, make.inside(b, T, 1, 0) ?? "", { ranges: [{ axis: "T", low: 1, high: 0 }], ragged: false });
      const candidates = (best: string) =>
        make.add(b, move.rename(b, move.shift(b, best, "T", -1), ["K"], [previous]), transition);
      const best = closing(b, "best", float(B, T, K), (self) =>
        make.add(b, emission, start(sums.reduceOver(b, "max", candidates(self), [previous]), make.num(b, 0)), "best"),
      );
      const back = start(b.add(argmax, [candidates(best)], { axis: previous.id }, "back"), make.int(b, 0));
      const last = make.sub(b, make.sizeInt(b, T.size), make.int(b, 1));
      const end = b.add(argmax, [move.entry(b, best, "T", last)], { axis: "K" }, "end");
      const path = closing(b, "path", int(B, T), (self) => {
        const next = move.shift(b, self, "T", 1);
        const step = move.gather(b, move.shift(b, back, "T", 1), next, "K", "step");
        const inside = make.inside(b, T, 0, 1) ?? "";
        return make.orelse(b, step, end, inside, { ranges: [{ axis: "T", low: 0, high: 1 }], ragged: false }, "path");
      });
      return { path, best };
    },
    loops: (get, size) => {
      const n = { T: size("T"), K: size("K") };
      const runs = range(size("B")).map((b) => {
        const best: number[][] = [];
        const back: number[][] = [];
        for (let t = 0; t < n.T; t++) {
          const options = range(n.K).map((k) => range(n.K).map((j) => (best[t - 1]?.[j] ?? 0) + get("A", k, j)));
          back.push(options.map((row) => row.indexOf(Math.max(...row))));
          best.push(options.map((row, k) => get("e", b, t, k) + (t === 0 ? 0 : Math.max(...row))));
        }
        const final = best[n.T - 1] ?? [];
        const path = [final.indexOf(Math.max(...final))];
        for (let t = n.T - 2; t >= 0; t--) path.unshift(back[t + 1]?.[path[0] ?? 0] ?? Number.NaN);
        return { path, best };
      });
      return {
        path: { axes: ["B", "T"], data: runs.flatMap((run) => run.path) },
        best: { axes: ["B", "T", "K"], data: runs.flatMap((run) => run.best.flat()) },
      };
    },
  },
  {
    name: "sentences of words",
    sizes: sizes({ S: 3, T: 4, H: 2 }),
    scans: 2,
    build: (b) => {
      const x = b.param("x", float(S, T, H));
      const u = b.param("U", float(H, H2));
      const g = b.forward("g.ahead", float(S, H));
      const start = readElse(b, g, [[S, -1]], make.num(b, 0.3));
      const h = closing(b, "h", float(S, T, H), (self) =>
        tanh(b, make.add(b, x, square(b, u, readElse(b, self, [[T, -1]], start))), "h"),
      );
      const last = make.sub(b, make.sizeInt(b, T.size), make.int(b, 1));
      const sentence = make.mul(b, make.num(b, 0.9), move.entry(b, h, "T", last), "g");
      b.close(g, sentence);
      return { g: sentence, h };
    },
    loops: (get, size) => {
      const n = { S: size("S"), T: size("T"), H: size("H") };
      const g: number[][] = [];
      const all: number[][][] = [];
      for (let s = 0; s < n.S; s++) {
        let h = g[s - 1] ?? range(n.H).map(() => 0.3);
        const rows: number[][] = [];
        for (let t = 0; t < n.T; t++) {
          const before = h;
          h = range(n.H).map((k) => Math.tanh(get("x", s, t, k) + sum(n.H, (j) => get("U", k, j) * (before[j] ?? 0))));
          rows.push(h);
        }
        all.push(rows);
        g.push(h.map((value) => 0.9 * value));
      }
      return { g: { axes: ["S", "H"], data: g.flat() }, h: { axes: ["S", "T", "H"], data: all.flat(2) } };
    },
  },
  {
    name: "three that need each other",
    sizes: sizes({ T: 6, B: 2 }),
    scans: 1,
    build: (b) => {
      const x = b.param("x", float(T, B));
      const type = float(T, B);
      const [a1, b1, c1] = ["a", "b", "c"].map((name) => b.forward(`${name}.ahead`, type));
      const was = (id: string | undefined, d: number) => readElse(b, id ?? "", [[T, -1]], make.num(b, d));
      const a = tanh(b, make.add(b, x, was(c1, 0.1)), "a");
      const second = make.mul(b, a, was(b1, 0.2), "b");
      const third = make.sub(b, second, make.mul(b, was(a1, 0.3), a), "c");
      b.close(a1 ?? "", a);
      b.close(b1 ?? "", second);
      b.close(c1 ?? "", third);
      return { a, b: second, c: third };
    },
    loops: (get, size) => {
      const n = size("B");
      const [a, c2, c]: [number[][], number[][], number[][]] = [[], [], []];
      for (let t = 0; t < size("T"); t++) {
        a.push(range(n).map((k) => Math.tanh(get("x", t, k) + (c[t - 1]?.[k] ?? 0.1))));
        c2.push(range(n).map((k) => (a[t]?.[k] ?? 0) * (c2[t - 1]?.[k] ?? 0.2)));
        c.push(range(n).map((k) => (c2[t]?.[k] ?? 0) - (a[t - 1]?.[k] ?? 0.3) * (a[t]?.[k] ?? 0)));
      }
      const axes = ["T", "B"];
      return { a: { axes, data: a.flat() }, b: { axes, data: c2.flat() }, c: { axes, data: c.flat() } };
    },
  },
  {
    name: "held past the end",
    sizes: sizes({ T: 6, B: 3, H: 2 }),
    scans: 2,
    build: (b) => {
      const x = b.param("x", float(T, B, H));
      const length = make.add(b, b.param("length", int(B)), make.int(b, 2));
      const inside = make.lt(b, make.iota(b, T), length);
      const h = closing(b, "h", float(T, B, H), (self) => {
        const before = readElse(b, self, [[T, -1]], make.num(b, 0.5));
        const next = tanh(b, make.add(b, x, make.mul(b, make.num(b, 1.3), before)), "new");
        return make.select(b, inside, next, move.shift(b, self, "T", -1), "h");
      });
      const backward = closing(b, "g", float(T, B, H), (self) => {
        const reached = make.lt(b, make.add(b, make.iota(b, T), make.int(b, 1)), length);
        const ranges = [{ axis: "T", low: 0, high: 1 }];
        const later = make.orelse(b, move.shift(b, self, "T", 1), make.num(b, -0.5), reached, { ranges, ragged: true });
        return tanh(b, make.add(b, x, make.mul(b, make.num(b, 0.8), later)), "g");
      });
      return { h, g: make.select(b, inside, backward, make.num(b, 0), "g") };
    },
    loops: (get, size) => {
      const n = { T: size("T"), B: size("B"), H: size("H") };
      const each = range(n.B).map((b) => {
        const length = get("length", b) + 2;
        const h: number[][] = [];
        const g: number[][] = Array.from({ length: n.T }, () => range(n.H).map(() => 0));
        for (let t = 0; t < n.T; t++) {
          h.push(
            range(n.H).map((k) => (t < length ? Math.tanh(get("x", t, b, k) + 1.3 * (h[t - 1]?.[k] ?? 0.5)) : (h[t - 1]?.[k] ?? 0))),
          );
        }
        for (let t = Math.min(length, n.T) - 1; t >= 0; t--) {
          g[t] = range(n.H).map((k) => {
            // The last position laid out may lie before the example's end: then what follows is read clipped, and is the start here.
            const later = t + 1 < length ? g[t + 1]?.[k] : -0.5;
            return Math.tanh(get("x", t, b, k) + 0.8 * (later ?? Number.NaN));
          });
        }
        return { h, g };
      });
      const flat = (name: "h" | "g") => range(n.T).flatMap((t) => each.flatMap((run) => run[name][t] ?? []));
      const axes = ["T", "B", "H"];
      return { h: { axes, data: flat("h") }, g: { axes, data: flat("g") } };
    },
  },
  {
    name: "two names of one axis",
    sizes: sizes({ T: 5, H: 2 }),
    scans: 1,
    build: (b) => {
      const other: Axis = { id: "s", size: T.size };
      const x = b.param("x", float(T, H));
      const c = b.forward("c.ahead", float(other, H));
      const before = readElse(b, move.rename(b, c, ["s"], [T]), [[T, -1]], make.num(b, 0.4));
      const h = tanh(b, make.add(b, x, before), "h");
      const read = move.rename(b, h, ["T"], [other]);
      const late = make.toFloat(b, make.iota(b, other));
      const value = make.mul(b, make.add(b, read, readElse(b, c, [[other, -1]], make.num(b, 0.1))), make.div(b, late, make.num(b, 3)), "c");
      b.close(c, value);
      return { c: value, h };
    },
    loops: (get, size) => {
      const h: number[][] = [];
      const c: number[][] = [];
      for (let t = 0; t < size("T"); t++) {
        h.push(range(size("H")).map((k) => Math.tanh(get("x", t, k) + (c[t - 1]?.[k] ?? 0.4))));
        c.push(range(size("H")).map((k) => ((h[t]?.[k] ?? 0) + (c[t - 1]?.[k] ?? 0.1)) * (t / 3)));
      }
      return { c: { axes: ["s", "H"], data: c.flat() }, h: { axes: ["T", "H"], data: h.flat() } };
    },
  },
  {
    name: "swapped indices",
    sizes: sizes({ N: 4 }),
    scans: 1,
    build: (b) => {
      const i: Axis = { id: "i", size: namedSize("N") };
      const j: Axis = { id: "j", size: namedSize("N") };
      const x = b.param("x", float(i, j));
      const type = float(i, j);
      const second = b.forward("b.ahead", type);
      // a[i, j] = tanh(x[i, j] + b[j, i-1] else 0.2);  b[i, j] = a[j, i] * 0.5 + b[i, j-1] else 0.1
      const swapped = (id: string) => move.rename(b, id, ["i", "j"], [j, i]);
      const a = tanh(b, make.add(b, x, readElse(b, swapped(second), [[i, -1]], make.num(b, 0.2))), "a");
      const half = make.mul(b, make.num(b, 0.5), swapped(a));
      const value = make.add(b, half, readElse(b, second, [[j, -1]], make.num(b, 0.1)), "b");
      b.close(second, value);
      return { a, b: value };
    },
    loops: (get, size) => {
      const n = size("N");
      const a = range(n).map(() => new Array<number>(n).fill(0));
      const c = range(n).map(() => new Array<number>(n).fill(0));
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) a[i]![j] = Math.tanh(get("x", i, j) + (i === 0 ? 0.2 : (c[j]?.[i - 1] ?? 0)));
        for (let k = 0; k < n; k++) c[k]![i] = 0.5 * (a[i]?.[k] ?? 0) + (i === 0 ? 0.1 : (c[k]?.[i - 1] ?? 0));
      }
      return { a: { axes: ["i", "j"], data: a.flat() }, b: { axes: ["i", "j"], data: c.flat() } };
    },
  },
  {
    name: "links to follow",
    sizes: sizes({ T: 4, H: 2 }),
    scans: 2,
    build: (b) => {
      // The table is over the very axis that the loop runs over.
      const next = b.param("next", int(T));
      const x = b.param("x", float(T, H));
      const place = b.forward("place.ahead", int(T));
      const h = b.forward("h.ahead", float(T, H));
      const here = readElse(b, place, [[T, -1]], make.int(b, 1));
      const step = move.gather(b, next, here, "T", "place");
      const seen = move.gather(b, x, here, "T", "seen");
      const state = tanh(b, make.add(b, seen, readElse(b, h, [[T, -1]], make.num(b, 0))), "h");
      b.close(place, step);
      b.close(h, state);
      return { h: state, place: step };
    },
    loops: (get, size) => {
      let here = 1;
      const place: number[] = [];
      const h: number[][] = [];
      for (let t = 0; t < size("T"); t++) {
        h.push(range(size("H")).map((k) => Math.tanh(get("x", here, k) + (h[t - 1]?.[k] ?? 0))));
        here = get("next", here);
        place.push(here);
      }
      return { h: { axes: ["T", "H"], data: h.flat() }, place: { axes: ["T"], data: place } };
    },
  },
  {
    name: "greedy decoder with attention to its own past",
    sizes: sizes({ T: 5, S: 3, B: 2, H: 3, K: 4 }),
    scans: 1,
    build: (b) => {
      const part: Axis = { id: "T~1", size: partSize(T.size, ":T+1") };
      const embedding = b.param("E", float(K, H));
      const u = b.param("U", float(H, H2));
      const head = b.param("V", float(K, H));
      const memory = b.param("memory", float(B, S, H));
      const bias = b.param("bias", float(T, K));
      const ids = b.forward("ids.ahead", int(B, T));
      const x = move.gather(b, embedding, readElse(b, ids, [[T, -1]], make.int(b, 0)), "K", "x");
      const key = square(b, u, x);
      const scores = sums.contract(b, move.prefix(b, key, "T", part, 1), x, [H]);
      const mask = make.lt(b, make.iota(b, part), make.add(b, make.iota(b, T), make.int(b, 1)));
      const own = sums.contract(b, maskedSoftmax(b, scores, mask, part), move.prefix(b, x, "T", part, 1), [part]);
      const weights = sums.contract(b, memory, own, [H]);
      const context = sums.contract(b, make.map(b, maps.sigmoid, weights), memory, [S]);
      const logits = make.add(b, product(b, head, add(b, own, context), H), bias, "logits");
      const chosen = b.add(argmax, [logits], { axis: "K" }, "ids");
      b.close(ids, chosen);
      return { ids: chosen, logits };
    },
    loops: (get, size) => {
      const n = { T: size("T"), S: size("S"), B: size("B"), H: size("H"), K: size("K") };
      const runs = range(n.B).map((b) => {
        let last = 0;
        const x: number[][] = [];
        const key: number[][] = [];
        const ids: number[] = [];
        const logits: number[][] = [];
        for (let t = 0; t < n.T; t++) {
          const now = range(n.H).map((k) => get("E", last, k));
          x.push(now);
          key.push(range(n.H).map((k) => sum(n.H, (j) => get("U", k, j) * (now[j] ?? 0))));
          const weights = key.map((row) => Math.exp(sum(n.H, (k) => (row[k] ?? 0) * (now[k] ?? 0))));
          const total = weights.reduce((a, c) => a + c, 0);
          const own = range(n.H).map((k) => weights.reduce((a, weight, s) => a + (weight / total) * (x[s]?.[k] ?? 0), 0));
          const gates = range(n.S).map((s) => sigmoid(sum(n.H, (k) => get("memory", b, s, k) * (own[k] ?? 0))));
          const all = range(n.H).map((k) => (own[k] ?? 0) + sum(n.S, (s) => (gates[s] ?? 0) * get("memory", b, s, k)));
          const row = range(n.K).map((v) => sum(n.H, (k) => get("V", v, k) * (all[k] ?? 0)) + get("bias", t, v));
          last = row.indexOf(Math.max(...row));
          ids.push(last);
          logits.push(row);
        }
        return { ids, logits };
      });
      return {
        ids: { axes: ["B", "T"], data: runs.flatMap((run) => run.ids) },
        logits: { axes: ["B", "T", "K"], data: runs.flatMap((run) => run.logits.flat()) },
      };
    },
  },
  {
    name: "states that follow their parents",
    sizes: sizes({ T: 5, K: 3, H: 2 }),
    scans: 1,
    build: (b) => {
      // Each of K hypotheses goes on from the state of the one that its parent was.
      const x = b.param("x", float(T, K, H));
      const parent = make.map(b, maps.mod, b.param("parent", int(T, K)), make.int(b, 3));
      return {
        h: closing(b, "h", float(T, K, H), (h) => {
          const before = readElse(b, h, [[T, -1]], make.num(b, 0.1));
          return tanh(b, make.add(b, x, move.gather(b, before, parent, "K", "mine")), "h");
        }),
      };
    },
    loops: (get, size) => {
      const h: number[][][] = [];
      for (let t = 0; t < size("T"); t++) {
        h.push(
          range(size("K")).map((k) =>
            range(size("H")).map((j) => Math.tanh(get("x", t, k, j) + (h[t - 1]?.[get("parent", t, k) % 3]?.[j] ?? 0.1))),
          ),
        );
      }
      return { h: { axes: ["T", "K", "H"], data: h.flat(2) } };
    },
  },
  {
    name: "functions that are not defined at 0",
    sizes: sizes({ T: 5, H: 2 }),
    scans: 1,
    build: (b) => {
      const x = make.exp(b, b.param("x", float(T, H)));
      const u = make.exp(b, b.param("u", float(H)));
      const part: Axis = { id: "T~1", size: partSize(T.size, ":T") };
      return {
        h: closing(b, "h", float(T, H), (h) => {
          // The `else` stands behind the whole call, so that it sees what is read before the start.
          const before = make.log(b, make.mul(b, u, move.shift(b, h, "T", -1)));
          const some = make.inside(b, T, 1, 0) ?? "";
          const ranges = [{ axis: "T", low: 1, high: 0 }];
          const delayed = make.orelse(b, before, make.num(b, 0.2), some, { ranges, ragged: false });
          const mask = make.lt(b, make.iota(b, part), make.iota(b, T));
          const inverse = make.div(b, x, move.prefix(b, h, "T", part, 0));
          const all = sums.sumOver(b, make.select(b, mask, make.map(b, maps.sqrt, inverse), make.num(b, 0)), [part]);
          return make.mapNamed(b, maps.softplus, [add(b, x, delayed, make.mul(b, make.num(b, 0.1), all))], "h");
        }),
      };
    },
    loops: (get, size) => {
      const h: number[][] = [];
      for (let t = 0; t < size("T"); t++) {
        h.push(
          range(size("H")).map((k) => {
            const x = Math.exp(get("x", t, k));
            const before = h[t - 1]?.[k];
            const delayed = before === undefined ? 0.2 : Math.log(Math.exp(get("u", k)) * before);
            const all = h.reduce((total, row) => total + Math.sqrt(x / (row[k] ?? 0)), 0);
            return Math.log1p(Math.exp(x + delayed + 0.1 * all));
          }),
        );
      }
      return { h: { axes: ["T", "H"], data: h.flat() } };
    },
  },
];

/** Reads a tensor by position, axes in the param's order. */
export function getter(inputs: ReadonlyMap<string, Tensor>): Get {
  return (param, ...position) => {
    const tensor = inputs.get(param);
    if (tensor === undefined || position.length !== tensor.axes.length) throw new Error(`${param} is read wrongly`);
    const offset = position.reduce((at, index, axisIndex) => at * (tensor.shape[axisIndex] ?? 1) + index, 0);
    return tensor.data[offset] ?? Number.NaN;
  };
}

