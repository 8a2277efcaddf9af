import type { InputSpec } from "../build/program.ts";
import { batchSizes } from "./bind.ts";
import type { Dataset } from "./data/dataset.ts";
import type { Feed } from "./feed.ts";
import { inputAxes } from "./fit.ts";
import type { Settings } from "./settings.ts";

/** The sizes of the largest batch that training can meet: `B`, and every time at its longest. */
export function largestBatch(
  inputs: readonly InputSpec[],
  datasets: readonly Dataset[],
  feed: Feed,
  { batch, bptt }: Pick<Settings, "batch" | "bptt">,
): ReadonlyMap<string, number> {
  const first = feed.batch(0, 0);
  const sizes = new Map(batchSizes({ inputs, sizes: new Map() }, first).sizes);
  if (batch.unit === "examples") {
    const rows = Math.max(...datasets.map((dataset) => dataset.rows));
    sizes.set("B", bptt === undefined ? Math.min(batch.size, rows) : first.size);
  }
  // Chunks are of one length; rows may be longer than those of the first batch.
  if (bptt !== undefined) return sizes;
  for (const spec of inputs) {
    const column = datasets.map(({ columns }) => columns.get(spec.name)).find((found) => found !== undefined);
    const [time] = inputAxes(spec).map((axis) => axis.time);
    if (column?.lengths === undefined || time === undefined) continue;
    const longest = column.lengths.reduce((most, length) => Math.max(most, length), 1);
    sizes.set(time, Math.max(sizes.get(time) ?? 1, longest));
  }
  return sizes;
}
