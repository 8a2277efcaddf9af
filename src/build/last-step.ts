import type { Span } from "../base/span.ts";
import type { Axis } from "../ir/type.ts";
import { hasAxis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import * as sums from "../op/make_sum.ts";
import { realAxes } from "./align.ts";
import { countingMask, distributionValue, openEmission } from "./emission.ts";
import { namedValue } from "./forward.ts";
import type { Context } from "./frame.ts";
import type { OpenModel } from "./model.ts";
import { shapeText, type TensorValue } from "./value.ts";

/**
 * The loss of the last step alone: -log p of every emission at the last position that counts along the recurrences' axes
 * (each example's own), summed, the mean over the batch: float []. Emissions without such an axis count whole. Undefined where the
 * model emits nothing, or a mistake was reported.
 */
export function lastStepLoss(model: OpenModel, axes: readonly Axis[]): string | undefined {
  const { builder } = model.session;
  let loss: string | undefined;
  for (const item of model.emissions) {
    const emission = openEmission(model, item);
    const value = emission === undefined ? undefined : distributionValue(emission, "log_prob");
    if (emission === undefined || value === undefined) return undefined;
    const { context } = emission;
    const all = [...context.hidden, ...realAxes(value.visible).map(({ axis }) => axis)];
    const mask = countingMask(emission, value, all, model.session.axes);
    const own = meanOverBatch(model, atLast(context, make.neg(builder, value.id), mask, along(all, axes)));
    loss = loss === undefined ? own : make.add(builder, loss, own);
  }
  return loss;
}

/** A named number of the model, at the last position of a recurrence's axis where it has one: the mean over the batch, float []. */
export function lastValue(model: OpenModel, name: string, span: Span, axes: readonly Axis[]): string | undefined {
  const { session, context } = model;
  const value = namedValue(model, name, span);
  if (value === undefined) return undefined;
  const own = realAxes(value.visible).map(({ axis }) => axis);
  const walked = along(own, axes);
  if (session.builder.type(value.id).dtype !== "float" || walked.length < own.length) {
    reportNoNumber(model, name, span, value, own.length > walked.length);
    return undefined;
  }
  const mask = countingMask({ context }, value, [...context.hidden, ...own], session.axes);
  return meanOverBatch(model, atLast(context, value.id, mask, walked));
}

function reportNoNumber(model: OpenModel, name: string, span: Span, value: TensorValue, isWide: boolean): void {
  const { report } = model.session;
  if (isWide) {
    const message = `a single number at each step is needed here, ${name} is ${shapeText(value.visible)}`;
    report.add("not-scalar", span, message, {
      related: [{ span: value.from, message: "its shape comes from here" }],
      hint: `name an equation that reduces it, as in r = sum(${name})`,
    });
  } else report.add("wrong-kind", span, `${name} is no number that varies, so it has no gradient`);
}

/** The axes of a value that a recurrence walks: those of the same size, by name. */
function along(own: readonly Axis[], axes: readonly Axis[]): readonly Axis[] {
  return own.filter(({ size }) => axes.some((axis) => axis.size.text === size.text));
}

/** A value where it counts for the last time along each of the axes, and 0 elsewhere. */
function atLast({ session }: Context, value: string, mask: string | undefined, axes: readonly Axis[]): string {
  const { builder } = session;
  const last = axes.map((axis) => {
    const end = make.sub(builder, make.sizeInt(builder, axis.size), make.int(builder, 1));
    const position = make.iota(builder, axis);
    if (mask === undefined || !hasAxis(builder.type(mask), axis.id)) return make.eq(builder, position, end);
    const next = move.shift(builder, mask, axis.id, 1);
    return make.not(builder, make.and(builder, make.lt(builder, position, end), next));
  });
  const all = mask === undefined ? last : [mask, ...last];
  return all.reduce((kept, one) => make.select(builder, one, kept, make.num(builder, 0)), value);
}

function meanOverBatch({ session: { builder }, context }: OpenModel, value: string): string {
  const { axes } = builder.type(value);
  const sum = sums.sumOver(builder, value, axes);
  const examples = context.hidden.filter(({ id }) => axes.some((axis) => axis.id === id));
  return examples.length === 0 ? sum : make.div(builder, sum, make.countOf(builder, examples));
}
