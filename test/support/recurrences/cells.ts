import type { Builder } from "../../../src/ir/builder.ts";
import type { Axis } from "../../../src/ir/type.ts";
import * as make from "../../../src/op/make.ts";
import * as move from "../../../src/op/make_move.ts";
import * as maps from "../../../src/op/map.ts";
import {
  add,
  B,
  closing,
  D,
  float,
  H,
  H2,
  int,
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
import type { Get, Recurrence } from "../recurrence.ts";

/** tanh(Wx + U h[t+offset] else h0). */
function rnn(b: Builder, name: string, x: string, over: Axis, offset: number): string {
  const w = b.param(`${name}.W`, float(H, over));
  const u = b.param(`${name}.U`, float(H, H2));
  const h0 = b.param(`${name}.h0`, float(H));
  return closing(b, name, float(T, B, H), (h) =>
    tanh(b, add(b, product(b, w, x, over), square(b, u, readElse(b, h, [[T, offset]], h0))), name),
  );
}

function rnnLoops(
  get: Get,
  x: (t: number, b: number, d: number) => number,
  name: string,
  n: { T: number; B: number; H: number; D: number },
  reverse: boolean,
): number[][][] {
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

const PLAIN = sizes({ T: 5, B: 2, H: 3, D: 2 });
const counts = (size: (name: string) => number) => ({ T: size("T"), B: size("B"), H: size("H"), D: size("D") });

/** Cells: one step after another, in both directions and in layers. */
export const CELLS: readonly Recurrence[] = [
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
      const y = rnnLoops(
        get,
        (t, b, d) => below[t]?.[b]?.[d] ?? Number.NaN,
        "above",
        { ...counts(size), D: size("H") },
        false,
      );
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
            range(n.H).map((k) =>
              t < length ? Math.tanh(get("x", t, b, k) + 1.3 * (h[t - 1]?.[k] ?? 0.5)) : (h[t - 1]?.[k] ?? 0),
            ),
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
];
