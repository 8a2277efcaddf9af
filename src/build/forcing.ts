import type { Regime } from "../check/regime.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import { random } from "../op/source.ts";
import { realAxes } from "./align.ts";
import { clockOf } from "./clock.ts";
import { distributionValue, type Emission, openEmission } from "./emission.ts";
import type { OpenModel } from "./model.ts";
import { seedOf } from "./noise.ts";
import { asTensor } from "./operators.ts";
import { hyperParameter } from "./optimizer.ts";
import { describe, type TensorValue } from "./value.ts";

type Clause = Regime["forcings"][number];

/** The emissions whose reads see what the model would choose, as often as the regime says. */
export function forcedNames({ forcings }: Regime): ReadonlySet<string> {
  return new Set(forcings.map(({ name }) => name.text));
}

/**
 * Scheduled sampling (Bengio et al. 2015): where the model reads an emission, it reads the data with the schedule's probability and
 * its own choice otherwise, drawn anew for each position. The likelihood stays that of the data. What decoding does is the same with
 * probability 0. Mistakes are reported.
 */
export function closeForced(model: OpenModel, regime: Regime): void {
  for (const clause of regime.forcings) closeOne(model, clause);
}

function closeOne(model: OpenModel, { name, schedule }: Clause): void {
  const { session, context } = model;
  const { builder, report } = session;
  const item = model.emissions.find((emission) => emission.name.text === name.text);
  const forced = session.forced.get(name.text);
  if (item === undefined || forced === undefined) {
    const known = model.emissions.map((emission) => emission.name.text).join(", ");
    report.add("nothing-emitted", name.span, `${name.text} is not emitted`, { hint: `this model emits ${known}` });
    return;
  }
  const emission = openEmission(model, item);
  const choice = emission === undefined ? undefined : distributionValue(emission, "sample");
  const meaning = hyperParameter(context, schedule, clockOf(session));
  const share = meaning.kind === "invalid" ? undefined : asTensor(context, meaning, schedule.span);
  if (emission === undefined || choice === undefined || share === undefined) return;
  if (share.visible.length > 0) {
    report.add("not-scalar", schedule.span, `this is a probability, and ${describe(share)}`, {
      hint: "write a number from 0 to 1, or a schedule as linear(1.0, 0.7, epochs: 10)",
    });
    return;
  }
  if (item.indices.length === 0 || builder.readers(forced.id).length === 0) {
    report.add("wrong-option", name.span, `nothing of the model reads ${name.text}: there is nothing to force`, {
      related: [{ span: item.name.span, message: "it is emitted here" }],
      hint: `leave this out, or let the model read it, as in ${name.text}[t-1] else BOS`,
    });
    return;
  }
  const { axes, dtype } = builder.type(forced.data);
  const coin = builder.add(random, [seedOf(context)], { distribution: "uniform", stream: `${name.text}.forced`, axes });
  const own = make.stopGradient(builder, placed(emission, choice, forced.data));
  const typed = dtype === "int" ? make.toInt(builder, own) : own;
  const reached = reachedAlong(emission, forced.data);
  const isData = make.lt(builder, coin, make.toFloat(builder, share.id));
  const given = reached === undefined ? isData : make.or(builder, isData, make.not(builder, reached));
  builder.close(forced.id, move.expand(builder, make.select(builder, given, forced.data, typed), axes));
}

/** The choice at the positions that it is for: `ids[t+1]` is chosen at t. */
function placed(emission: Emission, choice: TensorValue, data: string): string {
  const { builder } = emission.context.session;
  const made = [...emission.indices.map(({ axis }) => axis), ...realAxes(choice.visible).map(({ axis }) => axis)];
  let id = choice.id;
  for (const [place, { axis }] of emission.indices.entries()) {
    const offset = emission.item.indices[place]?.offset ?? 0;
    id = move.shift(builder, move.expand(builder, id, [axis]), axis.id, -offset);
  }
  const own = builder.type(data).axes.slice(emission.context.hidden.length - emission.indices.length);
  return move.rename(
    builder,
    id,
    made.map((axis) => axis.id),
    own,
  );
}

/** Where a position has a choice at all: behind the first `offset`. */
function reachedAlong({ context, indices, item }: Emission, data: string): string | undefined {
  const { builder } = context.session;
  const hidden = context.hidden.length - indices.length;
  const masks = indices.flatMap((_, place) => {
    const offset = item.indices[place]?.offset ?? 0;
    const axis = builder.type(data).axes[hidden + place];
    return offset > 0 && axis !== undefined
      ? [make.le(builder, make.int(builder, offset), make.iota(builder, axis))]
      : [];
  });
  return masks.length === 0 ? undefined : masks.reduce((both, mask) => make.and(builder, both, mask));
}
