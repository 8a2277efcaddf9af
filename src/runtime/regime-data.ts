import { dirname, resolve } from "node:path";
import type { Program } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { deriveSeed } from "../ir/random.ts";
import { withLegalAbsent } from "./absent.ts";
import type { Dataset } from "./data/dataset.ts";
import { loadData } from "./data/load.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import { withEnds } from "./ends.ts";
import { createFeed, type Feed } from "./feed.ts";
import { checkLengths, expectedOf, sizesFromData } from "./fit.ts";
import type { Settings } from "./settings.ts";
import { unpairedFeed } from "./unpaired.ts";

/** The data of a regime, a dataset for each `data` line. */
export interface RegimeData {
  readonly train: readonly Dataset[];
  readonly val: readonly Dataset[] | undefined;
  readonly test: readonly Dataset[] | undefined;
  readonly vocabularies: ReadonlyMap<string, Vocabulary>;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Reads all data of a regime and finds the sizes that it gives; `probe` is the model before they are known. */
export async function loadRegimeData(
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
  return {
    train: loaded.train.map(finish),
    val: loaded.val?.map(finish),
    test: loaded.test?.map(finish),
    vocabularies: loaded.vocabularies,
    sizes: sizesFromData(probe.inputs, loaded.train, loaded.vocabularies, probe.sizes),
  };
}

export interface Feeds {
  readonly train: Feed;
  /** The training data in order, for measuring. */
  readonly trained: Feed;
  readonly val: Feed | undefined;
  readonly test: Feed | undefined;
}

/** The batches of a regime's data. */
export function createFeeds(data: RegimeData, settings: Settings, overlap: number): Feeds {
  const feed = (datasets: readonly Dataset[] | undefined, shuffle: boolean): Feed | undefined => {
    const [first, ...others] = (datasets ?? []).map((dataset, line) => {
      // Lines that shuffled alike would be paired after all.
      const seed = line === 0 ? settings.seed : deriveSeed(settings.seed, "data line", line);
      return createFeed(dataset, { ...settings, seed, overlap, shuffle });
    });
    return first === undefined ? undefined : unpairedFeed([first, ...others]);
  };
  const [train, trained] = [feed(data.train, true), feed(data.train, false)];
  if (train === undefined || trained === undefined) throw new Error("internal: a regime without data");
  return { train, trained, val: feed(data.val, false), test: feed(data.test, false) };
}
