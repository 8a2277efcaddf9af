import { namedSize } from "../../../src/ir/size.ts";
import type { Axis } from "../../../src/ir/type.ts";
import * as make from "../../../src/op/make.ts";
import * as move from "../../../src/op/make_move.ts";
import { add, B, closing, float, H, I, J, range, readElse, sizes, T, tanh } from "../equations.ts";
import type { Recurrence } from "../recurrence.ts";

/** Several indices, and several names of one. */
export const GRIDS: readonly Recurrence[] = [
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
            readElse(
              b,
              r,
              [
                [I, -1],
                [J, -1],
              ],
              corner,
            ),
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
      const value = make.mul(
        b,
        make.add(b, read, readElse(b, c, [[other, -1]], make.num(b, 0.1))),
        make.div(b, late, make.num(b, 3)),
        "c",
      );
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
];
