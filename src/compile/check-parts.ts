import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { OpenModel } from "../build/model.ts";
import { isPart, partNames, writtenPart } from "../build/weight-part.ts";
import type { Regime } from "../check/regime.ts";
import type { Expression } from "../syntax/tree.ts";

/** `freeze enc`, `optim ... on enc`, `minimize ... on enc.W.{i, f}`, `copy q to target`: parts that name nothing are reported. */
export function checkParts(regime: Regime, model: OpenModel): void {
  const parts = [
    ...regime.freezes.flatMap((freeze) => freeze.parts),
    ...regime.optimizers.flatMap((optim) => optim.on),
    ...regime.objectives.flatMap((objective) => objective.on),
    ...regime.copies.flatMap(({ from, to }) => [from, to]),
  ];
  for (const part of parts) checkPart(part, model);
}

/** Whether a part names weights, or an instance that has none; what names nothing is reported. */
export function checkPart(part: Expression, { session, frame }: OpenModel): boolean {
  const weights = [...session.weights.keys()];
  const names = partNames(part);
  const missing = names.find((name) => !isKnown(name));
  if (names.length > 0 && missing === undefined) return true;
  const known = [...new Set(weights.map((weight) => weight.split(".")[0] ?? ""))];
  const near = missing === undefined ? undefined : nearest(missing, [...known, ...weights]);
  session.report.add(
    "unknown-name",
    part.span,
    missing === undefined
      ? "this names no part of the model"
      : `${frame.definition.name.text} has no part ${writtenPart(missing)} with weights`,
    near === undefined || names.length > 1
      ? { hint: `its parts are ${known.join(", ")}` }
      : meant(writtenPart(near), part.span),
  );
  return false;

  function isKnown(name: string): boolean {
    return weights.some((weight) => isPart(weight, name)) || frame.names.get(name)?.kind === "instance";
  }
}
