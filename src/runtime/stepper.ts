import type { Program } from "../build/program.ts";
import type { Turn } from "../build/training.ts";
import { type Bindable, batchSizes, bindBatch, type Moment } from "./bind.ts";
import type { Progress } from "./checkpoint.ts";
import type { Executor, Prepared } from "./executor.ts";
import { turnKey } from "./frozen.ts";
import { readState, type State, writeState } from "./state.ts";

/** What the steps of a training need to be compiled and chosen. */
export interface Steps {
  /** Which weights and players rest at a point of the training. */
  readonly turn: (at: Progress) => Turn;
  readonly step: (turn: Turn) => Program;
  /** How many examples a batch has by what the regime says, whatever this one has: a run that goes on elsewhere must give the same numbers. */
  readonly rows: number | undefined;
}

/** Takes training steps one after another; the state stays on the target while the same weights are trained. */
export interface Stepper {
  /** The results of one step that are not fed back: the loss and its terms. */
  run(at: Progress, batch: Bindable, moment: Moment): Promise<Awaited<ReturnType<Prepared["run"]>>>;
  state(): Promise<State>;
  dispose(): void;
}

interface Stage {
  readonly program: Program;
  readonly prepared: Prepared;
}

/** A program is made for each set of weights that is trained, and kept: players that play every few steps come back. */
export function createStepper(steps: Steps, executor: Executor, first: State): Stepper {
  const stages = new Map<string, Stage>();
  let current: Stage | undefined;
  let before = first;
  const state = async (): Promise<State> => {
    if (current !== undefined) before = await readState(current.program, current.prepared, before);
    return before;
  };
  const enter = async (at: Progress, batch: Bindable): Promise<Stage> => {
    const turn = steps.turn(at);
    const key = turnKey(turn);
    const known = stages.get(key);
    if (known !== undefined && known === current) return known;
    const now = await state();
    const program = known?.program ?? steps.step(turn);
    const stage = known ?? { program, prepared: executor.prepare(program, steps.rows) };
    stages.set(key, stage);
    writeState(program, stage.prepared, now, batchSizes(program, batch).sizes);
    current = stage;
    return stage;
  };
  return {
    async run(at, batch, moment) {
      const { program, prepared } = await enter(at, batch);
      const bound = bindBatch(program, batch, moment);
      return prepared.run(bound.inputs, bound.sizes);
    },
    state,
    dispose() {
      for (const { prepared } of stages.values()) prepared.dispose();
      stages.clear();
    },
  };
}
