import type { Numbers } from "../strided.ts";
import { type Batch, type InputArray, readBatch } from "./arrays.ts";
import { type Call, type OpenProgram, type Output, openCode, openProgram } from "./program.ts";
import type { ModelSpec, ProgramSpec } from "./spec.ts";

/** Arrays by input. */
export type Inputs = Readonly<Record<string, InputArray | undefined>>;

/** A model with its weights: every array is checked before anything runs, and what throws has changed nothing. */
export interface Model {
  readonly spec: ModelSpec;
  /** Its program, opened where it has not been. Rejects where the model was disposed. */
  open(program: ProgramSpec): Promise<Entry>;
  /** Makes a program ready for a batch: memory is laid out for its sizes, and the newest weights are in it. */
  ready(entry: Entry, batch: Batch): void;
  /** A run of this program has changed the weights. */
  changed(entry: Entry): void;
  /** The newest weights, by name. Throws where the model was disposed. */
  weights(): ReadonlyMap<string, Float32Array>;
  /** Throws where the model was disposed. */
  alive(): void;
  /** Frees memory. Any later call throws. */
  dispose(): void;
}

/** A program in use: which weights it has, and how many steps it has trained. */
export interface Entry {
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

  return {
    spec,
    alive,
    async open(program) {
      alive();
      const before = entries.get(program);
      if (before !== undefined) return before;
      code ??= openCode(spec);
      const entry: Entry = { program: await openProgram(program, await code), version: 0, bound: "", steps: 0 };
      alive();
      entries.set(program, entry);
      return entry;
    },
    ready(entry, { sizes }) {
      const { runner, spec: own } = entry.program;
      const bound = JSON.stringify([...sizes]);
      if (bound !== entry.bound) runner.bind(sizes);
      entry.bound = bound;
      if (entry === newest) return;
      settle();
      if (entry.version === version) return;
      for (const [param, name] of weightParams(own)) runner.write(param, values.get(name) ?? []);
      entry.version = version;
    },
    changed(entry) {
      newest = entry;
    },
    weights() {
      alive();
      settle();
      return values;
    },
    dispose() {
      disposed = true;
      entries.clear();
      values.clear();
      newest = undefined;
    },
  };
}

/** Runs a program once, for evaluation, with arrays that are read already, and values of other params. */
export async function runProgram(
  model: Model,
  program: ProgramSpec,
  batch: Batch,
  seed: number,
  more: ReadonlyMap<string, Numbers>,
): Promise<Record<string, Output>> {
  const entry = await model.open(program);
  model.ready(entry, batch);
  return entry.program.run({ ...AT_REST, batch, seed }, more);
}

/** Runs a model on a batch. */
export function runForward(model: Model, program: ProgramSpec, inputs: Inputs): Promise<Record<string, Output>> {
  return runProgram(model, program, readBatch(model.spec.name, program.inputs, inputs), 0, new Map());
}

/** What a call that trains nothing says of its training. */
export const AT_REST: Omit<Call, "batch" | "seed"> = {
  ...{ training: false, fresh: true },
  ...{ step: 0, steps: 1, stepsPerEpoch: 1 },
};

function weightParams({ params }: ProgramSpec): readonly (readonly [string, string])[] {
  return Object.entries(params).flatMap(([id, role]) => (role.kind === "weight" ? [[id, role.name] as const] : []));
}
