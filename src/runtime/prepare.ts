import { dirname, resolve } from "node:path";
import type { Report } from "../base/diagnostic.ts";
import type { InputSpec, Program } from "../build/program.ts";
import type { Reports } from "../build/reports.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import {
  compileForward,
  compileReports,
  compileStep,
  cuttingOf,
  type Job,
  modelRequest,
  openForLoss,
} from "../compile/program.ts";
import { absentColumns, withLegalAbsent } from "./absent.ts";
import { findWatched, type Watched, watchable } from "./best.ts";
import type { Dataset } from "./data/dataset.ts";
import { loadData } from "./data/load.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import { withEnds } from "./ends.ts";
import { createFeed, type Feed } from "./feed.ts";
import { checkLengths, expectedOf, isDense, sizesFromData } from "./fit.ts";
import { type Freeze, frozenAt, readFreezes } from "./frozen.ts";
import { type Overrides, readSettings, type Settings } from "./settings.ts";

/** A regime with its data read and its sizes known: all that training needs but a target. */
export interface Training {
  readonly modules: Modules;
  readonly regime: Regime;
  readonly settings: Settings;
  readonly inputs: readonly InputSpec[];
  readonly vocabularies: ReadonlyMap<string, Vocabulary>;
  readonly sizes: ReadonlyMap<string, number>;
  readonly feeds: Feeds;
  readonly freezes: readonly Freeze[];
  readonly stop: Watched | undefined;
  readonly best: Watched | undefined;
  /** In one epoch, by the first. */
  readonly stepsPerEpoch: number;
  /** In all. */
  readonly steps: number;
  /** After how many steps a run that counts steps is measured; undefined for one that counts epochs: after each. */
  readonly evaluateEvery: number | undefined;
  /** The training step in which these weights stay as they are. */
  readonly step: (frozen: ReadonlySet<string>) => Program;
  readonly reports: Reports;
}

export interface Feeds {
  readonly train: Feed;
  /** The training data in order, for measuring. */
  readonly trained: Feed;
  readonly val: Feed | undefined;
  readonly test: Feed | undefined;
}

export interface PrepareOptions extends Overrides {
  /** Vocabularies of the checkpoint that a run goes on from. */
  readonly vocabularies?: ReadonlyMap<string, Vocabulary> | undefined;
}

/** Reads a regime's data and finds every size. Mistakes of the file are reported, wrong data is a `DataError`. */
export async function prepareTraining(
  modules: Modules,
  regime: Regime,
  options: PrepareOptions,
  report: Report,
): Promise<Training | undefined> {
  const settings = readSettings(regime, options, report);
  const watched = readWatched(regime, settings, report);
  const probe = report.hasErrors
    ? undefined
    : compileForward({ modules, sizes: new Map(), dense: false, report }, regime.model, FORWARD, regime);
  const freezes = readFreezes(regime, probe?.weights.map(({ name }) => name) ?? [], report);
  if (settings === undefined || probe === undefined || report.hasErrors) return undefined;
  const loaded = await loadRegimeData(modules, regime, probe, settings, options.vocabularies);
  const job: Job = { modules, sizes: loaded.sizes, dense: false, report };
  const request = modelRequest(job, regime.model);
  if (request === undefined) return undefined;
  const { overlap } = cuttingOf(openForLoss(request));
  const feeds = createFeeds(loaded, settings, overlap);
  const chunked = settings.bptt !== undefined;
  const all = [loaded.train, ...[loaded.val ?? [], loaded.test ?? []].flat()];
  const jobOf = (datasets: readonly Dataset[]): Job => ({
    ...job,
    dense: chunked || isDense(datasets),
    absent: absentColumns(datasets),
  });
  const step = stepCompiler(jobOf([loaded.train]), regime);
  // Every mistake is found before the first step: at the start, and once all is trained that ever will be.
  const compiled = [START, END].every((at) => step(frozenAt(freezes, at)) !== undefined);
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
    freezes,
    ...watched,
    stepsPerEpoch,
    steps: unit === "steps" ? count : count * stepsPerEpoch,
    evaluateEvery: unit === "steps" ? evaluationInterval(count, feeds.val) : undefined,
    step: (frozen) => step(frozen) ?? failed(report),
    reports,
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
function stepCompiler(job: Job, regime: Regime): (frozen: ReadonlySet<string>) => Program | undefined {
  const known = new Map<string, Program>();
  return (frozen) => {
    const key = [...frozen].sort().join();
    const before = known.get(key) ?? compileStep(job, regime, frozen);
    if (before !== undefined) known.set(key, before);
    return before;
  };
}

interface RegimeData {
  readonly train: Dataset;
  readonly val: readonly Dataset[] | undefined;
  readonly test: readonly Dataset[] | undefined;
  readonly vocabularies: ReadonlyMap<string, Vocabulary>;
  readonly sizes: ReadonlyMap<string, number>;
}

async function loadRegimeData(
  modules: Modules,
  regime: Regime,
  probe: Program,
  settings: Settings,
  vocabularies: ReadonlyMap<string, Vocabulary> | undefined,
): Promise<RegimeData> {
  const expected = probe.inputs.map((spec) => expectedOf(spec, probe.sizes));
  const splits = [regime.val, regime.test].filter((clause) => clause !== undefined);
  const folder = dirname(resolve(modules.entry.file));
  const loaded = await loadData(regime.data, splits, expected, { folder, seed: settings.seed, vocabularies });
  const finish = (dataset: Dataset): Dataset => {
    const ended = withLegalAbsent(withEnds(dataset, probe.inputs), probe.inputs);
    checkLengths(probe.inputs, ended);
    return ended;
  };
  const [train] = loaded.train.map(finish);
  if (train === undefined) throw new Error("internal: a regime without data");
  return {
    train,
    val: loaded.val?.map(finish),
    test: loaded.test?.map(finish),
    vocabularies: loaded.vocabularies,
    sizes: sizesFromData(probe.inputs, loaded.train, loaded.vocabularies, probe.sizes),
  };
}

function createFeeds(data: RegimeData, settings: Settings, overlap: number): Feeds {
  const feed = (dataset: Dataset | undefined, shuffle: boolean): Feed | undefined =>
    dataset === undefined ? undefined : createFeed(dataset, { ...settings, overlap, shuffle });
  return {
    train: createFeed(data.train, { ...settings, overlap, shuffle: true }),
    trained: createFeed(data.train, { ...settings, overlap, shuffle: false }),
    val: feed(data.val?.[0], false),
    test: feed(data.test?.[0], false),
  };
}
