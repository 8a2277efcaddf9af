import { setImmediate as turn } from "node:timers/promises";
import { deriveSeed } from "../ir/random.ts";
import { betterOf, type Watched } from "./best.ts";
import type { Best, Progress } from "./checkpoint.ts";
import { DataError } from "./data/error.ts";
import { createEvaluator, type Metrics } from "./evaluate.ts";
import type { Executor, HostArray, Results } from "./executor.ts";
import type { Feed } from "./feed.ts";
import { createLookahead } from "./lookahead.ts";
import { addToMean, EMPTY_MEAN, meanOf } from "./metrics.ts";
import type { Training } from "./prepare.ts";
import type { Standing } from "./saving.ts";
import type { State } from "./state.ts";
import { createStepper, type Stepper } from "./stepper.ts";

/** What happens while a run trains, for those who show, log and save. Each is awaited. */
export interface TrainEvents {
  /**
   * For each step, in order, when its loss is known: a device may be some steps ahead. `terms` are the objectives where there are several.
   */
  readonly step: (at: Progress, loss: number, terms: Metrics) => Promise<void>;
  /** After each evaluation: `loss`, the mean over the steps since the last, and `val.` reports. */
  readonly evaluated: (at: Progress, metrics: Metrics, best: Best | undefined) => Promise<void>;
  /** A state worth keeping; `best` where it is the best so far. */
  readonly keep: (state: State, standing: Standing, best: boolean) => Promise<void>;
  /** Asked after each step: whether to end now, and whether to keep the state now. */
  readonly wants: () => { readonly end: boolean; readonly keep: boolean };
}

export interface Outcome {
  readonly ended: "done" | "stalled" | "interrupted";
  readonly progress: Progress;
  readonly best: Best | undefined;
  /** Of the last evaluation. */
  readonly metrics: Metrics;
  readonly state: State;
  /** The weights of the best evaluation of this run. */
  readonly bestWeights: ReadonlyMap<string, HostArray> | undefined;
}

export interface Start {
  readonly state: State;
  readonly standing: Standing;
}

export const AT_START: Standing = {
  progress: { step: 0, epoch: 0, position: 0 },
  best: undefined,
  stop: undefined,
  running: EMPTY_MEAN,
};

/** Trains until the regime's end. What is drawn and shuffled depends on the seed and the place alone, so a run can go on anywhere. */
export async function train(
  training: Training,
  executor: Executor,
  start: Start,
  events: TrainEvents,
): Promise<Outcome> {
  const run = createRun(training, executor, start, events);
  // Of no steps at all: the weights that it starts with are measured and kept.
  if (start.standing.progress.step === 0 && isDone(training, start.standing.progress)) await run.evaluate();
  for (;;) {
    if (evaluationDue(training, run.standing())) await run.evaluate();
    if (isDone(training, run.standing().progress)) return run.finish("done");
    if (isStalled(training, run.standing())) return run.finish("stalled");
    await run.step();
    await turn();
    const { end, keep } = events.wants();
    if (end || keep) await run.settle();
    if (end || (keep && !evaluationDue(training, run.standing()))) await run.keep();
    if (end) return run.finish("interrupted");
  }
}

/** A run and what changes in it. */
interface Run {
  /** As of the last step that is known. */
  readonly standing: () => Standing;
  /** Starts a step; waits for it, and for those before it, where somebody is to know. */
  readonly step: () => Promise<void>;
  /** Waits for all steps that were started. */
  readonly settle: () => Promise<void>;
  readonly evaluate: () => Promise<void>;
  readonly keep: () => Promise<void>;
  readonly finish: (ended: Outcome["ended"]) => Promise<Outcome>;
}

function createRun(training: Training, executor: Executor, start: Start, events: TrainEvents): Run {
  const evaluator = createEvaluator(executor, training.reports, training.settings.seed);
  const stepper = createStepper({ ...training, rows: rowsOf(training) }, executor, start.state);
  const lookahead = createLookahead();
  let { standing } = start;
  let metrics: Metrics = new Map();
  let bestWeights: Outcome["bestWeights"];
  // Steps that were started, and when the first of them was.
  let started: readonly Progress[] = [];
  let since = 0;
  const settle = async (): Promise<void> => {
    const [steps, all] = [started, await stepper.results()];
    started = [];
    lookahead.took(steps.length, since, performance.now());
    for (const [index, at] of steps.entries()) {
      const { loss, terms } = lossOf(training, at, all[index]);
      const progress = next(at, training.feeds.train);
      standing = { ...standing, progress, running: addToMean(standing.running, loss) };
      await events.step(progress, loss, terms);
    }
  };
  return {
    standing: () => standing,
    settle,
    async step() {
      const last = started.at(-1);
      const at = last === undefined ? standing.progress : next(last, training.feeds.train);
      if (last === undefined) since = performance.now();
      await startStep(training, stepper, at);
      started = [...started, at];
      const isDue = lookahead.isDue(started.length, since, performance.now());
      if (isDue || !stepper.isAhead() || endsHere(training, next(at, training.feeds.train))) await settle();
    },
    async evaluate() {
      const now = await stepper.state();
      metrics = await measure(training, evaluator, now, standing);
      const before = standing.best;
      standing = standingAfter(training, standing, metrics);
      const improved = standing.best !== before;
      if (improved) bestWeights = now.weights;
      await events.evaluated(standing.progress, metrics, standing.best);
      await events.keep(now, standing, improved);
    },
    keep: async () => events.keep(await stepper.state(), standing, false),
    async finish(ended) {
      const last = await stepper.state();
      // A run that was at its end already has measured nothing yet.
      if (metrics.size === 0 && ended !== "interrupted") metrics = await measure(training, evaluator, last, standing);
      stepper.dispose();
      return { ended, progress: standing.progress, best: standing.best, metrics, state: last, bestWeights };
    },
  };
}

