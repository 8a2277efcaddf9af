import type { Program } from "../../src/build/program.ts";
import { STAGE_NAMES, type StageName } from "../../src/compile/stages.ts";
import type { SizeBinding } from "../../src/ir/size.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import type { Executor, HostArray, Prepared } from "../../src/runtime/executor.ts";
import { explainProgram } from "../../src/runtime/explain.ts";
import { type StageChoice, USUAL_STAGES } from "../../src/runtime/passes.ts";
import { startWasm } from "../../src/runtime/start-wasm.ts";
import { writeState } from "../../src/runtime/state.ts";
import { TARGETS } from "../../src/runtime/targets.ts";
import { difference } from "../arrays.ts";
import { childSide } from "../child.ts";
import { CLOCKS, type Clock } from "../clock.ts";
import type { Weights } from "../sequence.ts";
import type { Results, Side, SideName } from "../side.ts";
import { enterTfjs } from "./layers.ts";
import { gradientProgram, type Request, stepProgram, valuesProgram } from "./seqc-program.ts";

/** A side that runs where an executor does. */
export type Make = (executor: Executor) => Side;

export type Opening = readonly [SideName, () => Promise<Side>];

/** seqc as it comes, on its own WebAssembly and on tfjs. */
export function seqcSides(make: Make): readonly Opening[] {
  return [
    ["seqc wasm", async () => make(await startWasm(USUAL_STAGES, ONE_THREAD))],
    ["seqc tfjs-wasm", async () => onTfjs(make, USUAL_STAGES)],
  ];
}

const ONE_THREAD = { threads: 1 };

/** Within a tenth of the memory that the program takes otherwise. */
export async function leanSide(make: Make, program: Program, sizes: SizeBinding): Promise<Side> {
  const { bytes } = explainProgram(program, sizes).memory;
  return make(await startWasm(USUAL_STAGES, { ...ONE_THREAD, memory: Math.floor(bytes / 10) }));
}

/** Other ways to run seqc's own WebAssembly. */
const VARIANTS = {
  "seqc plain": async (make: Make) => make(await startWasm(USUAL_STAGES, { ...ONE_THREAD, instructions: "plain" })),
  "seqc threads": async (make: Make) => make(await startWasm(USUAL_STAGES, { threads: 2 })),
  "seqc wide": async (make: Make, workload: string) =>
    process.execArgv.includes(REVECTORIZE) ? make(await startWasm()) : childSide(workload, "seqc wide", [REVECTORIZE]),
} as const satisfies Partial<Record<SideName, (make: Make, workload: string) => Promise<Side>>>;

/** The engine reads it when it compiles, so it needs a process of its own. */
const REVECTORIZE = "--experimental-wasm-revectorize";

export type Variant = keyof typeof VARIANTS;

export function seqcVariants(names: readonly Variant[], workload: string, make: Make): readonly Opening[] {
  return names.map((name) => [name, () => VARIANTS[name](make, workload)]);
}

async function onTfjs(make: Make, stages: StageChoice): Promise<Side> {
  await enterTfjs("wasm");
  return { ...make(await TARGETS["tfjs-wasm"].start(stages)), enter: () => enterTfjs("wasm") };
}

/**
 * The stages that make a program fast, added one by one: those that a target runs, in their order, then those that it leaves out. Unrolling
 * is done on demand only.
 */
export function ladder(target: "wasm" | "tfjs-wasm", make: Make): readonly Opening[] {
  const leftOut = target === "wasm" ? PRODUCT_PASSES : new Set<StageName>();
  const stages = STAGE_NAMES.filter((stage) => stage !== "unroll" && (target === "wasm" || stage !== "fuse"));
  const order = stages.toSorted((a, b) => Number(hasName(leftOut, a)) - Number(hasName(leftOut, b)));
  const start = (stages: StageChoice): Promise<Side> =>
    target === "wasm" ? startWasm(stages, ONE_THREAD).then(make) : onTfjs(make, stages);
  const rung = (count: number): Promise<Side> => {
    const [on, off] = [order.slice(0, count), order.slice(count)].map((names) => new Set(names));
    return start({ ...USUAL_STAGES, ...(on && { on }), ...(off && { off }) });
  };
  return [["no stage", () => rung(0)], ...order.map((stage, at): Opening => [`+ ${stage}`, () => rung(at + 1)])];
}

function hasName(names: ReadonlySet<string>, name: string): boolean {
  return names.has(name);
}

/** Values of a program's inputs, by their names in the model, the batch first. */
export type Inputs = Readonly<Record<string, HostArray>>;

/** A program with its weights in place, and what every run is given. */
export interface Loaded {
  readonly prepared: Prepared;
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly sizes: ReadonlyMap<string, number>;
}

/** `sizes` are those that inputs have: the batch `B` and times. */
export function load(
  executor: Executor,
  program: Program,
  weights: Weights,
  inputs: Inputs,
  sizes: Readonly<Record<string, number>>,
): Loaded {
  const all = new Map([...program.sizes, ...Object.entries(sizes)]);
  const prepared = executor.prepare(program);
  writeState(program, prepared, { weights, slots: new Map(), carries: new Map() }, all);
  return { prepared, inputs: paramValues(program, inputs), sizes: all };
}

