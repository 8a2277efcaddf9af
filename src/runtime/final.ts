import { setImmediate as turn } from "node:timers/promises";
import { createEvaluator, type Metrics } from "./evaluate.ts";
import type { Executor, HostArray } from "./executor.ts";
import type { Training } from "./prepare.ts";

/**
 * What is measured once, after training: `test.` reports. Where nothing is held out and the regime reports something, its reports on
 * the training data, under their own names.
 */
export async function finalMetrics(
  training: Training,
  executor: Executor,
  weights: ReadonlyMap<string, HostArray>,
): Promise<Metrics> {
  const { feeds, regime, reports, settings } = training;
  const feed = feeds.test ?? (feeds.val === undefined && regime.reports.length > 0 ? feeds.trained : undefined);
  if (feed === undefined) return new Map();
  const measured = await createEvaluator(executor, reports, settings.seed).measure(feed, weights, turn, {
    ...training,
    step: training.steps,
  });
  if (feeds.test !== undefined) return new Map([...measured].map(([name, value]) => [`test.${name}`, value]));
  return new Map([...measured].filter(([name]) => name !== "loss"));
}
