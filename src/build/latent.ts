import { reachedBy } from "../grad/gradients.ts";
import type { Builder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import { expand } from "../op/move.ts";
import type { Drawn } from "../syntax/tree.ts";
import { distributionInputs, type OpenDistribution, openDistribution } from "./distribution.ts";
import type { Context } from "./frame.ts";
import { movingOnce } from "./move-params.ts";
import { type DrawPlace, drawnFrom, placeOf } from "./noise.ts";
import { INVALID, type Meaning, type TensorValue } from "./value.ts";

/**
 * `latent z: [Z] ~ normal(mu, sigma) prior normal(0, 1)`: drawn from the distribution behind `~`, which may see the data; where
 * that reads what is to be generated, from the prior (Kingma and Welling 2014).
 */
export function latentValue(context: Context, latent: Drawn): Meaning {
  const place = placeOf(context, latent);
  if (place === undefined || latent.prior === undefined) {
    if (latent.prior === undefined) reportPrior(context, latent);
    return INVALID;
  }
  return movingOnce(context.session, latent, () => posterior(context, latent, latent.prior ?? latent.dist, place));
}

function posterior(context: Context, latent: Drawn, prior: Drawn["dist"], place: DrawPlace): Meaning {
  const opened = openDistribution(place.context, latent.dist, { over: place.own });
  if (opened === undefined) return INVALID;
  const parameters = [...distributionInputs(place.context, opened).values()].map(({ id }) => id);
  if (readsChosen(context, parameters)) return drawnFrom(place, latent, prior);
  const value = drawnFrom(place, latent, latent.dist);
  if (value.kind === "tensor") checkPath(context, latent, opened, parameters, value);
  return value;
}

function reportPrior({ session }: Context, { name, span }: Drawn): void {
  session.report.add("missing-item", span, `${name.text} has no prior: what it is without the data is not said`, {
    hint: "write prior normal(0, 1) behind it",
  });
}

/** Whether parameters are computed from what a decoder is to choose. */
function readsChosen({ session }: Context, parameters: readonly string[]): boolean {
  const { builder } = session;
  const chosen = new Set([...session.chosen].map((name) => session.inputs.get(name)?.value.id));
  const seen = new Set(parameters);
  for (const id of seen) {
    if (chosen.has(id)) return true;
    for (const input of builder.definition(id)?.inputs ?? []) seen.add(input);
  }
  return false;
}

/** A parameter that is the same for all that is drawn is given once for each of them: what it is made of is looked for. */
function unrepeated(builder: Builder, id: string): string {
  const node = builder.definition(id);
  return isNode(node, expand) ? unrepeated(builder, node.inputs[0] ?? "") : id;
}

/** A draw that is moved by its parameters lets gradients through; a choice does not. */
function checkPath(
  { session }: Context,
  { name, dist }: Drawn,
  opened: OpenDistribution,
  parameters: readonly string[],
  value: TensorValue,
): void {
  const { builder, report } = session;
  const varied = parameters
    .map((id) => unrepeated(builder, id))
    .filter((id) => builder.type(id).dtype === "float" && builder.type(id).axes.length > 0);
  const moved = builder.type(value.id).dtype === "float" ? reachedBy(builder, value.id, varied).size : 0;
  if (varied.length === 0 || moved > 0) return;
  const { text, span } = opened.instance.definition.name;
  report.add("no-gradient", dist.span, `no gradient flows through ${name.text}: what ${text} draws is a choice`, {
    related: [{ span, message: `${text} is defined here` }],
    hint: "draw from what is moved by its parameters, as normal is; a relaxed choice is softmax((logits + e) / 0.5) with noise e",
  });
}
