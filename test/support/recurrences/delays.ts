import { partSize } from "../../../src/ir/size.ts";
import type { Axis } from "../../../src/ir/type.ts";
import * as make from "../../../src/op/make.ts";
import * as move from "../../../src/op/make_move.ts";
import * as sums from "../../../src/op/make_sum.ts";
import * as maps from "../../../src/op/map.ts";
import { add, closing, float, H, P, range, readElse, sizes, sum, T, tanh } from "../equations.ts";
import type { Recurrence } from "../recurrence.ts";

/** Reads further back than one step. */
export const DELAYS: readonly Recurrence[] = [
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
  ...(
    [
      ["window of the last three", -1, -1],
      ["window at a distance, dilated", -2, -2],
      ["window in the other order", -3, 1],
      ["window ahead", 1, 1],
    ] as const
  ).map(
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