function paramValues(program: Program, inputs: Inputs): ReadonlyMap<string, HostArray> {
  const values = new Map<string, HostArray>();
  for (const [id, role] of program.params) {
    const value = role.kind === "input" ? inputs[role.name] : MOMENT[role.kind];
    if (value !== undefined) values.set(id, value);
  }
  return values;
}

/** The clock of a training step; nothing here depends on it. */
const MOMENT: Readonly<Record<string, HostArray>> = Object.fromEntries(
  Object.entries({ step: 0, steps: 100, steps_per_epoch: 100, seed: 1, training: 1, fresh: 1 }).map(([kind, value]) => [
    kind,
    { shape: [], data: Float64Array.of(value) },
  ]),
);

/** A training step; it is checked by the loss, what the step adds to every weight, and the gradients, which are a program of their own. */
export function trainingSide(
  executor: Executor,
  request: Request,
  weights: Weights,
  inputs: Inputs,
  sizes: Readonly<Record<string, number>>,
  checked: "all" | "updates" = "all",
): Side {
  const program = stepProgram(request);
  const step = load(executor, program, weights, inputs, sizes);
  const gradients = async (): Promise<Results> => {
    const { prepared, ...loaded } = load(executor, gradientProgram(request), weights, inputs, sizes);
    const results = await prepared.run(loaded.inputs, loaded.sizes);
    prepared.dispose();
    const found = [...results].filter(([name]) => name.startsWith("gradient."));
    return new Map(found.map(([name, { data }]) => [name, Float32Array.from(data)]));
  };
  return {
    check: async () => {
      const results = new Map(checked === "all" ? await gradients() : []);
      const [loss] = (await step.prepared.run(step.inputs, step.sizes)).get("loss")?.data ?? [];
      results.set("loss", Float32Array.of(loss ?? Number.NaN));
      for (const [name, before] of weights) {
        const after = await step.prepared.kept(name);
        results.set(`update.${name}`, difference(Float32Array.from(after.data), before.data));
      }
      return results;
    },
    run: async () => {
      await step.prepared.run(step.inputs, step.sizes);
    },
    dispose: () => step.prepared.dispose(),
  };
}

/** One result of a program without state. */
export function valueSide(loaded: Loaded, result: string): Side {
  const run = async () => loaded.prepared.run(loaded.inputs, loaded.sizes);
  return {
    check: async (): Promise<Results> => {
      const value = (await run()).get(result);
      if (value === undefined) throw new Error(`the program has no result ${result}`);
      return new Map([["output", Float32Array.from(value.data)]]);
    },
    run: async () => {
      await run();
    },
    dispose: () => loaded.prepared.dispose(),
  };
}

/** One call for each vector of the stream; the state stays where the program runs. `x` holds the vectors one after the other. */
export function streamSide(
  executor: Executor,
  weights: Weights,
  x: Float32Array,
  sizes: Readonly<Record<"D" | "H" | "C", number>>,
): Side {
  const program = withState(
    valuesProgram({ file: "stream.seq", sizes, model: "Stream", values: ["logits", "s.h", "s.c"] }),
    ["h", "c"],
  );
  const { prepared, sizes: all } = load(executor, program, weights, {}, { B: 1 });
  const vectors = Array.from(
    { length: x.length / sizes.D },
    (_, step) => new Map([["x", { shape: [1, sizes.D], data: x.slice(step * sizes.D, (step + 1) * sizes.D) }]]),
  );
  const run = async () => {
    let last: HostArray | undefined;
    for (const vector of vectors) last = (await prepared.run(vector, all)).get("value.logits");
    return Float32Array.from(last?.data ?? []);
  };
  return {
    check: async (): Promise<Results> => new Map([["output", await run()]]),
    run: async () => {
      await run();
    },
    dispose: () => prepared.dispose(),
  };
}

/** Inputs that take back the value `s.` of their name: a step's state goes into the next. */
function withState(program: Program, names: readonly string[]): Program {
  const params = new Map(program.params);
  const results = new Map(program.results);
  for (const name of names) {
    params.set(name, { kind: "carry", name });
    results.set(`value.s.${name}`, { kind: "carry", name });
  }
  return { ...program, params, results };
}

/** From the text of the model to the end of the first step, less the second step; `make` gives a new side each time. */
export function compileSide(make: () => Side): Side {
  const time = async (clock: Clock): Promise<number> => {
    const start = clock();
    const side = make();
    await side.run();
    const first = clock();
    await side.run();
    const second = clock();
    side.dispose();
    return first - start - (second - first);
  };
  return {
    check: async () => {
      const side = make();
      const results = await side.check();
      side.dispose();
      return results;
    },
    time: (clock) => time(CLOCKS[clock]),
    run: async () => {
      await time(CLOCKS.elapsed);
    },
    dispose: () => undefined,
  };
}
