import { join, resolve } from "node:path";
import { Command } from "commander";
import type { Modules } from "../check/modules.ts";
import { type Regime, readRegime } from "../check/regime.ts";
import type { Checkpoint, Progress } from "../runtime/checkpoint.ts";
import { DataError } from "../runtime/data/error.ts";
import { withDataPath } from "../runtime/data-override.ts";
import type { Metrics } from "../runtime/evaluate.ts";
import { finalMetrics } from "../runtime/final.ts";
import { prepareTraining, type Training } from "../runtime/prepare.ts";
import {
  bestWeights,
  checkpointState,
  openRun,
  type RunFiles,
  runFiles,
  saveFolder,
  saveRun,
} from "../runtime/saving.ts";
import { readModules } from "../runtime/source.ts";
import { initialWeights, type State } from "../runtime/state.ts";
import { TARGETS, type TargetName } from "../runtime/targets.ts";
import { AT_START, type Outcome, type Start, type TrainEvents, train } from "../runtime/train.ts";
import { readWeights, sizesFromWeights } from "../runtime/weights.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { chosenBlock } from "./block.ts";
import { type LogFile, openLog } from "./log-file.ts";
import { withSettings } from "./model-option.ts";
import { collect, SET_HELP, targetOption, wholeNumber } from "./options.ts";
import { createProgress, lossText, type ProgressView } from "./progress.ts";
import { print, talk } from "./terminal.ts";

interface Options {
  readonly set?: readonly string[];
  readonly steps?: number;
  readonly seed?: number;
  readonly data?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly weights?: string;
  readonly log?: string;
  readonly saveEvery: number;
  readonly target: TargetName;
}

export function trainCommand(): Command {
  return new Command()
    .argument("<file>", "the .seq file")
    .argument("[name]", "the train block, where there are several")
    .option("--set <name=value>", SET_HELP, collect)
    .option("--steps <n>", "train so many steps, whatever the file says", wholeNumber(1))
    .option("--seed <n>", "draw and shuffle by this seed, whatever the file says", wholeNumber(0))
    .option("--data <path>", "read the training data from here, whatever the file says")
    .option("--out <folder>", "save here, whatever the file says")
    .option("--resume", "go on from the last state that was saved")
    .option("--weights <file>", "start from these weights: safetensors, a checkpoint or the folder of a run")
    .option("--log <file>", "write a JSON line for each step and evaluation (usually log.jsonl where the run is saved)")
    .option("--save-every <seconds>", "save the state at least so often", wholeNumber(0), 60)
    .addOption(targetOption())
    .action(action(trainFile));
}

async function trainFile(context: Context, file: string, name: string | undefined, options: Options): Promise<number> {
  const { report } = context;
  const started = performance.now();
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return EXIT.user;
  const regime = regimeOf(context, modules, name, options);
  if (regime === undefined) return EXIT.user;
  const folder = saveFolder(file, regime.save?.to.value, options.out);
  const files = folder === undefined ? undefined : runFiles(folder);
  const before = options.resume === true ? await openRun(resumedFile(files), regime.name) : undefined;
  const seed = resumedSeed(options.seed, before);
  const prepared = { steps: options.steps, seed, vocabularies: before?.vocabularies };
  const training = await prepareTraining(modules, regime, prepared, report);
  if (training === undefined) return EXIT.user;
  const start = await startOf(training, before, files, options);
  const executor = await TARGETS[options.target].start();
  const log = openLog(logPath(options, files), before !== undefined);
  const view = createProgress(training.steps, start.standing.progress.step);
  const signals = watchSignals();
  try {
    talk(opening(training, start, options.target));
    const outcome = await train(
      training,
      executor,
      start,
      events({ training, files, log, view, signals, every: options.saveEvery }),
    );
    view.stop();
    if (outcome.ended === "interrupted") {
      talk(
        `interrupted after ${outcome.progress.step} steps${files === undefined ? "" : `; --resume goes on from ${files.last}`}`,
      );
      return EXIT.interrupted;
    }
    const final = await measured(training, executor, outcome, files);
    const result = resultOf(training, outcome, final, files, (performance.now() - started) / 1000);
    log.write({ result });
    print(JSON.stringify(result));
    return EXIT.fine;
  } finally {
    view.stop();
    signals.stop();
    log.close();
  }
}

function regimeOf(context: Context, modules: Modules, name: string | undefined, options: Options): Regime | undefined {
  const { report } = context;
  const declared = readRegime(chosenBlock(modules, "train", name), report);
  const model = withSettings(context, modules, declared.model, options.set ?? []);
  if (model === undefined || report.hasErrors) return undefined;
  const regime = { ...declared, model };
  const read = options.data === undefined ? regime : withDataPath(regime, options.data, report);
  return report.hasErrors ? undefined : read;
}

function resumedFile(files: RunFiles | undefined): string {
  if (files !== undefined) return files.last;
  throw new DataError("there is nothing to resume from: the regime saves nothing", {
    hint: 'write save to "runs/name" into it, or give --out',
  });
}

