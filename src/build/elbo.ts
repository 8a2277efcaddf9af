import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import * as make from "../op/make.ts";
import type { Call, Drawn, LatentItem } from "../syntax/tree.ts";
import { clockOf } from "./clock.ts";
import { distributionInputs, distributionSlot, type OpenDistribution, openDistribution } from "./distribution.ts";
import { negativeLogLikelihood, openEmission, type Total, total } from "./emission.ts";
import { demand } from "./equation.ts";
import type { Context } from "./frame.ts";
import type { OpenModel } from "./model.ts";
import { movingOnce } from "./move-params.ts";
import { type DrawPlace, placeOf } from "./noise.ts";
import { asTensor } from "./operators.ts";
import { hyperParameter } from "./optimizer.ts";
import { describe, type Meaning, type TensorValue } from "./value.ts";

/** `kl(z)`: the divergence of a latent's distribution from its prior, over an example's fixed axes together, a mean over positions. */
export function klTotal(model: OpenModel, call: Call): Total | undefined {
  const [argument, extra] = call.args;
  const name = argument?.value.kind === "reference" ? argument.value.name : undefined;
  const latents = latentsOf(model);
  const latent = latents.find((one) => one.name.text === name);
  if (latent !== undefined && extra === undefined) return divergenceTotal(model, latent);
  const known = latents.map((one) => one.name.text);
  const near = name === undefined ? undefined : nearest(name, known);
  const at = latent === undefined ? (argument?.span ?? call.span) : (extra?.span ?? call.span);
  model.session.report.add(
    latent === undefined ? "unknown-name" : "wrong-arguments",
    at,
    latent === undefined ? "kl takes the name of a latent" : "kl takes one latent and nothing else",
    latent === undefined && near !== undefined
      ? meant(near, at)
      : {
          hint: known.length > 0 ? `write kl(${known[0]})` : "this model has no latent: latent z: [Z] ~ ... prior ...",
        },
  );
  return undefined;
}

/**
 * `elbo(beta: 1)`: a lower bound of an example's log-likelihood (Kingma and Welling 2014, eq. 3; Higgins et al. 2017): what all
 * emissions have, less `beta` times the latents' divergences. Positions add up, examples are averaged over.
 */
export function elboTotal(model: OpenModel, context: Context, call: Call): Total | undefined {
  const { session } = model;
  const { builder, report } = session;
  const latents = latentsOf(model);
  if (latents.length === 0) {
    report.add("missing-item", call.span, `${model.frame.definition.name.text} has no latent, which elbo is about`, {
      hint: "write latent z: [Z] ~ normal(...) prior normal(0, 1), or minimize nll(...)",
    });
    return undefined;
  }
  const beta = betaOf(model, context, call);
  if (beta === undefined) return undefined;
  let sum = make.num(builder, 0);
  for (const item of model.emissions) {
    const emission = openEmission(model, item);
    const found = emission === undefined ? undefined : negativeLogLikelihood(emission);
    if (found === undefined) return undefined;
    sum = make.sub(builder, sum, found.sum);
  }
  for (const latent of latents) {
    const found = divergenceTotal(model, latent);
    if (found === undefined) return undefined;
    sum = make.sub(builder, sum, make.mul(builder, beta.id, found.sum));
  }
  return { sum, count: make.countOf(builder, model.context.hidden) };
}

function latentsOf({ frame }: OpenModel): readonly Drawn[] {
  return frame.definition.items.flatMap((item): LatentItem["names"] => (item.kind === "latent" ? item.names : []));
}

/** The number that the divergences are weighed by; it may be a schedule. */
function betaOf({ session }: OpenModel, context: Context, call: Call): TensorValue | undefined {
  const [argument, extra] = call.args;
  const wrong = argument !== undefined && argument.name?.text !== "beta" ? argument : extra;
  if (wrong !== undefined) {
    session.report.add("wrong-arguments", wrong.span, "elbo takes beta and nothing else", {
      hint: "write elbo(), or elbo(beta: linear(0, 1, epochs: 10))",
    });
    return undefined;
  }
  const meaning: Meaning =
    argument === undefined ? { kind: "number", value: 1 } : hyperParameter(context, argument.value, clockOf(session));
  if (meaning.kind === "invalid") return undefined;
  const value = asTensor(context, meaning, call.span);
  if (value === undefined || value.visible.length === 0) return value;
  session.report.add("not-scalar", argument?.span ?? call.span, `beta is a single number, this is ${describe(value)}`, {
    hint: "write a number, or a schedule as linear(0, 1, epochs: 10)",
  });
  return undefined;
}

function divergenceTotal(model: OpenModel, latent: Drawn): Total | undefined {
  const { session, context: base } = model;
  const slot = model.frame.names.get(latent.name.text);
  const value = slot === undefined ? undefined : demand(session, slot);
  const place = value?.kind === "tensor" ? placeOf(base, latent) : undefined;
  if (place === undefined || value?.kind !== "tensor" || latent.prior === undefined) return undefined;
  const found = movingOnce(session, latent, () => divergence(place, latent, latent.prior ?? latent.dist, value));
  return found === undefined ? undefined : total({ context: place.context }, found, found.id, "positions");
}

/** In closed form where a distribution says how far it is from one of its kind, else by the densities at the draw. */
function divergence(
  { context, own, indices }: DrawPlace,
  latent: Drawn,
  prior: Drawn["dist"],
  value: TensorValue,
): TensorValue | undefined {
  const [q, p] = [latent.dist, prior].map((dist) => openDistribution(context, dist, { over: own }));
  if (q === undefined || p === undefined) return undefined;
  if (q.instance.definition === p.instance.definition && q.frame.names.has("divergence")) {
    const further = new Map<string, Meaning>(
      [...distributionInputs(context, p)].map(([name, input]) => [`prior.${name}`, input]),
    );
    const both = openDistribution(context, latent.dist, { over: own, further });
    return both === undefined ? undefined : distributionSlot(context, both, "divergence", latent.span);
  }
  const at = { ...value, visible: value.visible.slice(indices.length) };
  const [ours, theirs] = [
    [latent.dist, q],
    [prior, p],
  ].map(([dist, opened]) => density(context, dist as Drawn["dist"], opened as OpenDistribution, at));
  if (ours === undefined || theirs === undefined) return undefined;
  return { ...ours, id: make.sub(context.session.builder, ours.id, theirs.id) };
}

function density(
  context: Context,
  dist: Drawn["dist"],
  { instance }: OpenDistribution,
  value: TensorValue,
): TensorValue | undefined {
  const names = instance.definition.items.flatMap((item) => (item.kind === "of" ? item.names : []));
  const further = new Map<string, Meaning>([[names[0]?.name.text ?? "y", value]]);
  const opened = openDistribution(context, dist, { further });
  return opened === undefined ? undefined : distributionSlot(context, opened, "log_prob", dist.span);
}
