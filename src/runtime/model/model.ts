import type { Numbers } from "../strided.ts";
import { type Batch, type InputArray, readBatch } from "./arrays.ts";
import { type Awaitable, type Call, type Machine, type OpenProgram, type Results, runOnce } from "./program.ts";
import { type ModelSpec, type ProgramMemory, type ProgramSpec, roleOf } from "./spec.ts";

/** Arrays by input. */
export type Inputs = Readonly<Record<string, InputArray | undefined>>;

/** A model with its weights, run by a machine: every array is checked before anything runs, and what throws has changed nothing. */
export interface Model<M> {
  readonly spec: ModelSpec;
  /**
   * Lets work have a program to itself, opened where it has not been, with memory laid out for a batch's sizes and the newest weights in it.
   * Calls wait for one another. Rejects where the model was disposed.
   */
  use<T>(program: ProgramSpec<M>, batch: Batch, work: (entry: Entry) => Awaitable<T>): Promise<T>;
  /** The newest weights, by name. Rejects where the model was disposed. */
  weights(): Promise<ReadonlyMap<string, Float32Array>>;
  /** Throws where the model was disposed. */
  alive(): void;
  /** Frees memory when what is under way has ended. Any later call throws. */
  dispose(): void;
}

/** A program in use. */
export interface Entry {
  readonly spec: ProgramSpec;
  readonly program: OpenProgram;
  /** The weights that it has. */
  version: number;
  /** The sizes that its memory is laid out for. */
  bound: string;
  /** How many steps it has trained. */
  steps: number;
  /** Reads its weights into those that are kept, where it has changed them since. */
  changed: ((values: Map<string, Float32Array>) => Promise<void>) | undefined;
}

export function createModel<M>(
  spec: ModelSpec,
  start: ReadonlyMap<string, Float32Array>,
  machine: Machine<M>,
): Model<M> {
  const entries = new Map<ProgramSpec<M>, Entry>();
  const values = new Map(start);
  let version = 1;
  let disposed = false;
  let last: Promise<unknown> = Promise.resolve();

  const alive = (): void => {
    if (disposed) throw new Error(`this ${spec.name} was disposed`);
  };
  const inTurn = <T>(work: () => Awaitable<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const open = async (program: ProgramSpec<M>): Promise<Entry> => {
    alive();
    const before = entries.get(program);
    if (before !== undefined) return before;
    const opened = await machine.open(program);
    const entry: Entry = { spec: program, program: opened, version: 0, bound: "", steps: 0, changed: undefined };
    entries.set(program, entry);
    return entry;
  };
  /** Reads the weights of the program that has changed them. */
  const settle = async (): Promise<void> => {
    for (const entry of entries.values()) {
      if (entry.changed === undefined) continue;
      await entry.changed(values);
      version++;
      entry.version = version;
      entry.changed = undefined;
    }
  };
  const ready = async (entry: Entry, { sizes }: Batch): Promise<void> => {
    const bound = JSON.stringify([...sizes]);
    if (bound !== entry.bound) await entry.program.bind(sizes);
    entry.bound = bound;
    if (entry.changed !== undefined) return;
    await settle();
    if (entry.version === version) return;
    for (const [param, name] of weightParams(entry)) entry.program.write(param, values.get(name) ?? []);
    entry.version = version;
  };

  return {
    spec,
    alive,
    use: (program, batch, work) =>
      inTurn(async () => {
        const entry = await open(program);
        await ready(entry, batch);
        alive();
        return work(entry);
      }),
    weights: () =>
      inTurn(async () => {
        alive();
        await settle();
        return values;
      }),
    dispose() {
      disposed = true;
      void inTurn(() => {
        for (const { program } of entries.values()) program.dispose();
        machine.dispose();
        entries.clear();
        values.clear();
      });
    },
  };
}

/** Runs a program once, for evaluation, with arrays that are read already, and values of other params. */
export function runProgram<M>(
  model: Model<M>,
  program: ProgramSpec<M>,
  batch: Batch,
  seed: number,
  more: (memory: ProgramMemory) => ReadonlyMap<string, Numbers>,
): Promise<Results> {
  return model.use(program, batch, (entry) =>
    runOnce(entry.program, { ...AT_REST, batch, seed }, more(entry.program.memory)),
  );
}

/** Runs a model on a batch. */
export async function runForward<M>(model: Model<M>, program: ProgramSpec<M>, inputs: Inputs): Promise<Results> {
  return runProgram(model, program, readBatch(model.spec.name, program.inputs, inputs), 0, () => new Map());
}

/** What a call that trains nothing says of its training. */
export const AT_REST: Omit<Call, "batch" | "seed"> = {
  ...{ training: false, fresh: true },
  ...{ step: 0, steps: 1, steps_per_epoch: 1 },
};

/** A program's params that are weights, with the weights' names. */
export function weightParams({ spec, program }: Entry): readonly (readonly [string, string])[] {
  return program.memory.params.flatMap(({ name }) => {
    const role = roleOf(spec, name);
    return role.kind === "weight" ? [[name, role.name] as const] : [];
  });
}
