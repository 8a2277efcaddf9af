import { deriveSeed } from "../../ir/random.ts";
import { decodeSafetensors, encodeSafetensors } from "../../target/tfjs/support/safetensors.ts";
import { numberOf, sizesOf } from "../../target/wasm/bind.ts";
import { initialize } from "../initialize.ts";
import type { Numbers } from "../strided.ts";
import { type Batch, type InputArray, readBatch } from "./arrays.ts";
import { type Call, type OpenProgram, type Output, openCode, openProgram } from "./program.ts";
import type { ModelSpec, ProgramSpec } from "./spec.ts";

/** Arrays by input. */
export type Inputs = Readonly<Record<string, InputArray | undefined>>;

/** What a training step gives. */
export interface TrainedStep {
  /** The objective on this batch before the step; in nats where it is a likelihood. */
  readonly loss: number;
  /** Steps done, this one included. */
  readonly step: number;
}

export interface TrainOptions {
  /** Ends the training before the next step; the iterator throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** What dropout and its kin depend on. */
  readonly seed?: number | undefined;
  /** Steps in all and in an epoch, where the optimizer's schedule needs them. */
  readonly steps?: number | undefined;
  readonly stepsPerEpoch?: number | undefined;
}

/** States that a model carries from one piece of a sequence to the next, by name: the caller's, never changed. */
export type States = Readonly<Record<string, Output>>;

/** A model with its weights: every array is checked before anything runs, and what throws has changed nothing. */
export interface Model {
  /** Runs once, for evaluation. */
  forward(spec: ProgramSpec, inputs: Inputs): Promise<Record<string, Output>>;
  /** Runs a piece of sequences, whose states go on from those given. */
  step(spec: ProgramSpec, states: States | undefined, inputs: Inputs): Promise<[Record<string, Output>, States]>;
  /** A training step for each batch. */
  train(
    spec: ProgramSpec,
    batches: Iterable<Inputs> | AsyncIterable<Inputs>,
    options: TrainOptions,
  ): AsyncGenerator<TrainedStep, void, undefined>;
  /** Runs a program with arrays that are read already, and values of other params. */
  run(
    spec: ProgramSpec,
    batch: Batch,
    seed: number,
    more: ReadonlyMap<string, Numbers>,
  ): Promise<Record<string, Output>>;
  /** The weights as the bytes of a safetensors file. */
  save(): Uint8Array;
  /** Frees memory. Any later call throws. */
  dispose(): void;
}

/** First weights: each depends on the seed, its name and its shape alone. */
export function firstWeights({ weights }: ModelSpec, seed: number): ReadonlyMap<string, Float32Array> {
  return new Map(weights.map(({ name, shape, start }) => [name, initialize(start, shape, seed, name)]));
}

/** Weights from the bytes of a safetensors file. Throws where one is missing or has another shape; further ones are ignored. */
export function readWeights({ name, weights }: ModelSpec, bytes: Uint8Array): ReadonlyMap<string, Float32Array> {
  const arrays = decodeSafetensors(bytes);
  const wrong = weights.flatMap((entry) => {
    const found = arrays.get(entry.name);
    if (found?.shape.join() === entry.shape.join()) return [];
    return [
      `  ${entry.name} [${entry.shape.join(", ")}]: ${found === undefined ? "missing" : `[${found.shape.join(", ")}]`}`,
    ];
  });
  if (wrong.length > 0) {
    throw new RangeError(
      `these are no weights of ${name}. It wants, and the file has:\n${wrong.join("\n")}\nThe file has in all: ${[...arrays.keys()].join(", ")}`,
    );
  }
  return new Map(weights.map((entry) => [entry.name, arrays.get(entry.name)?.data ?? new Float32Array()]));
}

/** A program in use: which weights it has, and how many steps it has trained. */
interface Entry {
  readonly program: OpenProgram;
  version: number;
  /** The sizes that its memory is laid out for. */
  bound: string;
  steps: number;
}

