import type { Regime } from "../check/regime.ts";
import { hasAxis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as sums from "../op/make_sum.ts";
import type { Call, Expression, ObjectiveClause } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { elboTotal, klTotal } from "./elbo.ts";
import { evaluate } from "./expression.ts";
import type { Context, Session } from "./frame.ts";
import { type MetricCall, metricCall } from "./metric-call.ts";
import { type DecodedName, isDecoded, metricNamed, metricTotal } from "./metrics.ts";
import type { OpenModel } from "./model.ts";
import { asTensor, scalar } from "./operators.ts";
import { masks } from "./reduce.ts";
import { isThere } from "./there.ts";
import { INVALID, type Meaning, shapeText, shownSize, type TensorValue } from "./value.ts";

/** The loss and its terms, ready to be differentiated. */
export interface LossDraft {
  readonly model: OpenModel;
  /** float []: the sum of the signed terms. */
  readonly loss: string;
  readonly terms: readonly Term[];
}

/** An objective, averaged over the batch. */
export interface Term {
  /** Its text. */
  readonly name: string;
  /** float []. */
  readonly id: string;
  /** The same, so that less is better. */
  readonly signed: string;
  readonly objective: ObjectiveClause;
}

/** A quantity that is averaged over batches before anything else is done with it. */
export interface Averaged {
  /** The param that stands for its mean in the reports' own expressions. */
  readonly param: string;
  readonly sum: string;
  readonly count: string;
}

/** Gives `nll(x)` and its kin a meaning inside objectives: the mean over this batch. */
export function objectiveMetrics(model: () => OpenModel): NonNullable<Session["metrics"]> {
  return metricHook(model, refuseDecoded, (context, sum, count) => {
    const { builder } = context.session;
    return make.div(builder, sum, make.maximum(builder, count, make.num(builder, 1)));
  });
}

/** The same inside reports: a param that stands for the mean over all batches. */
export function reportMetrics(
  model: () => OpenModel,
  averaged: Averaged[],
  decoded: Decoded[],
): NonNullable<Session["metrics"]> {
  const mean = ({ session }: Context, sum: string, count: string): string => {
    const param = session.builder.param(`mean.${averaged.length}`, { dtype: "float", axes: [] });
    averaged.push({ param, sum, count });
    return param;
  };
  const decode = (context: Context, call: Call, name: DecodedName): Meaning => {
    const read = metricCall(model(), { name, needs: "tokens", options: [], decodes: true }, call);
    if (read === undefined) return INVALID;
    // Its place among the means; what stands there is counted where the decoder has run.
    const one = make.num(context.session.builder, 1);
    decoded.push({ ...read, name, average: averaged.length });
    return scalar(mean(context, one, one), call.span);
  };
  return metricHook(model, decode, mean);
}

/** A metric of what is decoded. */
export interface Decoded extends MetricCall {
  readonly name: DecodedName;
  /** Which of the means it is. */
  readonly average: number;
}

function metricHook(
  model: () => OpenModel,
  decode: (context: Context, call: Call, name: DecodedName) => Meaning,
  mean: (context: Context, sum: string, count: string) => string,
): NonNullable<Session["metrics"]> {
  return (context, call) => {
    const name = call.callee.kind === "reference" ? call.callee.name : undefined;
    if (name === undefined || context.frame.names.has(name)) return undefined;
    if (isDecoded(name)) return decode(context, call, name);
    if (name === "kl" || name === "elbo") {
      const found = name === "kl" ? klTotal(model(), call) : elboTotal(model(), context, call);
      return found === undefined ? INVALID : scalar(mean(context, found.sum, found.count), call.span);
    }
    const metric = metricNamed(name);
    const read = metric === undefined ? undefined : metricCall(model(), metric, call);
    if (metric === undefined) return undefined;
    const found = read === undefined ? undefined : metricTotal(model(), context, metric, read);
    if (found === undefined) return INVALID;
    const average = mean(context, found.sum, found.count);
    const { builder } = context.session;
    return scalar(metric.finish === "root" ? make.pow(builder, average, make.num(builder, 0.5)) : average, call.span);
  };
}

/** What is decoded has no gradient. */
function refuseDecoded(context: Context, call: Call, name: string): Meaning {
  context.session.report.add(
    "wrong-kind",
    call.span,
    `${name} compares what is decoded: no gradient flows through a choice`,
    {
      hint: "report it, and minimize nll(...)",
    },
  );
  return INVALID;
}

/** The regime's loss: the sum of its objectives, each averaged over the batch. */
export function regimeLoss(model: OpenModel, regime: Regime): LossDraft | undefined {
  const { builder } = model.session;
  const terms: Term[] = [];
  let loss: string | undefined;
  for (const objective of regime.objectives) {
    const { span, direction } = objective;
    builder.within({ span, name: "loss" }, () => {
      const value = scalarOf(model, objective.value);
      if (value === undefined) return;
      const mean = meanOver(model, value);
      const signed = direction === "maximize" ? make.neg(builder, mean) : mean;
      terms.push({ name: termName(objective), id: mean, signed, objective });
      loss = loss === undefined ? signed : make.add(builder, loss, signed);
    });
  }
  return loss === undefined || terms.length < regime.objectives.length ? undefined : { model, loss, terms };
}

/** The objective as it is written: `softplus(-s) on G`. */
function termName({ value, on }: ObjectiveClause): string {
  return on.length === 0
    ? printExpression(value)
    : `${printExpression(value)} on ${on.map(printExpression).join(", ")}`;
}

/** An expression of the model that must be one number per example, or one in all. */
export function scalarOf(model: OpenModel, expression: Expression): TensorValue | undefined {
  const meaning = evaluate(model.context, expression);
  const value = meaning.kind === "invalid" ? undefined : asTensor(model.context, meaning, expression.span);
  if (value === undefined || !isThere(model.context, value, expression.span)) return undefined;
  if (value.visible.every((axis) => axis.unit)) return value;
  model.session.report.add(
    "not-scalar",
    expression.span,
    `a single number is needed here, this is ${shapeText(value.visible)}`,
    {
      related: [{ span: value.from, message: "its shape comes from here" }],
      hint: `reduce it, as in mean[${value.visible.map((axis) => shownSize(axis.axis.size.text)).join(", ")}](...)`,
    },
  );
  return undefined;
}

/** The mean over the batch of a value that may depend on the example. */
export function meanOver(model: OpenModel, value: TensorValue): string {
  const { builder } = model.session;
  const { sum, count } = batchTotal(model, value);
  return count === undefined ? sum : make.div(builder, sum, count);
}

/** Sum and count over the batch; without a count where the value does not depend on the example. */
export function batchTotal(
  model: OpenModel,
  value: TensorValue,
): { readonly sum: string; readonly count: string | undefined } {
  const { builder } = model.session;
  const type = builder.type(value.id);
  const axes = model.context.hidden.filter((axis) => hasAxis(type, axis.id));
  const id = make.toFloat(builder, value.id);
  if (axes.length === 0) return { sum: id, count: undefined };
  const inside = masks(model.context, axes);
  const masked = inside.reduce((sum, mask) => make.select(builder, mask, sum, make.num(builder, 0)), id);
  return { sum: sums.sumOver(builder, masked, axes), count: make.countOf(builder, axes) };
}
