import type { Report } from "../base/diagnostic.ts";
import { type Copy, readCopies } from "../build/copies.ts";
import type { InputSpec, Program, WeightSpec } from "../build/program.ts";
import type { Reports } from "../build/reports.ts";
import type { Turn } from "../build/training.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { checkRegimeLoads } from "../compile/check-loads.ts";
import {
  compileForward,
  compileReports,
  compileStep,
  cuttingOf,
  type Job,
  modelRequest,
  openForLoss,
} from "../compile/program.ts";
import { absentColumns } from "./absent.ts";
import { findWatched, type Watched, watchable } from "./best.ts";
import type { Progress } from "./checkpoint.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import type { HostArray } from "./executor.ts";
import type { Feed } from "./feed.ts";
import { isDense } from "./fit.ts";
import { type Freeze, frozenAt, readFreezes, restingAt, turnKey } from "./frozen.ts";
import { largestBatch } from "./largest.ts";
import { loadedVocabularies, loadedWeights, readSources } from "./load-weights.ts";
import { createFeeds, type Feeds, loadRegimeData, type RegimeData } from "./regime-data.ts";
import { type Overrides, readSettings, type Settings } from "./settings.ts";
import type { WeightFile } from "./weights.ts";

/** A regime with its data read and its sizes known: all that training needs but a target. */
export interface Training {
  readonly modules: Modules;
  readonly regime: Regime;
  readonly settings: Settings;
  readonly inputs: readonly InputSpec[];
  readonly vocabularies: ReadonlyMap<string, Vocabulary>;
  readonly sizes: ReadonlyMap<string, number>;
  readonly feeds: Feeds;
  /** `B` and the times of the largest batch. */
  readonly largest: ReadonlyMap<string, number>;
  readonly freezes: readonly Freeze[];
  readonly copies: readonly Copy[];
  readonly stop: Watched | undefined;
  readonly best: Watched | undefined;
  /** In one epoch, by the first. */
  readonly stepsPerEpoch: number;
  /** In all. */
  readonly steps: number;
  readonly weights: readonly WeightSpec[];
  /** After how many steps a run that counts steps is measured; undefined for one that counts epochs: after each. */
  readonly evaluateEvery: number | undefined;
  /** What rests at a point of the training. */
  readonly turn: (at: Progress) => Turn;
  /** The training step in which that rests. */
  readonly step: (turn: Turn) => Program;
  readonly reports: Reports;
  /** The weights that `load` clauses give. */
  readonly loaded: ReadonlyMap<string, HostArray>;
}

export interface PrepareOptions extends Overrides {
  /** Vocabularies of the checkpoint that a run goes on from. */
  readonly vocabularies?: ReadonlyMap<string, Vocabulary> | undefined;
  /** Weights of earlier regimes by name, which `load` then takes in place of what they have saved. */
  readonly earlier?: ReadonlyMap<string, WeightFile> | undefined;
}

/** Reads a regime's data and finds every size. Mistakes of the file are reported, wrong data is a `DataError`. */
export async function prepareTraining(
  modules: Modules,
  regime: Regime,
  options: PrepareOptions,
  report: Report,
): Promise<Training | undefined> {
  const read = await readTraining(modules, regime, options, report);
  return read && compileTraining(modules, regime, read, report);
}

/** A regime with its data, before anything is compiled for that. */
interface ReadRegime {
  readonly settings: Settings;
  readonly watched: ReturnType<typeof readWatched>;
  /** The model as it is without data. */
  readonly probe: Program;
  readonly freezes: readonly Freeze[];
  readonly copies: readonly Copy[];
  readonly sources: Awaited<ReturnType<typeof readSources>>;
  readonly data: RegimeData;
}

/** The first half of `prepareTraining`: enough to know what sizes the data gives. */
export async function readTraining(
  modules: Modules,
  regime: Regime,
  options: PrepareOptions,
  report: Report,
): Promise<ReadRegime | undefined> {
  const settings = readSettings(regime, options, report);
  const watched = readWatched(regime, settings, report);
  const probe = report.hasErrors
    ? undefined
    : compileForward({ modules, sizes: new Map(), dense: false, report }, regime.model, FORWARD, regime);
  const freezes = readFreezes(regime, probe?.weights.map(({ name }) => name) ?? [], report);
  const copies = readCopies(regime, probe?.weights ?? [], report);
  if (settings === undefined || probe === undefined || report.hasErrors) return undefined;
  checkRegimeLoads({ modules, sizes: new Map(), dense: false, report }, regime);
  if (report.hasErrors) return undefined;
  const sources = options.vocabularies === undefined ? await readSources(modules, regime, options.earlier) : [];
  const vocabularies = options.vocabularies ?? loadedVocabularies(sources, probe.weights);
  const data = await loadRegimeData(modules, regime, probe, settings, vocabularies);
  return { settings, watched, probe, freezes, copies, sources, data };
}

