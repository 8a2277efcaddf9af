import { constantValue } from "../check/constants.ts";
import * as make from "../op/make.ts";
import { bestAndTruth, type Emission, negativeLogLikelihood, openEmission, type Total, total } from "./emission.ts";
import type { Context } from "./frame.ts";
import type { MetricCall, Taking } from "./metric-call.ts";
import type { OpenModel } from "./model.ts";
import { smoothedLikelihood } from "./smoothing.ts";

/** A metric of an emission that is computed beside the loss: `nll(ids)`, `accuracy(label)`, `rmse(x)`. */
export interface Metric extends Taking {
  /** The mean over what counts, as a sum and a count, so that batches of different sizes weigh what they hold. */
  readonly total: (emission: Emission, call: MetricCall, context: Context) => Total | undefined;
  /** What is done with the mean. */
  readonly finish: "mean" | "root";
}

const PLAIN = { options: [], decodes: false, finish: "mean" } as const;

export const METRICS: Readonly<Record<string, Metric>> = {
  nll: { ...PLAIN, name: "nll", needs: "any", options: ["smoothing"], total: smoothedOrPlain },
  accuracy: { ...PLAIN, name: "accuracy", needs: "tokens", total: accuracy },
  f1: { ...PLAIN, name: "f1", needs: "tokens", options: ["of"], total: f1 },
  rmse: { ...PLAIN, name: "rmse", needs: "numbers", finish: "root", total: (emission) => error(emission, "square") },
  mse: { ...PLAIN, name: "mse", needs: "numbers", total: (emission) => error(emission, "square") },
  mae: { ...PLAIN, name: "mae", needs: "numbers", total: (emission) => error(emission, "absolute") },
};

/** Metrics of what is decoded freely: they compare whole sequences with the data's. */
export const DECODED = ["exact", "edit_rate", "bleu", "span_f1"] as const;

export type DecodedName = (typeof DECODED)[number];

export function isDecoded(name: string): name is DecodedName {
  return DECODED.some((other) => other === name);
}

/** The metrics whose names can be meant by a longer one. */
export const METRIC_NAMES: readonly string[] = [...Object.keys(METRICS), ...DECODED, "elbo"].filter(
  (name) => name.length > 2,
);

/** The metric that has this name. */
export function metricNamed(name: string): Metric | undefined {
  return Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
}

/** A metric of one emission, as a sum and a count. */
export function metricTotal(model: OpenModel, context: Context, metric: Metric, call: MetricCall): Total | undefined {
  const emission = openEmission(model, call.item);
  return emission === undefined ? undefined : metric.total(emission, call, context);
}

function smoothedOrPlain(emission: Emission, { options }: MetricCall, context: Context): Total | undefined {
  const smoothing = options.get("smoothing");
  return smoothing === undefined
    ? negativeLogLikelihood(emission)
    : smoothedLikelihood(emission, context, smoothing.value);
}

function accuracy(emission: Emission): Total | undefined {
  const found = bestAndTruth(emission);
  if (found === undefined) return undefined;
  const { builder } = emission.context.session;
  const right = make.toFloat(builder, make.eq(builder, found.best.id, found.truth));
  return total(emission, found.best, right, "entries");
}

/** 2 · hits / (found + wanted) of one token: the harmonic mean of precision and recall (van Rijsbergen 1979). */
function f1(emission: Emission, { options, item }: MetricCall): Total | undefined {
  const { builder, report } = emission.context.session;
  const of = options.get("of");
  const token = of === undefined ? undefined : constantValue(of.value);
  if (typeof token !== "number" || !Number.isInteger(token) || token < 0) {
    report.add("wrong-arguments", of?.span ?? item.name.span, "f1 is about one token, which is not said", {
      hint: `write f1(${item.name.text}, of: 1)`,
    });
    return undefined;
  }
  const found = bestAndTruth(emission);
  if (found === undefined) return undefined;
  const is = (id: string): string => make.toFloat(builder, make.eq(builder, id, make.int(builder, token)));
  const [ours, theirs] = [is(found.best.id), is(found.truth)];
  const hits = total(emission, found.best, make.mul(builder, ours, theirs), "entries");
  const both = total(emission, found.best, make.add(builder, ours, theirs), "entries");
  return { sum: make.mul(builder, hits.sum, make.num(builder, 2)), count: both.sum };
}

function error(emission: Emission, kind: "square" | "absolute"): Total | undefined {
  const found = bestAndTruth(emission);
  if (found === undefined) return undefined;
  const { builder } = emission.context.session;
  const difference = make.sub(builder, found.best.id, found.truth);
  const size =
    kind === "square"
      ? make.mul(builder, difference, difference)
      : make.maximum(builder, difference, make.neg(builder, difference));
  return total(emission, found.best, size, "entries");
}
