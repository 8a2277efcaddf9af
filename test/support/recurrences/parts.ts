import { partSize } from "../../../src/ir/size.ts";
import type { Axis } from "../../../src/ir/type.ts";
import * as make from "../../../src/op/make.ts";
import * as move from "../../../src/op/make_move.ts";
import * as sums from "../../../src/op/make_sum.ts";
import * as maps from "../../../src/op/map.ts";
import { argmax } from "../../../src/op/reduce.ts";
import {
  add,
  B,
  closing,
  float,
  H,
  H2,
  int,
  K,
  maskedSoftmax,
  product,
  range,
  readElse,
  S,
  sigmoid,
  sizes,
  square,
  sum,
  T,
  tanh,
} from "../equations.ts";
import type { Recurrence } from "../recurrence.ts";

/** Reads of all that was, or is to come. */
export const PARTS: readonly Recurrence[] = [
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
            return tanh(
              b,
              make.add(b, x, make.orelse(b, read, make.num(b, 0.1), some, { ranges, ragged: false })),
              "h",
            );
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
          const own = range(n.H).map((k) =>
            weights.reduce((a, weight, s) => a + (weight / total) * (x[s]?.[k] ?? 0), 0),
          );
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
];
