import type { Reports } from "../build/reports.ts";
import { interpret } from "../ir/interpret.ts";
import { deriveSeed } from "../ir/random.ts";
import { scalarTensor } from "../ir/tensor.ts";
import { bindBatch, type Moment } from "./bind.ts";
import { createDecoding } from "./decoded.ts";
import type { Executor, HostArray } from "./executor.ts";
import type { Feed } from "./feed.ts";
import { writeState } from "./state.ts";

/** Report values by name, over a whole dataset. */
export type Metrics = ReadonlyMap<string, number>;

export interface Evaluator {
  /** Measures weights on data; `each` is awaited after every batch. `clock` is what schedules in an objective go by. */
  measure(
    feed: Feed,
    weights: ReadonlyMap<string, HostArray>,
    each: () => Promise<void>,
    clock?: Pick<Moment, "step" | "steps" | "stepsPerEpoch">,
  ): Promise<Metrics>;
}

/** What a regime reports, on a target. */
export function createEvaluator(executor: Executor, reports: Reports, seed: number): Evaluator {
  const { totals } = reports;
  const prepared = executor.prepare(totals);
  const decodings = reports.decoded.map((metric) => createDecoding(metric, executor));
  return {
    async measure(feed, weights, each, clock = { step: 0, steps: 1, stepsPerEpoch: 1 }) {
      const sums = new Float64Array(reports.averages);
      const counts = new Float64Array(reports.averages);
      for (const decoding of decodings) decoding.start(weights);
      for (let position = 0; position < feed.count(0); position++) {
        const batch = feed.batch(0, position);
        const moment = { ...clock, training: false, fresh: batch.fresh };
        const bound = bindBatch(totals, batch, { ...moment, seed: deriveSeed(seed, "evaluate", position) });
        if (position === 0)
          writeState(totals, prepared, { weights, slots: new Map(), carries: new Map() }, bound.sizes);
        const results = await prepared.run(bound.inputs, bound.sizes);
        for (let at = 0; at < reports.averages; at++) {
          sums[at]! += results.get(`sum.${at}`)?.data[0] ?? Number.NaN;
          counts[at]! += results.get(`count.${at}`)?.data[0] ?? Number.NaN;
        }
        for (const decoding of decodings) {
          await decoding.add(batch, { ...moment, seed: deriveSeed(seed, "decode", position) });
          await each();
        }
        await each();
      }
      for (const [at, { average }] of reports.decoded.entries()) {
        sums[average] = decodings[at]?.value() ?? Number.NaN;
        counts[average] = 1;
      }
      return summary(reports, sums, counts);
    },
  };
}

function summary(reports: Reports, sums: Float64Array, counts: Float64Array): Metrics {
  const means = new Map(
    reports.summary.params.map(({ id }) => {
      const at = Number(id.slice("mean.".length));
      return [id, scalarTensor("float", (sums[at] ?? 0) / (counts[at] ?? 0))] as const;
    }),
  );
  const values = interpret(reports.summary, means, reports.totals.sizes);
  return new Map(reports.names.map((name) => [name, values.get(name)?.data[0] ?? Number.NaN]));
}
