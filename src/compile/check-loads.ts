import type { Report } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import { demandAll, type OpenModel } from "../build/model.ts";
import { regimeLoss } from "../build/objective.ts";
import { isPart, partNames } from "../build/weight-part.ts";
import type { Regime } from "../check/regime.ts";
import type { Expression, LoadClause, Train } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { checkTargets } from "./check-layout.ts";
import { checkPart } from "./check-parts.ts";
import { mappingOf, type TensorMapping } from "./load-mapping.ts";
import { type Job, modelRequest, openForLoss } from "./program.ts";

/** Finds what is wrong with the `load` clauses of a regime whose model is sound. */
export function checkRegimeLoads(job: Job, regime: Regime): void {
  const request = regime.loads.length === 0 ? undefined : modelRequest(job, regime.model);
  if (request === undefined) return;
  const model = openForLoss(request);
  demandAll(model);
  if (regimeLoss(model, regime) !== undefined) checkLoads(regime, model);
}

/** `load enc from ...`: parts, earlier regimes and mappings that do not fit the model are reported; no file is opened. */
export function checkLoads(regime: Regime, model: OpenModel): void {
  for (const load of regime.loads) {
    const known = load.part === undefined || checkPart(load.part, model);
    checkSource(load, regime, model);
    const { modules, report } = model.session;
    const mapping = mappingOf(modules, modules.entry.file, load, report);
    if (known && mapping !== undefined && mapping.length > 0) checkMapping(load, mapping, model);
  }
}

function trains({ session }: OpenModel): readonly Train[] {
  return session.modules.entry.tree.declarations.filter((one) => one.kind === "train");
}

function checkSource({ from, mapping, layout }: LoadClause, regime: Regime, model: OpenModel): void {
  const { report } = model.session;
  if ("value" in from) return;
  const all = trains(model);
  const found = all.find((train) => train.name.text === from.text);
  if (found === undefined) {
    const others = all.flatMap(({ name }) => (name.text === regime.name ? [] : [name.text]));
    const near = nearest(from.text, others);
    report.add(
      "unknown-name",
      from.span,
      `there is no train ${from.text} in this file`,
      near === undefined
        ? { hint: others.length > 0 ? `there is ${others.join(", ")}` : 'give a file: load from "weights.safetensors"' }
        : meant(near, from.span),
    );
    return;
  }
  const circle = circleFrom(found, all);
  if (circle !== undefined) {
    report.add("no-delay", from.span, `these wait for each other: ${[...circle, circle[0]].join(" → ")}`, {
      related: [{ span: found.name.span, message: "this one is trained first" }],
      hint: "let the first of them start anew, or from a file",
    });
  }
  const first = layout ?? mapping[0];
  if (first === undefined) return;
  report.add("wrong-option", first.span, `weights of ${from.text} have names of their own: nothing is mapped`, {
    related: [{ span: from.span, message: `${from.text} is a train of this file` }],
    hint: `${layout === undefined ? "leave the braces out" : "leave the layout out"}, or load from a file`,
  });
}

/** The regimes that load from one another, where that comes back to its start. */
function circleFrom(start: Train, all: readonly Train[]): readonly string[] | undefined {
  const path: Train[] = [];
  const visit = (train: Train): boolean => {
    if (train === start && path.length > 0) return true;
    if (path.includes(train)) return false;
    path.push(train);
    for (const clause of train.clauses) {
      if (clause.kind !== "load" || "value" in clause.from) continue;
      const { text } = clause.from;
      const next = all.find((other) => other.name.text === text);
      if (next !== undefined && visit(next)) return true;
    }
    path.pop();
    return false;
  };
  return visit(start) ? path.map(({ name }) => name.text) : undefined;
}

