import { join, resolve } from "node:path";
import { Command } from "commander";
import type { Modules } from "../check/modules.ts";
import { type Regime, readRegime } from "../check/regime.ts";
import { type Checkpoint, sourceHash } from "../runtime/checkpoint.ts";
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
  savePath,
} from "../runtime/saving.ts";
import { readModules } from "../runtime/source.ts";
import { firstWeights, type State } from "../runtime/state.ts";
import type { TargetName } from "../runtime/targets.ts";
import { AT_START, type Outcome, type Start, train } from "../runtime/train.ts";
import { readWeights, sizesFromWeights } from "../runtime/weights.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { chosenBlock } from "./block.ts";
import { openLog } from "./log-file.ts";
import { withSettings } from "./model-option.ts";
import { collect, memoryOption, SET_HELP, targetOption, threadsOption, wholeNumber } from "./options.ts";
import { addPassOptions } from "./pass-options.ts";
import { createProgress } from "./progress.ts";
import { startTarget, type TargetOptions } from "./start-target.ts";
import { print, talk } from "./terminal.ts";
import { trainEvents, watchSignals } from "./train-events.ts";

interface Options extends TargetOptions {
  readonly set?: readonly string[];
  readonly steps?: number;
  readonly seed?: number;
  readonly data?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly weights?: string;
  readonly log?: string;
  readonly saveEvery: number;
}

export function trainCommand(): Command {
  const command = new Command()
    .argument("<file>", "the .seq file")
    .argument("[name]", "the train block, where there are several")
    .option("--set <name=value>", SET_HELP, collect)
    .option("--steps <n>", "train so many steps, whatever the file says", wholeNumber(0))
    .option("--seed <n>", "draw and shuffle by this seed, whatever the file says", wholeNumber(0))
    .option("--data <path>", "read the training data from here, whatever the file says")
    .option("--out <folder>", "save here, whatever the file says")
    .option("--resume", "go on from the last state that was saved")
    .option("--weights <file>", "start from these weights: safetensors, a checkpoint or the folder of a run")
    .option("--log <file>", "write a JSON line for each step and evaluation (usually log.jsonl where the run is saved)")
    .option("--save-every <seconds>", "save the state at least so often", wholeNumber(0), 60)
    .addOption(targetOption())
    .addOption(threadsOption())
    .addOption(memoryOption())
    .action(action(trainFile));
  return addPassOptions(command);
}

async function trainFile(context: Context, file: string, name: string | undefined, options: Options): Promise<number> {
  const started = performance.now();
  const opened = await openTraining(context, file, name, options);
  if (opened === undefined) return EXIT.user;
  const { training, files, start } = opened;
  const { step } = start.standing.progress;
  const executor = await startTarget(options);
  const log = openLog(logPath(options, files), step);
  const view = createProgress(training.steps, step);
  const signals = watchSignals();
  try {
    talk(opening(training, start, options.target));
    const events = trainEvents({ training, files, log, view, signals, every: options.saveEvery });
    const outcome = await train(training, executor, start, events);
    view.stop();
    if (outcome.ended === "interrupted") {
      const how = files === undefined ? "" : `; --resume goes on from ${files.last}`;
      talk(`interrupted after ${outcome.progress.step} steps${how}`);
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

interface Opened {
  readonly training: Training;
  readonly start: Start;
  readonly files: RunFiles | undefined;
}

/** Reads the file, the checkpoint that is gone on from, and the data. */
async function openTraining(
  context: Context,
  file: string,
  name: string | undefined,
  options: Options,
): Promise<Opened | undefined> {
  const { report } = context;
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return undefined;
  const regime = regimeOf(context, modules, name, options);
  if (regime === undefined) return undefined;
  const folder = saveFolder(file, savePath(modules, regime.train), options.out);
  const files = folder === undefined ? undefined : runFiles(folder);
  const before = options.resume === true ? await openRun(resumedFile(files), regime.name) : undefined;
  if (before !== undefined && before.source !== sourceHash(modules.entry.text)) {
    talk(`note: ${file} has changed since ${files?.last} was saved`);
  }
  const seed = resumedSeed(options.seed, before);
  const prepared = { steps: options.steps, seed, vocabularies: before?.vocabularies };
  const training = await prepareTraining(modules, regime, prepared, report);
  return training && { training, files, start: await startOf(training, before, files, options) };
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
  if (before !== undefined && files !== undefined) {
    if (weights !== undefined) throw new DataError("--resume has weights of its own", { hint: "leave --weights out" });
    const { progress, best, stop, running } = before;
    return {
      state: checkpointState(files.last, before, training),
      standing: { progress, best, stop, running },
    };
  }
  const first = weights === undefined ? undefined : await readWeights(weights);
  if (first !== undefined) sizesFromWeights(training.weights, first, training.sizes, new Set(training.sizes.keys()));
  const state: State = {
    weights: first?.weights ?? firstWeights(training),
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
