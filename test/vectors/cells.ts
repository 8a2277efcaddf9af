import { readFileSync } from "node:fs";
import { compileText } from "../support/compile.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { arrayOf, columns, entryOf, type Expected, type VectorCase } from "./case.ts";

/** One layer of another framework, in its layout: gates side by side in the last axis. */
export interface Weights {
  readonly kernel: NamedArray;
  readonly recurrent: NamedArray;
  readonly bias: NamedArray;
}

export interface CellVector {
  readonly inputs: NamedArray;
  readonly lengths: readonly number[] | null;
  readonly sequence_output: NamedArray;
  readonly last_h: NamedArray;
  readonly last_c?: NamedArray;
  readonly loss: number;
  readonly d_inputs: NamedArray;
  readonly weights: readonly Weights[];
  readonly d_weights: readonly Weights[];
  readonly reset_after?: boolean;
}

/** A cell of ours and the gates of the other layout, in its order; "" where there is one product only. */
export interface CellKind {
  readonly cell: string;
  readonly gates: readonly string[];
}

const LSTM: CellKind = { cell: "LSTM", gates: ["i", "f", "g", "o"] };
const KINDS: Readonly<Record<string, CellKind>> = {
  rnn: { cell: "RNN", gates: [""] },
  lstm: LSTM,
  gru: { cell: "GRUResetAfter", gates: ["z", "r", "n"] },
  gruv1: { cell: "GRU", gates: ["z", "r", "n"] },
};

/** Recurrent layers, one or both directions, dense or ragged: outputs, final states, loss and every gradient. */
export function cellCases(): readonly VectorCase[] {
  return cellVectors().map(([name, vector]) => cellCase(name, vector));
}

/** What is published, by name. */
export function cellVectors(): readonly (readonly [name: string, vector: CellVector])[] {
  const text = readFileSync(new URL("cells.json", import.meta.url), "utf8");
  const { cases } = JSON.parse(text) as { readonly cases: Readonly<Record<string, CellVector>> };
  return Object.entries(cases);
}

/** Our cell of a published case. */
export function kindOf(name: string): CellKind {
  const kind = KINDS[name.split("_")[0] ?? ""];
  if (kind === undefined) throw new Error(`no cell for ${name}`);
  return kind;
}

function cellCase(name: string, vector: CellVector): VectorCase {
  const kind = kindOf(name);
  const [B = 0, T = 0, D = 0] = vector.inputs.shape;
  const H = vector.last_h.shape[2] ?? 0;
  const names = vector.weights.length > 1 ? ["f", "b"] : ["f"];
  const program = compileText(modelText(kind.cell, names), {
    sizes: { D, H },
    dense: vector.lengths === null,
    regime: "check",
    values: ["y", ...names.map((layer) => `h_${layer}`), ...(vector.last_c === undefined ? [] : names.map((layer) => `s_${layer}.c`))],
    gradients: true,
    wrt: ["x"],
  });
  const width = names.length * H;
  // The loss of a batch is the mean over its examples, the published one their sum.
  const arrays: Record<string, NamedArray> = {
    x: vector.inputs,
    cy: arrayOf([B, T, width], (place) => B * Math.cos(place)),
    ...(vector.lengths === null ? {} : { "T.length": { shape: [B], data: vector.lengths } }),
  };
  const expected: Expected[] = [
    { result: "loss", kind: "output", array: { shape: [], data: [vector.loss] } },
    { result: "value.y", kind: "output", array: vector.sequence_output, skip: pastEnd(vector, T, width) },
    { result: "gradient.x", kind: "gradient", array: vector.d_inputs },
  ];
  for (const [place, layer] of names.entries()) {
    arrays[`ch_${layer}`] = arrayOf([B, H], (at) => B * Math.sin(place * B * H + at));
    const [weights, gradients] = [vector.weights[place], vector.d_weights[place]];
    if (weights === undefined || gradients === undefined) throw new Error(`${name} has no weights ${place}`);
    Object.assign(arrays, namedWeights(layer, kind, weights, H));
    expected.push({ result: `value.h_${layer}`, kind: "output", array: entryOf(vector.last_h, place) });
    if (vector.last_c !== undefined) {
      expected.push({ result: `value.s_${layer}.c`, kind: "output", array: entryOf(vector.last_c, place) });
    }
    for (const [key, array] of Object.entries(namedWeights(layer, kind, gradients, H))) {
      expected.push({ result: `gradient.${key}`, kind: "gradient", array });
    }
  }
  return { name, program, feed: feed(program, arrays), expected };
}

function modelText(cell: string, names: readonly string[]): string {
  const scans = names.map((layer) => `y_${layer}, s_${layer} = scan ${layer} over x${layer === "b" ? " reverse" : ""}`);
  const finals = names.map((layer) => `h_${layer} = s_${layer}.h`);
  const width = names.length > 1 ? "2*H" : "H";
  const ends = names.map((layer) => `ch_${layer}`);
  return `model Layer(D, H) {
    time T
    in  x: [T, D], cy: [T, ${width}], ${ends.map((end) => `${end}: [H]`).join(", ")}
    use ${names.map((layer) => `${layer} = ${cell}(D, H)`).join(", ")}
    ${[...scans, ...finals].join("\n    ")}
    y = ${names.length > 1 ? "concat(y_f, y_b)" : "y_f"}
    total = sum[T, ${width}](y * cy) + ${names.map((layer, place) => `sum(h_${layer} * ${ends[place]})`).join(" + ")}
  }
  train check of Layer {
    data     x, cy, ${ends.join(", ")} = csv("rows.csv")
    minimize total
    optim    sgd(0.1)
    for      1 steps
  }`;
}

/** What the other layout calls one kernel is a weight for each gate here, transposed. */
export function namedWeights(layer: string, { gates, cell }: CellKind, weights: Weights, H: number): Record<string, NamedArray> {
  const found: Record<string, NamedArray> = {};
  for (const [place, gate] of gates.entries()) {
    const key = (family: string): string => `${layer}.${family}${gate === "" ? "" : `.${gate}`}`;
    const part = (array: NamedArray): NamedArray => columns(array, place * H, (place + 1) * H);
    found[key("W")] = part(weights.kernel);
    found[key("U")] = part(weights.recurrent);
    if (cell !== "GRUResetAfter") {
      found[key("b")] = part(weights.bias);
      continue;
    }
    found[key("b")] = part(entryOf(weights.bias, 0));
    found[key("u")] = part(entryOf(weights.bias, 1));
  }
  return found;
}

function pastEnd({ lengths }: CellVector, T: number, width: number): (place: number) => boolean {
  return (place) => {
    const example = Math.floor(place / (T * width));
    return lengths !== null && Math.floor(place / width) % T >= (lengths[example] ?? T);
  };
}
