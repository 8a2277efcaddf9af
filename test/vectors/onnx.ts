import { readFileSync } from "node:fs";
import { compileText } from "../support/compile.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { arrayOf, entryOf, type Expected, type VectorCase } from "./case.ts";

/** A test of the ONNX operators RNN, GRU and LSTM (the ONNX backend tests, onnx/onnx on GitHub). */
interface OnnxVector {
  readonly op: "RNN" | "GRU" | "LSTM";
  readonly attrs: {
    readonly hidden_size: number;
    readonly direction?: "forward" | "reverse" | "bidirectional";
    readonly layout?: 0 | 1;
    readonly linear_before_reset?: 0 | 1;
  };
  readonly input_names: readonly string[];
  readonly inputs: readonly (NamedArray | null)[];
  readonly output_names: readonly string[];
  readonly outputs: readonly (NamedArray | null)[];
}

/** A cell of ours and the operator's gates in its order. */
interface CellKind {
  readonly cell: string;
  readonly gates: readonly string[];
  readonly states: readonly ("h" | "c")[];
}

const KINDS: Readonly<Record<OnnxVector["op"], CellKind>> = {
  RNN: { cell: "RNN", gates: [""], states: ["h"] },
  GRU: { cell: "GRU", gates: ["z", "r", "n"], states: ["h"] },
  LSTM: { cell: "LSTM", gates: ["i", "o", "f", "g"], states: ["h", "c"] },
};
const PEEPHOLES = ["i", "o", "f"];
const KNOWN = ["hidden_size", "direction", "layout", "linear_before_reset"];

/** All published recurrent cases: directions, layouts, peepholes, biases, initial states, lengths. */
export function onnxCases(): readonly VectorCase[] {
  const text = readFileSync(new URL("onnx_rnn_cases.json", import.meta.url), "utf8");
  const vectors = JSON.parse(text) as Readonly<Record<string, OnnxVector>>;
  return Object.entries(vectors).map(([name, vector]) => onnxCase(name, vector));
}

/** Everything about a case that the programs and arrays below are made from. */
interface Layer {
  readonly vector: OnnxVector;
  readonly kind: CellKind;
  /** By input name; an input that is not given is not there. */
  readonly given: ReadonlyMap<string, NamedArray>;
  readonly directions: readonly ("forward" | "reverse")[];
  readonly T: number;
  readonly B: number;
  readonly D: number;
  readonly H: number;
  readonly batchFirst: boolean;
}

function onnxCase(name: string, vector: OnnxVector): VectorCase {
  const layer = layerOf(name, vector);
  const { kind, given, directions, D, H, T, B, batchFirst } = layer;
  const states = directions.flatMap((_, place) => kind.states.map((state) => `s${place}.${state}`));
  const program = compileText(modelText(layer), {
    sizes: { D, H },
    dense: !given.has("sequence_lens"),
    values: [...directions.map((_, place) => `y${place}`), ...states],
  });
  const x = needed(given, "X");
  const arrays: Record<string, NamedArray> = {
    x: batchFirst ? x : swapped(x),
    ...Object.assign({}, ...directions.map((_, place) => weightsOf(layer, place))),
  };
  const lengths = given.get("sequence_lens");
  if (lengths !== undefined) arrays["T.length"] = lengths;
  const expected = vector.output_names.flatMap((output, place): readonly Expected[] => {
    const array = vector.outputs[place];
    return array === null || array === undefined || output === "" ? [] : outputsOf(layer, output, array);
  });
  return { name, program, feed: feed(program, arrays, { sizes: { T, B } }), expected };
}

function layerOf(name: string, vector: OnnxVector): Layer {
  const { attrs, op } = vector;
  const unknown = Object.keys(attrs).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`${name} has the attributes ${unknown.join(", ")}`);
  const given = new Map(
    vector.input_names.flatMap((input, place) => {
      const array = vector.inputs[place];
      return array === null || array === undefined || input === "" ? [] : [[input, array] as const];
    }),
  );
  const batchFirst = attrs.layout === 1;
  const [first = 0, second = 0, D = 0] = needed(given, "X").shape;
  const direction = attrs.direction ?? "forward";
  return {
    vector,
    kind: given.has("P")
      ? { ...KINDS[op], cell: "PeepholeLSTM" }
      : attrs.linear_before_reset === 1
        ? { ...KINDS[op], cell: "GRUResetAfter" }
        : KINDS[op],
    given,
    directions: direction === "bidirectional" ? ["forward", "reverse"] : [direction],
    T: batchFirst ? second : first,
    B: batchFirst ? first : second,
    D,
    H: attrs.hidden_size,
    batchFirst,
  };
}

