import type { Copy } from "../build/copies.ts";
import type { Program } from "../build/program.ts";
import type { Turn } from "../build/training.ts";
import { type Bindable, batchSizes, bindBatch, type Moment } from "./bind.ts";
import type { Progress } from "./checkpoint.ts";
import type { Executor, Prepared, Results } from "./executor.ts";
import { turnKey } from "./frozen.ts";
import { readState, type State, writeState } from "./state.ts";

/** What the steps of a training need to be compiled and chosen. */
export interface Steps {
  /** Which weights and players rest at a point of the training. */
  readonly turn: (at: Progress) => Turn;
  readonly step: (turn: Turn) => Program;
  readonly copies: readonly Copy[];
  /** How many examples a batch has by what the regime says, whatever this one has: a run that goes on elsewhere must give the same numbers. */
  readonly rows: number | undefined;
}

/** Takes training steps one after another; the state stays on the target while the same weights are trained. */
export interface Stepper {
  /** Starts a step. Where a device computes by itself, it may not be done yet. */
  start(at: Progress, batch: Bindable, moment: Moment): Promise<void>;
  /** Of all steps that were started since the last asking, in order, the results that are not fed back: the loss and its terms. */
  results(): Promise<readonly Results[]>;
  /** Whether asking for results makes a device wait. */
  isAhead(): boolean;
  state(): Promise<State>;
  dispose(): void;
}

interface Stage {
  readonly program: Program;
  readonly prepared: Prepared;
}

function isDue({ every, unit }: Copy, { step, epoch, position }: Progress): boolean {
  return unit === "steps" ? step % every === 0 : position === 0 && epoch % every === 0;
}

/** A state in which parts have the weights of others. */
function copied(state: State, copies: readonly Copy[]): State {
  const weights = new Map(state.weights);
  for (const { pairs } of copies) {
    for (const [from, to] of pairs) {
      const value = weights.get(from);
      if (value !== undefined) weights.set(to, { shape: value.shape, data: value.data.slice() });
    }
  }
  return { ...state, weights };
}

/** A program is made for each set of weights that is trained, and kept: players that play every few steps come back. */
export function createStepper(steps: Steps, executor: Executor, first: State): Stepper {
  const stages = new Map<string, Stage>();
  let current: Stage | undefined;
  let before = first;
  const done: Results[] = [];
  const settle = async (): Promise<void> => {
    if (current?.prepared.queue !== undefined) done.push(...(await current.prepared.queue.drain()));
  };
  const state = async (): Promise<State> => {
    if (current !== undefined) before = await readState(current.program, current.prepared, before);
    return before;
  };
  const enter = async (at: Progress, batch: Bindable): Promise<Stage> => {
    const turn = steps.turn(at);
    const key = turnKey(turn);
    const known = stages.get(key);
    if (known !== undefined && known === current) return known;
    await settle();
    const now = await state();
    const program = known?.program ?? steps.step(turn);
    const stage = known ?? { program, prepared: executor.prepare(program, steps.rows) };
    stages.set(key, stage);
    writeState(program, stage.prepared, now, batchSizes(program, batch).sizes);
    current = stage;
    return stage;
  };
  return {
    async start(at, batch, moment) {
      const due = steps.copies.filter((copy) => isDue(copy, at));
      if (due.length > 0) {
        await settle();
        before = copied(await state(), due);
        current = undefined;
      }
      const { program, prepared } = await enter(at, batch);
      const { inputs, sizes } = bindBatch(program, batch, moment);
      if (prepared.queue === undefined) done.push(await prepared.run(inputs, sizes));
      else await prepared.queue.enqueue(inputs, sizes);
    },
    async results() {
      await settle();
      return done.splice(0);
    },
    isAhead: () => current?.prepared.queue !== undefined,
    state,
    dispose() {
      for (const { prepared } of stages.values()) prepared.dispose();
      stages.clear();
    },
  };
}
