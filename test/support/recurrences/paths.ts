import type { Axis } from "../../../src/ir/type.ts";
import * as make from "../../../src/op/make.ts";
import * as move from "../../../src/op/make_move.ts";
import * as sums from "../../../src/op/make_sum.ts";
import * as maps from "../../../src/op/map.ts";
import { argmax } from "../../../src/op/reduce.ts";
import { B, closing, float, H, int, K, logSumExp, range, readElse, sizes, sum, T, tanh } from "../equations.ts";
import type { Recurrence } from "../recurrence.ts";

/** Dynamic programs, and positions that are computed. */
export const PATHS: readonly Recurrence[] = [
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
                before === undefined
                  ? get("pi", k)
                  : Math.log(sum(n.K, (j) => Math.exp((before[j] ?? 0) + get("A", k, j))));
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
        make.orelse(b, value, d, make.inside(b, T, 1, 0) ?? "", {
          ranges: [{ axis: "T", low: 1, high: 0 }],
          ragged: false,
        });
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
            range(size("H")).map((j) =>
              Math.tanh(get("x", t, k, j) + (h[t - 1]?.[get("parent", t, k) % 3]?.[j] ?? 0.1)),
            ),
          ),
        );
      }
      return { h: { axes: ["T", "K", "H"], data: h.flat(2) } };
    },
  },
];
