import { type Batch, makeBatch } from "./data/batch.ts";
import type { Dataset } from "./data/dataset.ts";
import { type BatchRule, epochBatches } from "./data/epoch.ts";
import { streams } from "./data/stream.ts";
import type { Settings } from "./settings.ts";

/** The batches of a dataset, epoch by epoch: the same position of the same epoch is always the same batch. */
export interface Feed {
  readonly count: (epoch: number) => number;
  readonly batch: (epoch: number, position: number) => FedBatch;
}

export interface FedBatch extends Batch {
  /** With `bptt`: whether this chunk starts its sequences. */
  readonly fresh: boolean;
}

export interface FeedRule extends Pick<Settings, "batch" | "bptt" | "seed"> {
  /** By how much chunks overlap. */
  readonly overlap: number;
  readonly shuffle: boolean;
}

export function createFeed(dataset: Dataset, rule: FeedRule): Feed {
  return rule.bptt === undefined ? rowFeed(dataset, { ...rule.batch, ...rule }) : chunkFeed(dataset, rule, rule.bptt);
}

function rowFeed(dataset: Dataset, { size, unit, seed, shuffle }: BatchRule): Feed {
  let known: { readonly epoch: number; readonly batches: readonly Uint32Array[] } | undefined;
  const batches = (epoch: number): readonly Uint32Array[] => {
    // Nothing is shuffled where nothing is trained: then all epochs are alike.
    const which = shuffle ? epoch : 0;
    if (known?.epoch !== which)
      known = { epoch: which, batches: epochBatches(dataset, { size, unit, seed, shuffle }, which) };
    return known.batches;
  };
  return {
    count: (epoch) => batches(epoch).length,
    batch: (epoch, position) => {
      const rows = batches(epoch)[position];
      if (rows === undefined) throw new Error(`internal: epoch ${epoch} has no batch ${position}`);
      return { ...makeBatch(dataset, rows), fresh: true };
    },
  };
}

function chunkFeed(dataset: Dataset, { batch, overlap }: FeedRule, length: number): Feed {
  const cut = streams(dataset, { streams: batch.size, length, overlap });
  return { count: () => cut.count, batch: (_, position) => cut.chunk(position) };
}
