import { type Array as JaxArray, nn, numpy as np } from "@jax-js/jax";
import type { CellName } from "../sequence.ts";
import { type Arrays, at } from "./jax-arrays.ts";

export interface JaxCell {
  /** Which states it has, the output first. */
  readonly states: readonly string[];
  /** The order in which gates are packed. */
  readonly order: readonly string[];
  /** What one direction's steps read, once for all steps; the given weights stay. */
  readonly open: (weights: Arrays, prefix: string) => Arrays;
  /** The next state; takes over `x` and the state, and leaves the weights. */
  readonly step: (weights: Arrays, x: JaxArray, state: readonly JaxArray[]) => JaxArray[];
}

const lstm: JaxCell = {
  states: ["h", "c"],
  order: ["i", "f", "o", "g"],
  open: (weights, prefix) => ({
    W: at(weights, `${prefix}W`),
    U: at(weights, `${prefix}U`),
    b: at(weights, `${prefix}b`),
  }),
  step: (weights, x, [h, c]) => {
    if (h === undefined || c === undefined) throw new Error("an LSTM has two states");
    const z = np
      .matmul(x, at(weights, "W"))
      .add(np.matmul(h, at(weights, "U")))
      .add(at(weights, "b"));
    const [i, f, o, g] = np.split(z, 4, 1);
    if (!i || !f || !o || !g) throw new Error("a split without parts");
    const next = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)));
    return [nn.sigmoid(o).mul(np.tanh(next.ref)), next];
  },
};

/** A cell whose last gate sees a state that the gates before it have changed: their products are two. */
function openSplit(gates: number): JaxCell["open"] {
  return (weights, prefix) => {
    const both = at(weights, `${prefix}U`);
    const units = ((both.shape[1] ?? 0) / (gates + 1)) * gates;
    const [gate, fresh] = np.split(both, [units], 1);
    if (!gate || !fresh) throw new Error("a split without parts");
    return { W: at(weights, `${prefix}W`), b: at(weights, `${prefix}b`), gate, fresh };
  };
}

/** How a cell is written in jax-js: gates packed, one product where the equations allow it. The fastest of four ways that were tried for the LSTM. */
export const JAX_CELLS: Readonly<Record<CellName, JaxCell>> = {
  lstm,
  both: lstm,
  gru: {
    states: ["h"],
    order: ["r", "z", "n"],
    open: openSplit(2),
    step: (weights, x, [h]) => {
      if (h === undefined) throw new Error("a GRU has a state");
      const hidden = h.shape[1] ?? 0;
      const [gates, n] = np.split(np.matmul(x, at(weights, "W")).add(at(weights, "b")), [2 * hidden], 1);
      if (!gates || !n) throw new Error("a split without parts");
      const [r, z] = np.split(nn.sigmoid(gates.add(np.matmul(h.ref, at(weights, "gate")))), 2, 1);
      if (!r || !z) throw new Error("a split without parts");
      const fresh = np.tanh(n.add(np.matmul(r.mul(h.ref), at(weights, "fresh"))));
      return [np.subtract(1, z.ref).mul(fresh).add(z.mul(h))];
    },
  },
  mgu: {
    states: ["h"],
    order: ["f", "n"],
    open: openSplit(1),
    step: (weights, x, [h]) => {
      if (h === undefined) throw new Error("a minimal gated unit has a state");
      const [f, n] = np.split(np.matmul(x, at(weights, "W")).add(at(weights, "b")), 2, 1);
      if (!f || !n) throw new Error("a split without parts");
      const forget = nn.sigmoid(f.add(np.matmul(h.ref, at(weights, "gate"))));
      const fresh = np.tanh(n.add(np.matmul(forget.ref.mul(h.ref), at(weights, "fresh"))));
      return [np.subtract(1, forget.ref).mul(h).add(forget.mul(fresh))];
    },
  },
};
