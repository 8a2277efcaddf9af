import { deriveSeed } from "../../ir/random.ts";
import { numberOf, sizesOf } from "../../plan/bound-size.ts";
import { type Batch, readBatch } from "./arrays.ts";
import { type Entry, type Inputs, type Model, weightParams } from "./model.ts";
import type { Call } from "./program.ts";
import { type ProgramSpec, roleOf } from "./spec.ts";

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
  /**
   * How many steps are done before their losses are given, all at once; 1 where not said. Reading a loss waits for the graphics card, which
   * 10 make a tenth of. Whoever leaves the loop early has done up to so many steps that it has not seen.
   */
  readonly ahead?: number | undefined;
}

/** A training step for each batch. */
export async function* trainWith<M>(
  model: Model<M>,
  program: ProgramSpec<M>,
  batches: Iterable<Inputs> | AsyncIterable<Inputs>,
  { signal, seed = 0, steps, stepsPerEpoch, ahead = 1 }: TrainOptions,
): AsyncGenerator<TrainedStep, void, undefined> {
  model.alive();
  if (!Number.isInteger(ahead) || ahead < 1) throw new RangeError(`ahead is a whole number from 1, given is ${ahead}`);
  const called = needed(program, { steps, stepsPerEpoch });
  let rested = performance.now();
  // Steps whose losses have not been given.
  let waiting = 0;
  let last: Batch | undefined;
  // The rows that the states carried from batch to batch belong to: a call begins its sequences anew.
  let carriedRows = 0;
  for await (const inputs of batches) {
    signal?.throwIfAborted();
    const batch = readBatch(model.spec.name, program.inputs, inputs);
    const rows = batch.sizes.get("B") ?? 0;
    const fresh = rows !== carriedRows;
    waiting++;
    const given = await model.use(program, batch, (entry) => {
      const step = entry.steps;
      if (fresh) startStates(entry, batch, step === 0);
      entry.program.start({
        ...called,
        ...{ batch, step, fresh, training: true, seed: deriveSeed(seed, "step", step) },
      });
      entry.steps++;
      entry.changed = (values) => readWeightsOf(entry, values);
      return waiting < ahead ? [] : lossesOf(entry, waiting);
    });
    carriedRows = rows;
    last = batch;
    if (given.length > 0) waiting = 0;
    yield* given;
    // Others on this thread get their turn, and a signal can come.
    if (performance.now() - rested > 20) {
      await new Promise((resolve) => setTimeout(resolve));
      rested = performance.now();
    }
  }
  if (last !== undefined && waiting > 0) yield* await model.use(program, last, (entry) => lossesOf(entry, waiting));
}

/** The losses of the last steps; those before were of a call that was left. */
async function lossesOf({ program, steps }: Entry, count: number): Promise<readonly TrainedStep[]> {
  const done = (await program.finish()).slice(-count);
  return done.map(({ loss }, at) => ({ loss: loss?.data[0] ?? Number.NaN, step: steps - count + at + 1 }));
}

function needed(
  { params }: ProgramSpec,
  given: { readonly steps?: number | undefined; readonly stepsPerEpoch?: number | undefined },
): Pick<Call, "steps" | "steps_per_epoch"> {
  const kinds = new Set(Object.values(params).map(({ kind }) => kind));
  for (const [kind, name] of [
    ["steps", "steps"],
    ["steps_per_epoch", "stepsPerEpoch"],
  ] as const) {
    if (kinds.has(kind) && given[name] === undefined) {
      throw new TypeError(`this training depends on how many steps there are: give the option ${name}`);
    }
  }
  return { steps: given.steps ?? 1, steps_per_epoch: given.stepsPerEpoch ?? 1 };
}

async function readWeightsOf(entry: Entry, values: Map<string, Float32Array>): Promise<void> {
  const params = weightParams(entry);
  const arrays = await entry.program.read(params.map(([param]) => param));
  params.forEach(([, name], at) => {
    values.set(name, Float32Array.from(arrays[at]?.data ?? []));
  });
}

/** Carried states begin with zeros, and at the first step the optimizer's slots with theirs. */
function startStates({ spec, program }: Entry, { sizes }: Batch, slots: boolean): void {
  const values = sizesOf(program.memory, sizes);
  for (const { name, shape } of program.memory.params) {
    const role = roleOf(spec, name);
    if (role.kind !== "carry" && !(slots && role.kind === "slot")) continue;
    const count = shape.reduce((all: number, size) => all * numberOf(size, values), 1);
    program.write(name, new Float32Array(count).fill(role.kind === "slot" ? role.start : 0));
  }
}
