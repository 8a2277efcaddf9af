import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeTensors, type WritableTensor } from "../../src/runtime/safetensors.ts";
import type { NamedArray } from "../support/feed.ts";
import { filesIn, prepared } from "../support/train.ts";
import { columns, entryOf } from "../vectors/case.ts";
import { type CellVector, cellVectors, kindOf, namedWeights, type Weights } from "../vectors/cells.ts";

/*
 * Layers whose outputs and gradients another framework has published (test/vectors computes them with the same weights): what the
 * library's layouts make of that framework's files must be those weights.
 */

type Tensors = Readonly<Record<string, NamedArray>>;

/** What a framework's file of a layer has, and the layout of the library that reads it. */
interface Framework {
  readonly layouts: Readonly<Record<string, string>>;
  /** The arguments for one direction. */
  readonly direction: (place: number) => string;
  readonly tensors: (weights: Weights, cell: string, place: number) => Tensors;
}

const FRAMEWORKS: Readonly<Record<string, Framework>> = {
  Keras: {
    layouts: { RNN: "KerasRNN", LSTM: "KerasLSTM", GRUResetAfter: "KerasGRU", GRU: "KerasGRUResetBefore" },
    direction: (place) => `at: "${["forward", "backward"][place]}_layer/"`,
    tensors: ({ kernel, recurrent, bias }, _, place) => {
      const at = `${["forward", "backward"][place]}_layer/`;
      return { [`${at}kernel`]: kernel, [`${at}recurrent_kernel`]: recurrent, [`${at}bias`]: bias };
    },
  },
  Torch: {
    layouts: { RNN: "TorchRNN", LSTM: "TorchLSTM", GRUResetAfter: "TorchGRU" },
    direction: (place) => `"layers.", layer: 0${place === 0 ? "" : ', direction: "_reverse"'}`,
    tensors: torchTensors,
  },
};

/** `torch.nn` has each product as [gates * H, inputs], gates of a GRU in the order r, z, n, and two biases. */
function torchTensors({ kernel, recurrent, bias }: Weights, cell: string, place: number): Tensors {
  const H = recurrent.shape[0] ?? 0;
  const order = { LSTM: [0, 1, 2, 3], GRUResetAfter: [1, 0, 2] }[cell] ?? [0];
  const rows = (array: NamedArray): NamedArray =>
    stacked(order.map((gate) => columns(array, gate * H, (gate + 1) * H)));
  const one = (array: NamedArray): NamedArray =>
    stacked(order.map((gate) => ({ shape: [H], data: Array.from(array.data).slice(gate * H, (gate + 1) * H) })));
  const half = (array: NamedArray, factor: number): NamedArray => ({
    ...array,
    data: Array.from(array.data, (value) => value * factor),
  });
  const [first, second] =
    cell === "GRUResetAfter"
      ? [one(entryOf(bias, 0)), one(entryOf(bias, 1))]
      : [half(one(bias), 0.25), half(one(bias), 0.75)];
  const end = place === 0 ? "l0" : "l0_reverse";
  return {
    [`layers.weight_ih_${end}`]: rows(kernel),
    [`layers.weight_hh_${end}`]: rows(recurrent),
    [`layers.bias_ih_${end}`]: first,
    [`layers.bias_hh_${end}`]: second,
  };
}

function stacked(parts: readonly NamedArray[]): NamedArray {
  const [first] = parts;
  return {
    shape: [parts.length * (first?.shape[0] ?? 0), ...(first?.shape.slice(1) ?? [])],
    data: parts.flatMap(({ data }) => Array.from(data)),
  };
}

const SIDES = ["f", "b"] as const;

function program(cell: string, vector: CellVector, loads: readonly string[]): string {
  const [D, H] = [vector.inputs.shape[2] ?? 0, vector.last_h.shape[2] ?? 0];
  const sides = SIDES.slice(0, vector.weights.length);
  return `model M(D = ${D}, H = ${H}) {
    time T
    in  x: [T, D]
    use ${sides.map((side) => `${side} = ${cell}(D, H)`).join(", ")}
    ${sides.map((side) => `y_${side}, s_${side} = scan ${side} over x`).join("\n    ")}
    emit total: [] ~ normal(${sides.map((side) => `sum(s_${side}.h)`).join(" + ")}, 1)
  }
  train m of M {
    data x, total = jsonl("rows.jsonl")
    minimize nll(total)
    optim sgd(0.1)
    for 1 steps
    ${loads.join("\n    ")}
  }`;
}

describe.each(Object.entries(FRAMEWORKS))("%s", (_, { layouts, direction, tensors }) => {
  const cases = [...cellVectors()].filter(([name]) => kindOf(name).cell in layouts);

  test.each(cases)("%s", async (name, vector) => {
    const kind = kindOf(name);
    const loads = vector.weights.map(
      (_, place) => `load ${SIDES[place]} from "w.safetensors" as ${layouts[kind.cell]}(${direction(place)})`,
    );
    const row = JSON.stringify({ x: [Array.from({ length: vector.inputs.shape[2] ?? 0 }, () => 0)], total: 0 });
    const file = filesIn({ "m.seq": program(kind.cell, vector, loads), "rows.jsonl": row });
    const all = Object.assign({}, ...vector.weights.map((weights, place) => tensors(weights, kind.cell, place)));
    writeFileSync(join(dirname(file), "w.safetensors"), Buffer.concat([...encodeTensors(stored(all), new Map())]));
    const { loaded } = await prepared(file);
    const expected = Object.assign(
      {},
      ...vector.weights.map((weights, place) =>
        namedWeights(SIDES[place] ?? "", kind, weights, vector.last_h.shape[2] ?? 0),
      ),
    ) as Tensors;
    expect([...loaded.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [key, { shape, data }] of Object.entries(expected)) {
      expect(loaded.get(key)?.shape, key).toEqual(shape);
      for (const [at, value] of Array.from(data).entries())
        expect(loaded.get(key)?.data[at], `${key} ${at}`).toBeCloseTo(value, 12);
    }
  });
});

function stored(tensors: Tensors): ReadonlyMap<string, WritableTensor> {
  return new Map(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { dtype: "F64", shape: [...shape], data: Float64Array.from(data) },
    ]),
  );
}