export function createModel(spec: ModelSpec, start: ReadonlyMap<string, Float32Array>): Model {
  const entries = new Map<ProgramSpec, Entry>();
  const values = new Map(start);
  let version = 1;
  // The program whose memory has the newest weights, where it is not `values`.
  let newest: Entry | undefined;
  let disposed = false;
  let code: Promise<WebAssembly.Module> | undefined;

  const alive = (): void => {
    if (disposed) throw new Error(`this ${spec.name} was disposed`);
  };
  const open = async (program: ProgramSpec): Promise<Entry> => {
    alive();
    const before = entries.get(program);
    if (before !== undefined) return before;
    code ??= openCode(spec);
    const entry: Entry = { program: await openProgram(program, await code), version: 0, bound: "", steps: 0 };
    alive();
    entries.set(program, entry);
    return entry;
  };
  const settle = (): void => {
    if (newest === undefined) return;
    for (const [param, name] of weightParams(newest.program.spec)) {
      const { data } = newest.program.runner.readParam(param);
      values.set(name, Float32Array.from(data));
    }
    version++;
    newest.version = version;
    newest = undefined;
  };
  const ready = (entry: Entry, { sizes }: Batch): void => {
    const { runner, spec: own } = entry.program;
    const bound = JSON.stringify([...sizes]);
    if (bound !== entry.bound) runner.bind(sizes);
    entry.bound = bound;
    if (entry === newest) return;
    settle();
    if (entry.version === version) return;
    for (const [param, name] of weightParams(own)) runner.write(param, values.get(name) ?? []);
    entry.version = version;
  };
  const run: Model["run"] = async (program, batch, seed, more) => {
    const entry = await open(program);
    ready(entry, batch);
    return entry.program.run({ ...AT_REST, batch, seed }, more);
  };

  return {
    run,
    forward: async (program, inputs) => run(program, readBatch(spec.name, program.inputs, inputs), 0, new Map()),
    async step(program, states, inputs) {
      const batch = readBatch(spec.name, program.inputs, inputs);
      const entry = await open(program);
      ready(entry, batch);
      const carried = carriedStates(entry.program, batch, states);
      const results = entry.program.run({ ...AT_REST, batch, seed: 0, fresh: states === undefined }, carried);
      return splitStates(program, results);
    },
    async *train(program, batches, { signal, seed = 0, steps, stepsPerEpoch }) {
      const entry = await open(program);
      const called = needed(program, { steps, stepsPerEpoch });
      let rested = performance.now();
      // The rows that the states carried from batch to batch belong to: a call begins its sequences anew.
      let carriedRows = 0;
      for await (const inputs of batches) {
        signal?.throwIfAborted();
        alive();
        const batch = readBatch(spec.name, program.inputs, inputs);
        const step = entry.steps;
        ready(entry, batch);
        const rows = batch.sizes.get("B") ?? 0;
        const fresh = rows !== carriedRows;
        if (fresh) startStates(entry.program, batch, step === 0);
        const results = entry.program.run({
          ...called,
          ...{ batch, step, fresh, training: true, seed: deriveSeed(seed, "step", step) },
        });
        entry.steps++;
        carriedRows = rows;
        newest = entry;
        yield { loss: results.loss?.data[0] ?? Number.NaN, step: entry.steps };
        // Others on this thread get their turn, and a signal can come.
        if (performance.now() - rested > 20) {
          await new Promise((resolve) => setTimeout(resolve));
          rested = performance.now();
        }
      }
    },
    save() {
      alive();
      settle();
      return encodeSafetensors(
        new Map(spec.weights.map(({ name, shape }) => [name, { shape, data: values.get(name) ?? new Float32Array() }])),
      );
    },
    dispose() {
      disposed = true;
      entries.clear();
      values.clear();
      newest = undefined;
    },
  };
}

const AT_REST = { training: false, step: 0, steps: 1, stepsPerEpoch: 1, fresh: true };

function weightParams({ params }: ProgramSpec): readonly (readonly [string, string])[] {
  return Object.entries(params).flatMap(([id, role]) => (role.kind === "weight" ? [[id, role.name] as const] : []));
}

function needed(
  { params }: ProgramSpec,
  given: { readonly steps?: number | undefined; readonly stepsPerEpoch?: number | undefined },
): Pick<Call, "steps" | "stepsPerEpoch"> {
  const kinds = new Set(Object.values(params).map(({ kind }) => kind));
  for (const [kind, name] of [
    ["steps", "steps"],
    ["steps_per_epoch", "stepsPerEpoch"],
  ] as const) {
    if (kinds.has(kind) && given[name] === undefined) {
      throw new TypeError(`this training depends on how many steps there are: give the option ${name}`);
    }
  }
  return { steps: given.steps ?? 1, stepsPerEpoch: given.stepsPerEpoch ?? 1 };
}

/** Carried states begin with zeros, and at the first step the optimizer's slots with theirs. */
function startStates({ spec, runner }: OpenProgram, { sizes }: Batch, slots: boolean): void {
  const values = sizesOf(spec.module, sizes);
  for (const { name, shape } of spec.module.params) {
    const role = spec.params[name];
    if (role?.kind !== "carry" && !(slots && role?.kind === "slot")) continue;
    const count = shape.reduce((all: number, size) => all * numberOf(size, values), 1);
    runner.write(name, new Float32Array(count).fill(role.kind === "slot" ? role.start : 0));
  }
}

/** The states that a caller gives, or zeros, by param. */
function carriedStates(
  { spec }: OpenProgram,
  { sizes }: Batch,
  states: States | undefined,
): ReadonlyMap<string, Numbers> {
  const found = new Map<string, Numbers>();
  const values = sizesOf(spec.module, sizes);
  for (const { name, shape } of spec.module.params) {
    const role = spec.params[name];
    if (role?.kind !== "carry") continue;
    const wanted = shape.map((size) => numberOf(size, values));
    const called = spec.results.find(({ as }) => as === role.name)?.state ?? role.name;
    const given = states?.[called];
    if (states !== undefined && given?.shape.join() !== wanted.join()) {
      const what = given === undefined ? "is missing" : `is [${given.shape.join(", ")}]`;
      throw new RangeError(`the state ${called} ${what}, it should be [${wanted.join(", ")}]`);
    }
    found.set(name, given?.data ?? new Float32Array(wanted.reduce((all, size) => all * size, 1)));
  }
  return found;
}

/** Results for the caller, and the states to go on from. */
function splitStates(
  { results }: ProgramSpec,
  given: Readonly<Record<string, Output>>,
): [Record<string, Output>, States] {
  const outputs: Record<string, Output> = {};
  const states: Record<string, Output> = {};
  for (const { as, state } of results) {
    const value = given[as];
    if (value === undefined) continue;
    if (state === undefined) outputs[as] = value;
    else states[state] = value;
  }
  return [outputs, states];
}
