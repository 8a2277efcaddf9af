import { InferenceSession, Tensor } from "onnxruntime-node";
import { joined, swapped, transposed } from "../arrays.ts";
import { stackedGates, weightData } from "../gates.ts";
import { CELLS, type CellName, features, type SequenceProblem } from "../sequence.ts";
import type { Results, Side } from "../side.ts";
import { encodeModel, type OnnxGraph, type OnnxNode, type OnnxTensor } from "./onnx-proto.ts";

/** The recurrent operators of ONNX, and how they order the gates. */
const OPERATORS: Readonly<Partial<Record<CellName, { readonly op: string; readonly order: readonly string[] }>>> = {
  lstm: { op: "LSTM", order: ["i", "o", "f", "g"] },
  both: { op: "LSTM", order: ["i", "o", "f", "g"] },
  gru: { op: "GRU", order: ["z", "r", "n"] },
};

/** From an array to an array. Time comes first, as the operator wants it. */
export async function sequenceForward(problem: SequenceProblem): Promise<Side> {
  const { batch, steps, inputs, classes } = problem;
  const session = await open(sequenceGraph(problem));
  const x = swapped(problem.x, batch, steps, inputs);
  const run = async (): Promise<Float32Array> =>
    output(await session.run({ x: new Tensor("float32", x, [steps, batch, inputs]) }), "y");
  return {
    check: async (): Promise<Results> => new Map([["output", swapped(await run(), steps, batch, classes)]]),
    run: async () => {
      await run();
    },
    dispose: () => close(session),
  };
}

/** One call for each vector; the states go out and in again. */
export async function stream(problem: SequenceProblem): Promise<Side> {
  const { steps, inputs, hidden } = problem;
  const session = await open(sequenceGraph({ ...problem, steps: 1 }, true));
  const zero: Tensor = new Tensor("float32", new Float32Array(hidden), [1, 1, hidden]);
  let state = { h: zero, c: zero };
  const run = async (): Promise<Float32Array> => {
    let last = new Float32Array();
    for (let step = 0; step < steps; step++) {
      const x = new Tensor("float32", problem.x.slice(step * inputs, (step + 1) * inputs), [1, 1, inputs]);
      const results = await session.run({ x, ...state });
      last = output(results, "y");
      state = { h: tensor(results, "h.next"), c: tensor(results, "c.next") };
    }
    return last;
  };
  return {
    check: async (): Promise<Results> => new Map([["output", await run()]]),
    run: async () => {
      await run();
    },
    dispose: () => close(session),
  };
}

/** x · Wᵀ, from an array to an array. */
export async function product(x: Float32Array, weight: Float32Array, size: number): Promise<Side> {
  const shape = [size, size];
  const session = await open({
    inputs: new Map([["x", shape]]),
    outputs: new Map([["y", shape]]),
    initializers: new Map([["w", { shape, data: transposed(weight, size, size) }]]),
    nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
  });
  const run = async (): Promise<Float32Array> => output(await session.run({ x: new Tensor("float32", x, shape) }), "y");
  return {
    check: async (): Promise<Results> => new Map([["output", Float32Array.from(await run())]]),
    run: async () => {
      await run();
    },
    dispose: () => close(session),
  };
}

/** A recurrent operator and a product; with `states`, these are inputs and outputs. */
function sequenceGraph(problem: SequenceProblem, states = false): OnnxGraph {
  const { cell, batch, steps, inputs, hidden, classes, weights } = problem;
  const operator = OPERATORS[cell];
  if (operator === undefined) throw new Error(`ONNX has no operator for ${cell}`);
  const { prefixes } = CELLS[cell];
  const directions = prefixes.length;
  const state: readonly number[] = [directions, batch, hidden];
  const head = transposed(weightData(weights, "head.W"), classes, features(problem));
  return {
    inputs: new Map([
      ["x", [steps, batch, inputs]],
      ...(states
        ? ([
            ["h", state],
            ["c", state],
          ] as const)
        : []),
    ]),
    outputs: new Map([
      ["y", [steps, batch, classes]],
      ...(states
        ? ([
            ["h.next", state],
            ["c.next", state],
          ] as const)
        : []),
    ]),
    initializers: new Map<string, OnnxTensor>([
      ...recurrentWeights(problem, operator.order),
      ["shape", { shape: [3], data: BigInt64Array.from([steps, batch, features(problem)].map(BigInt)) }],
      ["head.W", { shape: [features(problem), classes], data: head }],
      ["head.b", { shape: [classes], data: weightData(weights, "head.b") }],
    ]),
    nodes: [
      {
        op: operator.op,
        inputs: ["x", "W", "R", "B", ...(states ? ["", "h", "c"] : [])],
        outputs: states ? ["all", "h.next", "c.next"] : ["all"],
        attributes: { hidden_size: hidden, direction: directions === 2 ? "bidirectional" : "forward" },
      },
      // [steps, directions, batch, hidden] to [steps, batch, directions · hidden]
      { op: "Transpose", inputs: ["all"], outputs: ["ordered"], attributes: { perm: [0, 2, 1, 3] } },
      { op: "Reshape", inputs: ["ordered", "shape"], outputs: ["features"] },
      ...linear(),
    ],
  };
}

function linear(): readonly OnnxNode[] {
  return [
    { op: "MatMul", inputs: ["features", "head.W"], outputs: ["guess"] },
    { op: "Add", inputs: ["guess", "head.b"], outputs: ["y"] },
  ];
}

/** W and R [directions, gates · hidden, ...]; B holds a second bias, which is 0 here. */
function recurrentWeights(problem: SequenceProblem, order: readonly string[]): readonly [string, OnnxTensor][] {
  const { cell, inputs, hidden, weights } = problem;
  const { prefixes } = CELLS[cell];
  const units = order.length * hidden;
  const all = (kind: "W" | "U" | "b") => prefixes.map((prefix) => stackedGates(weights, prefix, kind, order));
  const biases = all("b").flatMap((bias) => [bias, new Float32Array(units)]);
  const tensor = (parts: readonly Float32Array[], ...shape: readonly number[]): OnnxTensor => ({
    shape: [prefixes.length, ...shape],
    data: joined(parts),
  });
  return [
    ["W", tensor(all("W"), units, inputs)],
    ["R", tensor(all("U"), units, hidden)],
    ["B", tensor(biases, 2 * units)],
  ];
}

function open(graph: OnnxGraph): Promise<InferenceSession> {
  return InferenceSession.create(encodeModel(graph), {
    executionProviders: ["cpu"],
    executionMode: "sequential",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
  });
}

function close(session: InferenceSession): void {
  session.release().catch(() => undefined);
}

function output(results: InferenceSession.ReturnType, name: string): Float32Array<ArrayBuffer> {
  const { data } = tensor(results, name);
  if (!(data instanceof Float32Array)) throw new Error(`onnxruntime: ${name} holds no float32`);
  return Float32Array.from(data);
}

function tensor(results: InferenceSession.ReturnType, name: string): Tensor {
  const found = results[name];
  if (!(found instanceof Tensor)) throw new Error(`onnxruntime gives no ${name}`);
  return found;
}
