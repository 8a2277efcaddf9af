import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { findDefinition } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { gradients } from "../grad/gradients.ts";
import { type Builder, createBuilder } from "../ir/builder.ts";
import { copyGraph } from "../ir/copy.ts";
import { definitions, type Graph, type Result } from "../ir/graph.ts";
import * as make from "../op/make.ts";
import * as sums from "../op/make_sum.ts";
import type { Expression } from "../syntax/tree.ts";
import { apply } from "./apply.ts";
import { createAxisTable } from "./axes.ts";
import { type Carried, carryStates, FRESH, recurrencesOver } from "./carry.ts";
import { dottedPath } from "./expression.ts";
import type { Context, Frame, Session } from "./frame.ts";
import { inputSpecs } from "./leaves.ts";
import type { OpenModel } from "./model.ts";
import { scalar } from "./operators.ts";
import { type Clock, hyperParameter, optimizerOf, updateWeight } from "./optimizer.ts";
import type { ParamRole, Program, ResultRole } from "./program.ts";
import type { InstanceValue } from "./value.ts";

/** A graph whose params and results have roles, not yet scheduled. */
export type Draft = Program;

/** The loss and its terms, ready to be differentiated. */
export interface LossDraft {
  readonly model: OpenModel;
  /** float []. */
  readonly loss: string;
  /** Each objective by its text, float []. */
  readonly terms: readonly { readonly name: string; readonly id: string; readonly span: Span }[];
}

/**
 * One training step: loss, gradients of all trained weights, clipping, the optimizer's equations, and what equations
 * with primes move. `frozen` weights get no gradient.
 */
export function trainingStep(draft: LossDraft, regime: Regime, frozen: ReadonlySet<string>): Draft | undefined {
  const { model, loss } = draft;
  const { session } = model;
  const moved = [...session.moved].filter(([name]) => !frozen.has(name));
  const forward = session.builder.finish([
    { name: "loss", id: loss },
    ...draft.terms.map((term) => ({ name: `term.${term.name}`, id: term.id })),
    ...moved.map(([name, id]) => ({ name: `moved.${name}`, id })),
  ]);
  const carried = carriedGraph(model, regime, forward);
  if (carried === undefined) return undefined;
  const builder = createBuilder(`${regime.name}_step`);
  const ids = copyGraph(builder, carried.graph);
  const find = (name: string): string =>
    ids.get(carried.graph.results.find((result) => result.name === name)?.id ?? "") ?? "";
  const trained = trainedWeights(model, forward, regime, frozen);
  if (trained === undefined) return undefined;
  const weightIds = trained.map((name) => ids.get(session.weights.get(name)?.id ?? "") ?? "");
  const cotangents = gradients(builder, find("loss"), weightIds);
  const roles = copiedRoles(session, carried, ids);
  const results: Result[] = [{ name: "loss", id: find("loss") }];
  const resultRoles = new Map<string, ResultRole>([["loss", { kind: "loss" }]]);
  const give = (name: string, id: string, role: ResultRole): void => {
    results.push({ name, id });
    resultRoles.set(name, role);
  };
  for (const { name } of draft.terms) give(`term.${name}`, find(`term.${name}`), { kind: "metric", name });
  for (const [name] of moved) give(`weight.${name}`, find(`moved.${name}`), { kind: "weight", name });
  for (const name of carried.states) give(name, find(name), { kind: "carry", name });
  const context = optimizerContext(model, builder, roles);
  const updated = optimize(context, regime, trained, weightIds, cotangents, roles, give);
  if (!updated) return undefined;
  return {
    name: `${regime.name}.step`,
    graph: builder.finish(results),
    params: roles,
    results: resultRoles,
    weights: [...session.weights.values()].map(({ spec }) => spec),
    inputs: inputSpecs(session),
    sizes: session.sizes,
  };
}

function copiedRoles(session: Session, carried: Carried, ids: ReadonlyMap<string, string>): Map<string, ParamRole> {
  const roles = new Map<string, ParamRole>();
  for (const [id, role] of session.roles) {
    const copied = ids.get(id);
    if (copied !== undefined) roles.set(copied, role);
  }
  for (const name of carried.states) roles.set(ids.get(name) ?? name, { kind: "carry", name });
  if (carried.states.length > 0) roles.set(ids.get(FRESH) ?? FRESH, { kind: "fresh" });
  return roles;
}

/** With `bptt`, recurrences over time go on from the chunk before. */
export function carriedGraph(model: OpenModel, regime: Regime, graph: Graph): Carried | undefined {
  if (regime.bptt === undefined) return { graph, states: [] };
  const [time] = model.session.times;
  const { carried, further } = recurrencesOver(graph, time ?? "");
  if (time !== undefined && carried.length > 0 && further === undefined) {
    return carryStates(graph, time, chunkOverlap(model));
  }
  const name = model.frame.definition.name.text;
  const text =
    further === undefined
      ? `${name} has no state to carry from chunk to chunk`
      : `${name} reads itself further back than one position`;
  model.session.report.add("wrong-option", regime.bptt.span, text, {
    related: further?.origin === undefined ? [] : [{ span: further.origin.span, message: "it is read here" }],
    hint:
      further === undefined
        ? "bptt cuts a recurrence over time; leave it out, and cut the data with windows(...)"
        : "bptt carries what is read at t-1; leave it out, and cut the data with windows(...)",
  });
  return undefined;
}

/** How far emissions look ahead: chunks share so many positions. */
export function chunkOverlap(model: OpenModel): number {
  return Math.max(0, ...model.emissions.flatMap((item) => item.indices.map((index) => index.offset)));
}