function compileTraining(
  modules: Modules,
  regime: Regime,
  { settings, watched, probe, freezes, copies, sources, data: loaded }: ReadRegime,
  report: Report,
): Training | undefined {
  const job: Job = { modules, sizes: loaded.sizes, dense: false, report };
  const request = modelRequest(job, regime.model);
  if (request === undefined) return undefined;
  const { overlap } = cuttingOf(openForLoss(request));
  const feeds = createFeeds(loaded, settings, overlap);
  const chunked = settings.bptt !== undefined;
  const all = [loaded.train, loaded.val ?? [], loaded.test ?? []].flat();
  const jobOf = (datasets: readonly Dataset[]): Job => ({
    ...job,
    dense: chunked || isDense(datasets),
    absent: absentColumns(datasets),
  });
  const step = stepCompiler(jobOf(loaded.train), regime);
  // Every mistake is found before the first step: at the start, and once all is trained that ever will be.
  const compiled = [START, END].every(
    (at) => step({ frozen: frozenAt(freezes, at), resting: new Set() }) !== undefined,
  );
  const reports = compiled ? compileReports(jobOf(all), regime) : undefined;
  if (reports === undefined || report.hasErrors) return undefined;
  const stepsPerEpoch = feeds.train.count(0);
  const { count, unit } = settings.duration;
  return {
    modules,
    regime,
    settings,
    inputs: probe.inputs,
    vocabularies: loaded.vocabularies,
    sizes: loaded.sizes,
    feeds,
    largest: largestBatch(probe.inputs, loaded.train, feeds.train, settings),
    freezes,
    copies,
    ...watched,
    stepsPerEpoch,
    weights: probe.weights,
    steps: unit === "steps" ? count : count * stepsPerEpoch,
    evaluateEvery: unit === "steps" ? evaluationInterval(count, feeds.val) : undefined,
    turn: (at) => ({ frozen: frozenAt(freezes, at), resting: restingAt(regime.players, at) }),
    step: (turn) => step(turn) ?? failed(report),
    reports,
    loaded: loadedWeights(sources, probe.weights, loaded.sizes),
  };
}

/** A run is measured about ten times, less often where that would take longer than training. */
function evaluationInterval(steps: number, val: Feed | undefined): number {
  return Math.max(Math.ceil(steps / 10), Math.ceil((val?.count(0) ?? 0) / 2));
}

const START = { step: 0, epoch: 0, position: 0 };
const END = { step: Number.POSITIVE_INFINITY, epoch: Number.POSITIVE_INFINITY, position: 0 };
const FORWARD = { values: [], gradients: false } as const;

function failed(report: Report): never {
  throw new Error(`internal: the training step does not compile: ${report.diagnostics.at(-1)?.message}`);
}

function readWatched(
  regime: Regime,
  settings: Settings | undefined,
  report: Report,
): { readonly stop: Watched | undefined; readonly best: Watched | undefined } {
  const find = (text: string | undefined, clause: { readonly span: Regime["train"]["span"] } | undefined) => {
    if (text === undefined || clause === undefined) return undefined;
    const watched = findWatched(text, regime);
    if (watched === undefined) {
      report.add("unknown-name", clause.span, `${regime.name} does not measure ${text}`, {
        hint: `it measures ${watchable(regime).join(", ")}`,
      });
    }
    return watched;
  };
  return {
    stop: find(settings?.stop?.metric, regime.stop?.metric),
    best: find(settings?.save?.best, regime.save?.best),
  };
}

/** Compiled steps are kept by what is frozen in them. */
function stepCompiler(job: Job, regime: Regime): (turn: Turn) => Program | undefined {
  const known = new Map<string, Program>();
  return ({ frozen, resting }) => {
    const key = turnKey({ frozen, resting });
    const before = known.get(key) ?? compileStep(job, regime, frozen, resting);
    if (before !== undefined) known.set(key, before);
    return before;
  };
}
