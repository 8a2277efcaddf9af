import type { Program } from "../../src/build/program.ts";
import { deriveSeed } from "../../src/ir/random.ts";
import { type Bindable, bindBatch } from "../../src/runtime/bind.ts";
import type { Executor, Prepared } from "../../src/runtime/executor.ts";
import { initialWeights, writeState } from "../../src/runtime/state.ts";

/** A training step's program where it runs, with everything to run it again. */
export interface Trainee {
  readonly prepared: Prepared;
  /** The losses of the next steps, all on the same batch. */
  readonly losses: (steps: number) => Promise<readonly number[]>;
}

/** Begins a training with first weights by a seed. The caller disposes what is prepared. */
export function beginTraining(executor: Executor, program: Program, batch: Bindable, seed: number): Trainee {
  const prepared = executor.prepare(program, batch.size);
  let done = 0;
  const moment = () => ({
    seed: deriveSeed(seed, "step", done),
    training: true,
    step: done,
    steps: 100,
    stepsPerEpoch: 10,
    fresh: done === 0,
  });
  const state = { weights: initialWeights(program, seed), slots: new Map(), carries: new Map() };
  writeState(program, prepared, state, bindBatch(program, batch, moment()).sizes);
  const losses = async (steps: number): Promise<readonly number[]> => {
    const found: number[] = [];
    for (const end = done + steps; done < end; done++) {
      const { inputs, sizes } = bindBatch(program, batch, moment());
      const results = await prepared.run(inputs, sizes);
      found.push(results.get("loss")?.data[0] ?? Number.NaN);
    }
    return found;
  };
  return { prepared, losses };
}