function rowsOf({ settings: { batch } }: Training): number | undefined {
  return batch.unit === "examples" ? batch.size : undefined;
}

async function startStep(training: Training, stepper: Stepper, at: Progress): Promise<void> {
  const { step, epoch, position } = at;
  const batch = training.feeds.train.batch(epoch, position);
  await stepper.start(at, batch, {
    training: true,
    seed: deriveSeed(training.settings.seed, "step", step),
    step,
    steps: training.steps,
    stepsPerEpoch: training.stepsPerEpoch,
    fresh: batch.fresh,
  });
}

/** What a step has given. Throws where its loss is no number. */
function lossOf(
  training: Training,
  { step, epoch }: Progress,
  results: Results = new Map(),
): { readonly loss: number; readonly terms: Metrics } {
  const loss = results.get("loss")?.data[0] ?? Number.NaN;
  if (!Number.isFinite(loss)) {
    throw new DataError(`the loss is ${loss} at step ${step + 1}, in epoch ${epoch + 1}`, {
      hint: "lower the learning rate, or clip: write clip norm(1.0)",
      span: training.regime.objectives[0]?.span,
    });
  }
  const terms = [...results].flatMap(([name, value]) =>
    name.startsWith("term.") ? [[name.slice("term.".length), value.data[0] ?? Number.NaN] as const] : [],
  );
  return { loss, terms: new Map(terms.length > 1 ? terms : []) };
}

function next({ step, epoch, position }: Progress, feed: Feed): Progress {
  if (position + 1 < feed.count(epoch)) return { step: step + 1, epoch, position: position + 1 };
  return { step: step + 1, epoch: epoch + 1, position: 0 };
}

function isDone({ settings: { duration } }: Training, { step, epoch }: Progress): boolean {
  return (duration.unit === "steps" ? step : epoch) >= duration.count;
}

/** Where steps were done since the last evaluation, and one ends here. */
function evaluationDue(training: Training, { progress, running }: Standing): boolean {
  return running.weight > 0 && endsHere(training, progress);
}

/** Whether there is an evaluation once so much is done: after every epoch, or every so many steps, and at the end. */
function endsHere(training: Training, progress: Progress): boolean {
  const { evaluateEvery } = training;
  if (evaluateEvery === undefined) return progress.position === 0;
  return progress.step % evaluateEvery === 0 || isDone(training, progress);
}

async function measure(
  training: Training,
  evaluator: ReturnType<typeof createEvaluator>,
  state: State,
  standing: Standing,
): Promise<Metrics> {
  const loss = meanOf(standing.running);
  const metrics = new Map(loss === undefined ? [] : [["loss", loss]]);
  const { val } = training.feeds;
  const measured =
    val === undefined
      ? new Map<string, number>()
      : await evaluator.measure(val, state.weights, turn, { ...training, step: standing.progress.step });
  for (const [name, value] of measured) metrics.set(`val.${name}`, value);
  return metrics;
}

function standingAfter({ best, stop }: Training, before: Standing, metrics: Metrics): Standing {
  const { progress } = before;
  const better = (watched: Watched | undefined, old: Best | undefined): Best | undefined => {
    const value = watched === undefined ? undefined : metrics.get(watched.name);
    return watched === undefined || value === undefined ? old : betterOf(old, watched, value, progress);
  };
  return { progress, running: EMPTY_MEAN, best: better(best, before.best), stop: better(stop, before.stop) };
}

function isStalled({ settings }: Training, { stop, progress, running }: Standing): boolean {
  if (settings.stop === undefined || stop === undefined || running.weight > 0) return false;
  const { patience, unit } = settings.stop;
  return (unit === "epochs" ? progress.epoch - stop.epoch : progress.step - stop.step) >= patience;
}
