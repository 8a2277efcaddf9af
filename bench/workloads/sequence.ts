import type { Executor } from "../../src/runtime/executor.ts";
import { type ChildSide, childSide } from "../child.ts";
import type { ClockName } from "../clock.ts";
import type { CellName, SequenceProblem, SequenceSize } from "../sequence.ts";
import { sequenceFlops, sequenceProblem } from "../sequence.ts";
import type { Goal, Side, SideName, Workload } from "../side.ts";
import * as jax from "../sides/jax.ts";
import * as layers from "../sides/layers.ts";
import * as onnx from "../sides/onnx.ts";
import {
  type Inputs,
  ladder,
  leanSide,
  load,
  seqcSides,
  seqcVariants,
  trainingSide,
  type Variant,
  valueSide,
} from "../sides/seqc.ts";
import { type Request, stepProgram, valuesProgram } from "../sides/seqc-program.ts";

const TRAINERS = {
  "tfjs-layers wasm": (problem) => layers.sequenceTraining(problem, "wasm"),
  "tfjs-layers cpu": (problem) => layers.sequenceTraining(problem, "cpu"),
  "jax-js wasm": jax.sequenceTraining,
  "jax-js gradient": jax.sequenceGradient,
} as const satisfies Readonly<Partial<Record<SideName, (problem: SequenceProblem) => Promise<Side>>>>;

/** What tfjs-layers takes more than a few seconds for. */
const SLOW_FLOPS = 5e9;

/** One training step: loss, gradients and Adam. */
export function trainingWorkload(
  name: string,
  size: SequenceSize,
  peers: readonly (keyof typeof TRAINERS)[],
  goals: readonly Goal[],
  variants: readonly Variant[] = [],
): Workload {
  const problem = () => sequenceProblem(size);
  const make = (executor: Executor): Side => sequenceStep(executor, problem());
  return {
    name,
    title: `${describe(size)}: a training step with softmax and Adam`,
    unit: "training step",
    units: 1,
    flops: sequenceFlops(size).training,
    goals,
    slow: sequenceFlops(size).training > SLOW_FLOPS ? ["tfjs-layers wasm"] : ["tfjs-layers cpu"],
    sides: new Map<SideName, () => Promise<Side>>([
      ...seqcSides(make),
      ...seqcVariants(variants, name, make),
      ...peers.map((peer) => [peer, () => TRAINERS[peer](problem())] as const),
    ]),
  };
}

/** The third call in a process that has just started: by then the engine's compilers must be done. */
export function warmUpWorkload(name: string, workload: string, size: SequenceSize): Workload {
  return {
    name,
    title: `${describe(size)}: the third training step of a process`,
    unit: "training step",
    units: 1,
    flops: sequenceFlops(size).training,
    goals: [{ kind: "growth", workload, atMost: 1.2 }],
    sides: new Map([["seqc wasm", async () => thirdCallSide(workload)]]),
  };
}

function thirdCallSide(workload: string): Side {
  let processor = 0;
  const withChild = async <Result>(ask: (child: ChildSide) => Promise<Result>): Promise<Result> => {
    const child = await childSide(workload, "seqc wasm", []);
    try {
      return await ask(child);
    } finally {
      processor += child.processor();
      child.dispose();
    }
  };
  const third = (clock: ClockName): Promise<number> =>
    withChild(async ({ time }) => {
      await time(clock);
      await time(clock);
      return time(clock);
    });
  return {
    check: () => withChild((child) => child.check()),
    time: third,
    run: async () => {
      await third("elapsed");
    },
    processor: () => processor,
    dispose: () => undefined,
  };
}

/** The same on one of seqc's targets, with more and more of what makes it fast. */
export function ladderWorkload(name: string, size: SequenceSize, target: "wasm" | "tfjs-wasm"): Workload {
  return {
    name,
    title: `${describe(size)}: a training step on ${target}, by what is done to make it fast`,
    unit: "training step",
    units: 1,
    flops: sequenceFlops(size).training,
    goals: [],
    sides: new Map(ladder(target, (executor) => sequenceStep(executor, sequenceProblem(size)))),
  };
}

/** A long sequence, also within a tenth of the memory. */
export function longWorkload(name: string, size: SequenceSize, goals: readonly Goal[]): Workload {
  const workload = trainingWorkload(name, size, [], goals);
  const lean = (): Promise<Side> => {
    const problem = sequenceProblem(size);
    const program = stepProgram(requestOf(problem));
    const sizes = new Map([...program.sizes, ...Object.entries(axesOf(problem))]);
    // What gives gradients is another program, which needs other memory.
    return leanSide((executor) => sequenceStep(executor, problem, "updates"), program, sizes);
  };
  return { ...workload, sides: new Map([...workload.sides, ["seqc lean", lean]]) };
}

/** Outputs for a whole sequence, from an array to an array. */
export function forwardWorkload(name: string, size: SequenceSize): Workload {
  const problem = () => sequenceProblem(size);
  return {
    name,
    title: `${describe(size)}: forward`,
    unit: "call",
    units: 1,
    flops: sequenceFlops(size).forward,
    goals: [],
    sides: new Map<SideName, () => Promise<Side>>([
      ...seqcSides((executor) => {
        const given = problem();
        const { file, sizes } = requestOf(given);
        const program = valuesProgram({ file, sizes, ...GUESSES[size.cell], values: ["logits"] });
        return valueSide(load(executor, program, given.weights, inputsOf(given), axesOf(given)), "value.logits");
      }),
      ["tfjs-layers wasm", () => layers.sequenceForward(problem(), "wasm")],
      ["jax-js wasm", () => jax.sequenceForward(problem())],
      ["onnxruntime", () => onnx.sequenceForward(problem())],
    ]),
  };
}

export function sequenceStep(executor: Executor, problem: SequenceProblem, checked?: "all" | "updates"): Side {
  return trainingSide(executor, requestOf(problem), problem.weights, inputsOf(problem), axesOf(problem), checked);
}

const TRAINS: Readonly<Record<CellName, string>> = { lstm: "lstm", gru: "gru", mgu: "mgu", both: "both" };
/** The models of models/sequence.seq that only guess. */
const GUESSES = {
  lstm: { model: "Guesses" },
  gru: { model: "Guesses", definitions: { Cell: "GRU" } },
  mgu: { model: "Guesses", definitions: { Cell: "MGU" } },
  both: { model: "BothGuesses" },
} as const satisfies Readonly<Record<CellName, object>>;

const NAMES: Readonly<Record<CellName, string>> = {
  lstm: "LSTM",
  gru: "GRU",
  mgu: "minimal gated unit (a user's cell)",
  both: "bidirectional LSTM",
};

/** (batch, steps, inputs → hidden) */
export function describe({ cell, batch, steps, inputs, hidden }: SequenceSize): string {
  return `${NAMES[cell]} (${batch}, ${steps}, ${inputs} → ${hidden})`;
}

function requestOf({ cell, inputs, hidden, classes }: SequenceProblem): Request {
  return { file: "sequence.seq", train: TRAINS[cell], sizes: { D: inputs, H: hidden, C: classes } };
}

function axesOf({ batch, steps }: SequenceProblem): Readonly<Record<string, number>> {
  return { B: batch, T: steps };
}

function inputsOf({ batch, steps, inputs, x, y }: SequenceProblem): Inputs {
  return { x: { shape: [batch, steps, inputs], data: x }, y: { shape: [batch, steps], data: y } };
}