function resumedSeed(wanted: number | undefined, before: Checkpoint | undefined): number | undefined {
  if (before === undefined || wanted === undefined || wanted === before.seed) return before?.seed ?? wanted;
  throw new DataError(`the run that is resumed has seed ${before.seed}, not ${wanted}`, { hint: "leave --seed out" });
}

function logPath({ log }: Options, files: RunFiles | undefined): string | undefined {
  if (log !== undefined) return resolve(log);
  return files === undefined ? undefined : join(files.folder, "log.jsonl");
}

async function startOf(
  training: Training,
  before: Checkpoint | undefined,
  files: RunFiles | undefined,
  { weights }: Options,
): Promise<Start> {
  const program = training.step(new Set());
  if (before !== undefined && files !== undefined) {
    if (weights !== undefined) throw new DataError("--resume has weights of its own", { hint: "leave --weights out" });
    const { progress, best, stop, running } = before;
    return {
      state: checkpointState(files.last, before, training, program.weights),
      standing: { progress, best, stop, running },
    };
  }
  const first = weights === undefined ? undefined : await readWeights(weights);
  if (first !== undefined) sizesFromWeights(program.weights, first, training.sizes, new Set(training.sizes.keys()));
  const state: State = {
    weights: first?.weights ?? initialWeights({ ...program, sizes: training.sizes }, training.settings.seed),
    slots: new Map(),
    carries: new Map(),
  };
  return { state, standing: AT_START };
}

function opening(training: Training, { state, standing }: Start, target: TargetName): string {
  const count = [...state.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  const from = standing.progress.step === 0 ? "" : `, from step ${standing.progress.step} on`;
  return `training ${training.regime.name}: ${count.toLocaleString("en")} parameters, ${training.steps} steps of ${training.stepsPerEpoch} an epoch, on ${target}${from}`;
}

interface Signals {
  readonly interrupted: () => boolean;
  readonly stop: () => void;
}

/** The first interrupt ends the run in order, a second at once. */
function watchSignals(): Signals {
  let count = 0;
  const listener = (): void => {
    if (count++ > 0) process.exit(EXIT.interrupted);
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return {
    interrupted: () => count > 0,
    stop: () => {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    },
  };
}

interface Run {
  readonly training: Training;
  readonly files: RunFiles | undefined;
  readonly log: LogFile;
  readonly view: ProgressView;
  readonly signals: Signals;
  /** Seconds between saves. */
  readonly every: number;
}

function events({ training, files, log, view, signals, every }: Run): TrainEvents {
  let saved = performance.now();
  return {
    async step(at, loss, terms) {
      log.write({ ...placeOf(at), loss, ...Object.fromEntries(terms) });
      view.step(at.step, loss);
    },
    async evaluated(at, metrics, best) {
      const marker = best?.step === at.step ? "  (best)" : "";
      log.write({ ...placeOf(at), evaluation: Object.fromEntries(metrics) });
      view.line(`epoch ${at.epoch}  step ${at.step}  ${metricsText(metrics)}${marker}`);
    },
    async keep(state, standing, isBest) {
      if (files === undefined) return;
      // The best first: what can be resumed never knows of a best that is not there.
      if (isBest) await saveRun(files.best, training, { ...state, slots: new Map(), carries: new Map() }, standing);
      await saveRun(files.last, training, state, standing);
      saved = performance.now();
    },
    wants: () => ({
      end: signals.interrupted(),
      keep: files !== undefined && performance.now() - saved >= every * 1000,
    }),
  };
}

function placeOf({ step, epoch, position }: Progress): Readonly<Record<string, number>> {
  // The step just done belongs to the epoch that it ended.
  return { step, epoch: position === 0 ? epoch : epoch + 1 };
}

function metricsText(metrics: Metrics): string {
  return [...metrics].map(([name, value]) => `${name} ${lossText(value)}`).join("  ");
}

async function measured(
  training: Training,
  executor: Parameters<typeof finalMetrics>[1],
  outcome: Outcome,
  files: RunFiles | undefined,
): Promise<Metrics> {
  const best = training.best === undefined ? undefined : await bestWeights(files?.best, outcome.bestWeights);
  return finalMetrics(training, executor, best ?? outcome.state.weights);
}

function resultOf(
  training: Training,
  outcome: Outcome,
  final: Metrics,
  files: RunFiles | undefined,
  seconds: number,
): Readonly<Record<string, unknown>> {
  if (files === undefined) talk('nothing is saved: write save to "runs/name" into the regime, or give --out');
  const { progress, best } = outcome;
  return {
    regime: training.regime.name,
    ended: outcome.ended,
    steps: progress.step,
    epochs: progress.epoch,
    ...Object.fromEntries([...outcome.metrics, ...final]),
    ...(training.best === undefined || best === undefined ? {} : { best }),
    ...(files === undefined ? {} : { saved: files.folder }),
    seconds: Math.round(seconds * 100) / 100,
  };
}
