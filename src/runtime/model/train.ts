import { deriveSeed } from "../../ir/random.ts";
import { numberOf, sizesOf } from "../../plan/bound-size.ts";
import { type Batch, readBatch } from "./arrays.ts";
import type { Inputs, Model } from "./model.ts";
import type { Call, OpenProgram } from "./program.ts";
import type { ProgramSpec } from "./spec.ts";

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

/** A training step for each batch. */
export async function* trainWith(
  model: Model,
  program: ProgramSpec,
  batches: Iterable<Inputs> | AsyncIterable<Inputs>,
  { signal, seed = 0, steps, stepsPerEpoch }: TrainOptions,
): AsyncGenerator<TrainedStep, void, undefined> {
  const entry = await model.open(program);
  const called = needed(program, { steps, stepsPerEpoch });
  let rested = performance.now();
  // The rows that the states carried from batch to batch belong to: a call begins its sequences anew.
  let carriedRows = 0;
  for await (const inputs of batches) {
    signal?.throwIfAborted();
    model.alive();
    const batch = readBatch(model.spec.name, program.inputs, inputs);
    const step = entry.steps;
    model.ready(entry, batch);
    const rows = batch.sizes.get("B") ?? 0;
    const fresh = rows !== carriedRows;
    if (fresh) startStates(entry.program, batch, step === 0);
    const results = entry.program.run({
      ...called,
      ...{ batch, step, fresh, training: true, seed: deriveSeed(seed, "step", step) },
    });
    entry.steps++;
    carriedRows = rows;
    model.changed(entry);
    yield { loss: results.loss?.data[0] ?? Number.NaN, step: entry.steps };
    // Others on this thread get their turn, and a signal can come.
    if (performance.now() - rested > 20) {
      await new Promise((resolve) => setTimeout(resolve));
      rested = performance.now();
    }
  }
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
