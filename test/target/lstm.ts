import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import type { Axis } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import { sigmoid, tanh } from "../../src/op/map.ts";
import { scan } from "../../src/op/region.ts";
import { axis, B, type } from "./graphs.ts";

const GATES = ["i", "f", "o", "g"] as const;
type Gate = (typeof GATES)[number];

export interface LstmAxes {
  readonly T: Axis;
  readonly D: Axis;
  readonly H: Axis;
}

/**
 * An LSTM over time and its gradient, as the compiler's schedule would leave them: input products before the loop, weights'
 * gradients after it. The loss is half the sum of squares of all outputs.
 */
export function lstm(b: Builder, { T, D, H }: LstmAxes): Readonly<Record<string, string>> {
  const K = axis(`${H.id}2`);
  const Hp = { id: K.id, size: H.size };
  const x = b.param("x", type("float", B, T, D));
  const weights = GATES.map((gate) => ({
    W: b.param(`W.${gate}`, type("float", H, D)),
    U: b.param(`U.${gate}`, type("float", H, Hp)),
    bias: b.param(`b.${gate}`, type("float", H)),
  }));
  const zero = make.full(b, 0, type("float", B, H));
  const zx = weights.map(({ W }) => sums.contract(b, W, x, [D]));
  const axes = { H, Hp };
  const forward = b.addAll(
    scan,
    [...weights.map(({ U }) => U), ...weights.map(({ bias }) => bias), zero, zero, ...zx],
    { axis: T, reverse: false, consts: 8, carries: 2, xs: 4, body: forwardBody(axes) },
    ["h_last", "c_last", "h", "c", "i", "f", "o", "g", "a"],
  );
  const [hLast = "", cLast = "", h = "", c = "", ...gates] = forward;
  const inside = make.inside(b, T, 1, 0) ?? "";
  const before = (value: string): string =>
    make.orelse(b, moves.shift(b, value, T.id, -1), make.num(b, 0), inside, {
      ranges: [{ axis: T.id, low: 1, high: 0 }],
      ragged: false,
    });
  const [i = "", f = "", o = "", g = "", a = ""] = gates;
  const backward = b.addAll(
    scan,
    [...weights.map(({ U }) => U), zero, zero, h, i, f, o, g, a, before(c)],
    { axis: T, reverse: true, consts: 4, carries: 2, xs: 7, body: backwardBody(axes) },
    ["dh0", "dc0", ...GATES.map((gate) => `dz_${gate}`)],
  );
  const previous = moves.rename(b, before(h), [H.id], [Hp]);
  const gradients = backward.slice(2).flatMap((dz, at) => [
    [`dW.${GATES[at]}`, sums.contract(b, dz, x, [B, T])],
    [`dU.${GATES[at]}`, sums.contract(b, dz, previous, [B, T])],
    [`db.${GATES[at]}`, sums.sumOver(b, dz, [B, T])],
  ]);
  return { h, h_last: hLast, c_last: cLast, ...Object.fromEntries(gradients) };
}

function forwardBody({ H, Hp }: { readonly H: Axis; readonly Hp: Axis }): Graph {
  const b = createBuilder("step");
  const U = GATES.map((gate) => b.param(`U.${gate}`, type("float", H, Hp)));
  const bias = GATES.map((gate) => b.param(`b.${gate}`, type("float", H)));
  const h = b.param("h", type("float", B, H));
  const c = b.param("c", type("float", B, H));
  const zx = GATES.map((gate) => b.param(`zx_${gate}`, type("float", B, H)));
  const hidden = moves.rename(b, h, [H.id], [Hp]);
  const values = new Map<Gate, string>();
  GATES.forEach((gate, at) => {
    b.within({ span: { file: "lstm.seq", start: at, end: at + 1 }, name: gate }, () => {
      const z = make.add(b, make.add(b, zx[at] ?? "", sums.contract(b, U[at] ?? "", hidden, [Hp])), bias[at] ?? "");
      values.set(gate, b.add(gate === "g" ? tanh : sigmoid, [z], {}, gate));
    });
  });
  const [i = "", f = "", o = "", g = ""] = GATES.map((gate) => values.get(gate) ?? "");
  const next = make.add(b, make.mul(b, f, c), make.mul(b, i, g), "c'");
  const a = b.add(tanh, [next], {}, "a");
  const out = make.mul(b, o, a, "h'");
  return b.finish([out, next, out, next, i, f, o, g, a].map((id, at) => ({ name: `r${at}`, id })));
}

function backwardBody({ H, Hp }: { readonly H: Axis; readonly Hp: Axis }): Graph {
  const b = createBuilder("step_back");
  const U = GATES.map((gate) => b.param(`U.${gate}`, type("float", H, Hp)));
  const [dhNext = "", dcNext = "", dy = "", i = "", f = "", o = "", g = "", a = "", cBefore = ""] = [
    "dh",
    "dc",
    "dy",
    "i",
    "f",
    "o",
    "g",
    "a",
    "c_before",
  ].map((name) => b.param(name, type("float", B, H)));
  const one = make.num(b, 1);
  const slope = (s: string): string => make.mul(b, s, make.sub(b, one, s));
  const bend = (s: string): string => make.sub(b, one, make.mul(b, s, s));
  const dh = make.add(b, dy, dhNext);
  const dc = make.add(b, dcNext, make.mul(b, make.mul(b, dh, o), bend(a)));
  const dz = [
    make.mul(b, make.mul(b, dc, g), slope(i)),
    make.mul(b, make.mul(b, dc, cBefore), slope(f)),
    make.mul(b, make.mul(b, dh, a), slope(o)),
    make.mul(b, make.mul(b, dc, i), bend(g)),
  ];
  const parts = dz.map((one, at) => sums.contract(b, U[at] ?? "", one, [H]));
  const sum = parts.reduce((total, part) => make.add(b, total, part));
  const back = moves.rename(b, sum, [Hp.id], [H]);
  return b.finish([back, make.mul(b, dc, f), ...dz].map((id, at) => ({ name: `r${at}`, id })));
}
