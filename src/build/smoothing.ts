import * as make from "../op/make.ts";
import * as sums from "../op/make_sum.ts";
import type { Expression } from "../syntax/tree.ts";
import { hiddenIds } from "./align.ts";
import { clockOf } from "./clock.ts";
import { distributionValue, type Emission, negativeLogLikelihood, type Total, total } from "./emission.ts";
import type { Context } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { hyperParameter } from "./optimizer.ts";
import { describe, EVERYWHERE, type TensorValue, visibleAxis } from "./value.ts";

/**
 * `nll(y, smoothing: 0.1)`: the likelihood of the label mixed with that of all tokens alike, (1 - s) · nll + s · the mean of -log p over the
 * vocabulary (Szegedy et al. 2016, section 7).
 */
export function smoothedLikelihood(emission: Emission, context: Context, share: Expression): Total | undefined {
  const { builder, report } = context.session;
  const { vocabulary } = emission.value;
  if (vocabulary === undefined) {
    report.add(
      "wrong-kind",
      share.span,
      `labels are smoothed, and ${emission.item.name.text} is ${describe(emission.value)}`,
      {
        related: [{ span: emission.value.from, message: "it is declared here" }],
        hint: `write nll(${emission.item.name.text})`,
      },
    );
    return undefined;
  }
  const meaning = hyperParameter(context, share, clockOf(context.session));
  const part = meaning.kind === "invalid" ? undefined : asTensor(context, meaning, share.span);
  const plain = part === undefined ? undefined : negativeLogLikelihood(emission);
  const all = plain === undefined ? undefined : everyLogProbability(emission);
  if (part === undefined || plain === undefined || all === undefined) return undefined;
  const mean = make.div(builder, sums.sumOver(builder, all.value.id, [all.axis]), make.sizeNumber(builder, vocabulary));
  const visible = all.value.visible.filter(({ axis }) => axis.id !== all.axis.id);
  const even = total(emission, { ...all.value, visible }, make.neg(builder, mean), "positions");
  const mixed = make.add(builder, plain.sum, make.mul(builder, part.id, make.sub(builder, even.sum, plain.sum)));
  return { sum: mixed, count: plain.count };
}

/** The log-probability of every token of the vocabulary, along an axis of its own. */
export function everyLogProbability(
  emission: Emission,
): { readonly value: TensorValue; readonly axis: ReturnType<typeof visibleAxis>["axis"] } | undefined {
  const { context, value } = emission;
  const { builder, axes } = context.session;
  if (value.vocabulary === undefined) return undefined;
  const taken = new Set([...hiddenIds(context), ...value.visible.map(({ axis }) => axis.id)]);
  const axis = axes.fresh(value.vocabulary, taken);
  const tokens: TensorValue = {
    ...value,
    id: make.iota(builder, axis),
    visible: [visibleAxis(axis), ...value.visible],
    condition: EVERYWHERE,
  };
  const found = distributionValue({ ...emission, value: tokens }, "log_prob");
  if (found === undefined) return undefined;
  const own = found.visible.find((one) => one.axis.size.text === axis.size.text) ?? visibleAxis(axis);
  return { value: { ...found, condition: value.condition }, axis: own.axis };
}
