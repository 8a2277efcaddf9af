import type { BatchColumn } from "./data/batch.ts";
import type { FedBatch, Feed } from "./feed.ts";

/**
 * Feeds of separate `data` lines as one: each shuffles by itself, so that what comes together in a batch is no pair. The first says
 * how long an epoch is; the others go on, and begin again where they end. A batch is as large as the smallest of them.
 */
export function unpairedFeed(feeds: readonly [Feed, ...Feed[]]): Feed {
  const [first, ...others] = feeds;
  if (others.length === 0) return first;
  return {
    count: first.count,
    batch: (epoch, position) => {
      const done = epoch * first.count(0) + position;
      const batches = [first.batch(epoch, position), ...others.map((feed) => batchAt(feed, done))];
      const size = Math.min(...batches.map((batch) => batch.size));
      const columns = batches.flatMap((batch) =>
        [...batch.columns].map(([name, column]) => [name, cut(column, size)] as const),
      );
      return { size, columns: new Map(columns), fresh: true };
    },
  };
}

/** A feed's batch after so many. */
function batchAt(feed: Feed, done: number): FedBatch {
  const epoch = Math.floor(done / feed.count(0));
  return feed.batch(epoch, (done % feed.count(0)) % feed.count(epoch));
}

/** Its first rows. */
function cut(column: BatchColumn, size: number): BatchColumn {
  const [rows = 0, ...rest] = column.shape;
  if (rows === size) return column;
  const count = (column.data.length / rows) * size;
  const layout = {
    shape: [size, ...rest],
    lengths: column.lengths?.subarray(0, size),
    present: column.present?.subarray(0, size),
  };
  switch (column.kind) {
    case "float":
      return { ...column, ...layout, data: column.data.subarray(0, count) };
    case "int":
      return { ...column, ...layout, data: column.data.subarray(0, count) };
    case "bool":
      return { ...column, ...layout, data: column.data.subarray(0, count) };
    default:
      return column satisfies never;
  }
}
