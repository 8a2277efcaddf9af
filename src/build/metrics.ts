import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import * as make from "../op/make.ts";
import type { Call, EmitItem } from "../syntax/tree.ts";
import { bestAndTruth, type Emission, negativeLogLikelihood, openEmission, type Total, total } from "./emission.ts";
import type { OpenModel } from "./model.ts";

/** A metric of an emission: `nll(ids)`, `accuracy(label)`, `rmse(x)`. */
export interface Metric {
  readonly name: string;
  /** The mean over what counts, as a sum and a count, so that batches of different sizes weigh what they hold. */
  readonly total: (emission: Emission) => Total | undefined;
  /** What is done with the mean. */
  readonly finish: "mean" | "root";
  readonly needs: "any" | "tokens" | "numbers";
}

export const METRICS: Readonly<Record<string, Metric>> = {
  nll: { name: "nll", total: negativeLogLikelihood, finish: "mean", needs: "any" },
  accuracy: { name: "accuracy", total: accuracy, finish: "mean", needs: "tokens" },
  rmse: { name: "rmse", total: (emission) => error(emission, "square"), finish: "root", needs: "numbers" },
  mse: { name: "mse", total: (emission) => error(emission, "square"), finish: "mean", needs: "numbers" },
  mae: { name: "mae", total: (emission) => error(emission, "absolute"), finish: "mean", needs: "numbers" },
};

/** Metrics that the architectures bring: they decode, or need other sums. */
export const LATER_METRICS: ReadonlySet<string> = new Set(["f1", "exact", "edit_rate", "bleu", "span_f1"]);

export function isMetric(name: string): boolean {
  return Object.hasOwn(METRICS, name);
}

function accuracy(emission: Emission): Total | undefined {
  const found = bestAndTruth(emission);
  if (found === undefined) return undefined;
  const { builder } = emission.context.session;
  const right = make.toFloat(builder, make.eq(builder, found.best.id, found.truth));
  return total(emission, found.best, right, "entries");
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

/** The emission that a metric's argument names; a mistake is reported. */
export function metricEmission(model: OpenModel, metric: Metric, call: Call): Emission | undefined {
  const { report } = model.session;
  const argument = call.args[0];
  const named = argument?.value.kind === "reference" ? argument.value.name : undefined;
  const item = model.emissions.find((emission) => emission.name.text === named);
  if (argument === undefined || item === undefined) {
    const known = model.emissions.map((emission) => emission.name.text);
    if (argument?.value.kind === "by") {
      report.add("not-yet", argument.span, "decoding inside a metric is not built yet", {
        hint: `write ${metric.name}(${known[0] ?? "y"}): it takes what is best at each position`,
      });
      return undefined;
    }
    const near = named === undefined ? undefined : nearest(named, known);
    const text =
      named === undefined
        ? `${metric.name} takes the name of an emission`
        : `${metric.name} takes an emission, and ${named} is not emitted`;
    report.add(
      "nothing-emitted",
      argument?.span ?? call.span,
      text,
      near === undefined || argument === undefined
        ? { hint: known.length > 0 ? `this model emits ${known.join(", ")}` : "this model emits nothing" }
        : meant(near, argument.span),
    );
    return undefined;
  }
  const extra = call.args[1];
  if (extra?.name !== undefined) {
    report.add("not-yet", extra.name.span, `the option ${extra.name.text} of ${metric.name} is not built yet`, {
      hint: `write ${metric.name}(${named})`,
    });
    return undefined;
  }
  if (extra !== undefined) {
    report.add("wrong-arguments", extra.span, `${metric.name} takes one emission and nothing else`, {
      hint: `write ${metric.name}(${named})`,
    });
    return undefined;
  }
  return checkKind(model, metric, item, call) ? openEmission(model, item) : undefined;
}

function checkKind(model: OpenModel, metric: Metric, item: EmitItem, call: Call): boolean {
  const input = model.session.inputs.get(item.name.text);
  if (input === undefined || metric.needs === "any") return input !== undefined;
  const tokens = input.spec.dtype !== "float";
  if (tokens === (metric.needs === "tokens")) return true;
  model.session.report.add(
    "wrong-kind",
    call.span,
    `${metric.name} compares ${metric.needs}, and ${item.name.text} holds ${tokens ? "tokens" : "numbers"}`,
    {
      related: [{ span: input.spec.span, message: `${item.name.text} is declared here` }],
      hint: tokens ? "write accuracy(...)" : "write rmse(...) or mae(...)",
    },
  );
  return false;
}
