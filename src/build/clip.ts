import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import { findDefinition } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import type { Builder } from "../ir/builder.ts";
import * as make from "../op/make.ts";
import * as sums from "../op/make_sum.ts";
import type { Expression } from "../syntax/tree.ts";
import { apply } from "./apply.ts";
import type { Clock } from "./clock.ts";
import type { Context } from "./frame.ts";
import { scalar } from "./operators.ts";
import { hyperParameter } from "./optimizer.ts";
import type { InstanceValue } from "./value.ts";

/** `clip norm(1.0)` is the library's `clip_norm`: a layer of one gradient and the norm of all. */
export function clip(
  context: Context,
  regime: Regime,
  cotangents: readonly string[],
  clock: Clock,
): readonly string[] | undefined {
  if (regime.clip === undefined) return cotangents;
  const { rule } = regime.clip;
  const name = rule.kind === "call" && rule.callee.kind === "reference" ? rule.callee.name : undefined;
  const found =
    name === undefined ? undefined : findDefinition(context.session.modules, context.frame.file, `clip_${name}`);
  const limit = rule.kind === "call" ? rule.args[0] : undefined;
  if (found === undefined || limit === undefined) {
    reportClip(context, rule);
    return undefined;
  }
  const parameter = found.definition.parameters[0]?.name.text ?? "most";
  const instance: InstanceValue = {
    kind: "instance",
    ...found,
    parameters: new Map([[parameter, hyperParameter(context, limit.value, clock)]]),
    path: "",
    blocks: undefined,
    declared: rule.span,
  };
  const norm = scalar(globalNorm(context.session.builder, cotangents), rule.span);
  const results = cotangents.map((id) => clipOne(context, instance, id, norm, rule));
  return results.some((id) => id === undefined) ? undefined : results.flatMap((id) => id ?? []);
}

function reportClip(context: Context, rule: Expression): void {
  const callee = rule.kind === "call" ? rule.callee : rule;
  const name = callee.kind === "reference" ? callee.name : "";
  const near = nearest(name, ["norm", "value"]);
  const usage = { hint: "write clip norm(1.0), or clip value(0.5)" };
  const misspelt = near !== undefined && near !== name;
  context.session.report.add(
    "wrong-option",
    misspelt ? callee.span : rule.span,
    "gradients are clipped by their norm or by value",
    misspelt ? meant(near, callee.span) : usage,
  );
}

function clipOne(
  context: Context,
  instance: InstanceValue,
  id: string,
  norm: ReturnType<typeof scalar>,
  rule: Expression,
): string | undefined {
  const { axes } = context.session.builder.type(id);
  const gradient = {
    ...scalar(id, rule.span),
    visible: axes.map((axis) => ({ axis, label: undefined, unit: false, valid: undefined, nonempty: undefined })),
  };
  const inputs = new Map([
    ["g", { meaning: gradient, span: rule.span }],
    ["norm", { meaning: norm, span: rule.span }],
  ]);
  const out = apply(context, instance, { inputs, state: undefined }, rule.span)?.outs[0];
  return out?.kind === "tensor" ? out.id : undefined;
}

/** sqrt(Σ g²) over all gradients. */
function globalNorm(builder: Builder, cotangents: readonly string[]): string {
  const squares = cotangents.map((id) => sums.sumOver(builder, make.mul(builder, id, id), builder.type(id).axes));
  const total = squares.reduce((sum, square) => make.add(builder, sum, square), make.num(builder, 0));
  return make.pow(builder, total, make.num(builder, 0.5));
}