/** The weights that this regime trains; one that no objective reaches is an error. */
function trainedWeights(
  model: OpenModel,
  graph: Graph,
  regime: Regime,
  frozen: ReadonlySet<string>,
): readonly string[] | undefined {
  const { session } = model;
  const reached = reachable(graph, "loss");
  const own = [...session.weights].filter(([name, { spec }]) => spec.trained && !frozen.has(name));
  const trained = own.filter(([, { id }]) => reached.has(id)).map(([name]) => name);
  // The last block of a stack may give more than is read of it: what the other blocks learn is no mistake there.
  const learned = new Set(trained.map(anyBlock));
  const missed = own.filter(([name, { id }]) => !reached.has(id) && !learned.has(anyBlock(name)));
  for (const at of new Set(missed.map(([, { made }]) => made))) {
    const names = missed.filter(([, { made }]) => made === at).map(([name]) => name);
    reportUnreached(model, regime, at, names);
  }
  if (trained.length > 0) return trained;
  if (missed.length > 0) return undefined;
  session.report.add("unreached-weight", regime.train.name.span, `${regime.name} has no weight to train`, {
    related: regime.freezes.map(({ span }) => ({ span, message: "these are frozen" })),
    hint:
      frozen.size > 0
        ? "freeze less"
        : `${model.frame.definition.name.text} has no param and no use of a layer that has one`,
  });
  return undefined;
}

/** A weight's name for all blocks of its stack: `tower.0.W` and `tower.1.W` are `tower.*.W`. */
function anyBlock(name: string): string {
  return name.replace(/\.\d+\./g, ".*.");
}

/** The weights of one `use`, or one of the model's own. */
function reportUnreached(model: OpenModel, regime: Regime, at: Span, names: readonly string[]): void {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  const what = regime.objectives.map((objective) => ({ span: objective.span, message: "this is what it learns from" }));
  const [first = ""] = names;
  model.session.report.add("unreached-weight", at, `no objective of ${regime.name} reaches ${shown.join(", ")}`, {
    related: what,
    hint: `use it in what the objective reads, or write freeze ${first.split(".")[0]} in ${regime.name}`,
  });
}

/** All values that a result depends on. */
function reachable(graph: Graph, result: string): ReadonlySet<string> {
  const defined = definitions(graph);
  const start = graph.results.find((candidate) => candidate.name === result)?.id;
  const seen = new Set<string>(start === undefined ? [] : [start]);
  for (const id of seen) for (const input of defined.get(id)?.inputs ?? []) seen.add(input);
  return seen;
}

/** A context in the step's own graph: no hidden axes, the names of the regime's file. */
function optimizerContext(model: OpenModel, builder: Builder, roles: Map<string, ParamRole>): Context {
  const session: Session = {
    ...model.session,
    builder,
    axes: createAxisTable(builder),
    roles,
    trail: [],
    busy: [],
    moved: new Map(),
    movedBefore: new Map(),
    metrics: undefined,
  };
  const frame: Frame = { ...model.frame, file: model.session.modules.entry.file, hidden: [], names: new Map() };
  return { session, frame, hidden: [], indices: new Map() };
}

function clockOf(context: Context, roles: Map<string, ParamRole>): Clock {
  const { builder } = context.session;
  const value = (kind: "step" | "steps" | "steps_per_epoch"): string => {
    for (const [id, role] of roles) if (role.kind === kind) return id;
    const id = builder.param(kind, { dtype: "float", axes: [] });
    roles.set(id, { kind });
    return id;
  };
  const step = value("step");
  return { step, steps: value("steps"), epoch: make.div(builder, step, value("steps_per_epoch")) };
}

function optimize(
  context: Context,
  regime: Regime,
  trained: readonly string[],
  weightIds: readonly string[],
  cotangents: readonly string[],
  roles: Map<string, ParamRole>,
  give: (name: string, id: string, role: ResultRole) => void,
): boolean {
  const clock = clockOf(context, roles);
  const clipped = clip(context, regime, cotangents, clock);
  const optimizers = regime.optimizers.map((clause) => ({
    parts: clause.on.map((part) => dottedPath(part) ?? ""),
    instance: optimizerOf(context, clause.optimizer, clock),
    clause,
  }));
  if (clipped === undefined || optimizers.some(({ instance }) => instance === undefined)) return false;
  for (const [place, name] of trained.entries()) {
    const chosen =
      optimizers.findLast(({ parts }) => parts.some((part) => isPart(name, part))) ??
      optimizers.find(({ parts }) => parts.length === 0);
    if (chosen?.instance === undefined) {
      context.session.report.add(
        "missing-clause",
        regime.train.name.span,
        `${name} has no optimizer in ${regime.name}`,
        {
          related: regime.optimizers.map(({ span }) => ({ span, message: "this one is for other parts" })),
          hint: "write an optim without `on` for the rest, or freeze it",
        },
      );
      return false;
    }
    const { span } = chosen.clause;
    const update = updateWeight(context, chosen.instance, name, weightIds[place] ?? "", clipped[place] ?? "", span);
    if (update === undefined) return false;
    give(`weight.${name}`, update.weight, { kind: "weight", name });
    for (const slot of update.slots) {
      roles.set(slot.param, { kind: "slot", name: slot.name, weight: name, start: slot.start });
      give(`slot.${name}.${slot.name}`, slot.next, { kind: "slot", name: slot.name, weight: name });
    }
  }
  return true;
}

/** `enc` names the part whose weights are `enc.…`; `enc.W` a weight. */
export function isPart(weight: string, part: string): boolean {
  return weight === part || weight.startsWith(`${part}.`);
}

/** `clip norm(1.0)` is the library's `clip_norm`: a layer of one gradient and the norm of all. */
function clip(
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