function needed(given: ReadonlyMap<string, NamedArray>, name: string): NamedArray {
  const found = given.get(name);
  if (found === undefined) throw new Error(`the input ${name} is not given`);
  return found;
}

function modelText({ kind, directions }: Layer): string {
  const starts = directions.flatMap((_, place) => kind.states.map((state) => `${state}${place}: [H]`));
  const scans = directions.map((direction, place) => {
    const from = kind.states.map((state) => `${state}: ${state}${place}`).join(", ");
    return `y${place}, s${place} = scan f${place} over x from f${place}.state(${from})${direction === "reverse" ? " reverse" : ""}`;
  });
  return `model Layer(D, H) {
    time T
    in  x: [T, D], ${starts.join(", ")}
    use ${directions.map((_, place) => `f${place} = ${kind.cell}(D, H)`).join(", ")}
    ${scans.join("\n    ")}
  }`;
}

/** The operator stacks the gates' rows: W is [directions, gates*H, D], B the input's biases and then the state's. */
function weightsOf({ given, kind, directions, B, D, H, batchFirst }: Layer, place: number): Record<string, NamedArray> {
  const found: Record<string, NamedArray> = {};
  const rows = (array: NamedArray, gate: number, width: number): NamedArray => ({
    shape: width === 1 ? [H] : [H, width],
    data: Array.from(array.data).slice(gate * H * width, (gate + 1) * H * width),
  });
  const [W, R] = [needed(given, "W"), needed(given, "R")].map((array) => entryOf(array, place));
  const bias = entryOf(given.get("B") ?? arrayOf([directions.length, 2 * kind.gates.length * H], () => 0), place);
  for (const [gate, name] of kind.gates.entries()) {
    const key = (family: string): string => `f${place}.${family}${name === "" ? "" : `.${name}`}`;
    if (W === undefined || R === undefined) throw new Error("no weights");
    found[key("W")] = { ...rows(W, gate, D), shape: [H, D] };
    found[key("U")] = { ...rows(R, gate, H), shape: [H, H] };
    const [ours, state] = [rows(bias, gate, 1), rows(bias, kind.gates.length + gate, 1)];
    const both = kind.cell !== "GRUResetAfter";
    found[key("b")] = both ? arrayOf([H], (at) => (ours.data[at] ?? 0) + (state.data[at] ?? 0)) : ours;
    if (!both) found[key("u")] = state;
  }
  const peepholes = given.get("P");
  for (const [gate, name] of PEEPHOLES.entries()) {
    if (peepholes !== undefined) found[`f${place}.p.${name}`] = rows(entryOf(peepholes, place), gate, 1);
  }
  for (const state of kind.states) {
    const start = given.get(`initial_${state}`);
    const none = arrayOf([B, H], () => 0);
    found[`${state}${place}`] =
      start === undefined ? none : entryOf(batchFirst ? swapped(start) : start, place);
  }
  return found;
}

function outputsOf(layer: Layer, output: string, array: NamedArray): readonly Expected[] {
  const { directions, batchFirst, T, B, H } = layer;
  return directions.map((_, place) => {
    if (output !== "Y") {
      const whole = batchFirst ? swapped(array) : array;
      return { result: `value.s${place}.${output === "Y_c" ? "c" : "h"}`, kind: "output", array: entryOf(whole, place) };
    }
    const lengths = layer.given.get("sequence_lens")?.data;
    const at = (b: number, t: number, h: number): number =>
      batchFirst ? ((b * T + t) * directions.length + place) * H + h : ((t * directions.length + place) * B + b) * H + h;
    const split = (index: number): readonly [number, number, number] => [
      Math.floor(index / (T * H)),
      Math.floor(index / H) % T,
      index % H,
    ];
    return {
      result: `value.y${place}`,
      kind: "output",
      array: arrayOf([B, T, H], (index) => array.data[at(...split(index))] ?? Number.NaN),
      skip: (index) => split(index)[1] >= (lengths?.[split(index)[0]] ?? T),
    };
  });
}

/** The first two axes change places. */
function swapped({ shape, data }: NamedArray): NamedArray {
  const [first = 0, second = 0, ...rest] = shape;
  const size = rest.reduce((product, length) => product * length, 1);
  return arrayOf([second, first, ...rest], (place) => {
    const [row, inner] = [Math.floor(place / size), place % size];
    return data[((row % first) * second + Math.floor(row / first)) * size + inner] ?? Number.NaN;
  });
}