/** Whether what a `load` maps is what the model has. */
function checkMapping(load: LoadClause, mapping: readonly TensorMapping[], model: OpenModel): void {
  const { weights, report } = model.session;
  const parts = load.part === undefined ? undefined : partNames(load.part);
  const own = [...weights.keys()].filter((name) => parts?.some((one) => isPart(name, one)) ?? true);
  const mapped = mapping.flatMap(({ targets }) => targets);
  const strange = mapped.filter((target) => target.weights.some((name) => !weights.has(name)));
  if (strange.length > 0 && load.layout !== undefined) reportMisfit(load, load.layout, strange, own, report);
  else for (const target of strange) reportUnknown(target, weights, own, report);
  // A layout is checked for the rest by itself.
  const sound = checkTargets(load.mapping, report);
  const even = mapping.every((one) => checkShapes(load, one, weights, report));
  if (strange.length === 0 && sound && even) checkMissing(load, mapping, own, weights, report);
}

type Weights = OpenModel["session"]["weights"];
type MappedTarget = TensorMapping["targets"][number];

/** A layout of another cell than the part's: both sides at once. */
function reportMisfit(
  { part }: LoadClause,
  layout: Expression,
  strange: readonly MappedTarget[],
  own: readonly string[],
  report: Report,
): void {
  const name = printExpression(layout.kind === "call" ? layout.callee : layout);
  const whole = part === undefined ? "the model" : printExpression(part);
  report.add(
    "unknown-name",
    layout.span,
    `${name} does not fit ${whole}, which has no ${listed(strange.flatMap((one) => one.weights))}`,
    {
      related: strange.slice(0, 1).map(({ span }) => ({ span, message: "mapped here" })),
      hint: own.length === 0 ? undefined : `${whole} has ${listed(own)}`,
    },
  );
}

function reportUnknown(
  { span, weights: names }: MappedTarget,
  weights: Weights,
  own: readonly string[],
  report: Report,
): void {
  for (const name of names.filter((one) => !weights.has(one))) {
    const near = nearest(name, own);
    report.add("unknown-name", span, `there is no weight ${name}`, {
      hint: near === undefined ? `its weights are ${listed(own)}` : `did you mean ${near}?`,
    });
  }
}

function listed(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 12).join(", ")} and ${names.length - 12} more` : names.join(", ");
}

/** Whether the weights among which one tensor is cut have one shape. */
function checkShapes({ layout }: LoadClause, { targets }: TensorMapping, weights: Weights, report: Report): boolean {
  const shapes = targets
    .flatMap((target) => target.weights)
    .flatMap((name) => {
      const shape = weights.get(name)?.spec.shape.map(({ text }) => text);
      return shape === undefined ? [] : [shape.join(", ")];
    });
  const other = shapes.find((shape) => shape !== shapes[0]);
  const [first] = targets;
  if (other === undefined || first === undefined) return true;
  report.add(
    "shape-mismatch",
    layout?.span ?? first.span,
    `one tensor is cut into equal parts, and these are [${shapes[0]}] and [${other}]`,
    { hint: "map each from a tensor of its own" },
  );
  return false;
}

/** An instance of which something is mapped is mapped whole; others start as they would. */
function checkMissing(
  { part, from, layout }: LoadClause,
  mapping: readonly TensorMapping[],
  own: readonly string[],
  weights: Weights,
  report: Report,
): void {
  const seen = new Set(mapping.flatMap(({ targets }) => targets.flatMap((target) => target.weights)));
  const begun = new Set([...seen].map((name) => weights.get(name)?.owner));
  const missing = own.filter((name) => !seen.has(name) && begun.has(weights.get(name)?.owner));
  const [first] = missing;
  if (first === undefined) return;
  const shown = missing.length > 4 ? [...missing.slice(0, 3), `${missing.length - 3} more`] : missing;
  report.add("missing-weight", layout?.span ?? from.span, `the mapping leaves ${shown.join(", ")} without a value`, {
    related: mapping.slice(-1).map(({ span }) => ({ span, message: "this is all that is mapped" })),
    hint: `write "..." -> ${part === undefined ? first : first.slice((partNames(part)[0] ?? "").length + 1)}, or load a smaller part`,
  });
}
