import type { Regime } from "../check/regime.ts";
import { copyByPosition } from "../grad/by-position.ts";
import { gradients } from "../grad/gradients.ts";
import { createBuilder } from "../ir/builder.ts";
import { copyGraph } from "../ir/copy.ts";
import { type Graph, type Result, valueTypes } from "../ir/graph.ts";
import { type Axis, unionAxes } from "../ir/type.ts";
import { expand } from "../op/make_move.ts";
import { clip } from "./clip.ts";
import { clockOf } from "./clock.ts";
import { namedValue } from "./forward.ts";
import { hasDerivative } from "./has-derivative.ts";
import { lastStepLoss, lastValue } from "./last-step.ts";
import { inputSpecs } from "./leaves.ts";
import type { OpenModel } from "./model.ts";
import type { ParamRole, Program, ResultRole } from "./program.ts";
import type { ValueName } from "./pullback.ts";
import { type Recurrence, recurrences } from "./recurrences.ts";
import { optimizerContext } from "./training.ts";
import { isPart } from "./weight-part.ts";

/** What is differentiated: the loss of the last step, the whole loss, or a number of the model at the last step. */
export type FlowLoss = { readonly kind: "last" | "whole" } | ({ readonly kind: "value" } & ValueName);

export interface FlowWants {
  readonly loss: FlowLoss;
  /** Named values and inputs to differentiate by, beside the recurrences' states. */
  readonly values: readonly ValueName[];
  /** Weights, or parts with weights, whose gradient is split by the step that reads them. */
  readonly split: readonly string[];
}

/** The derivative of the loss by something that stands at every step of an axis. */
export interface FlowLine {
  readonly kind: "state" | "value" | "weight";
  /** As the source names it: `cell.h`, `x`, `cell.U.i`. */
  readonly name: string;
  /** The result that holds it: [B, steps, ...], or [steps, ...] for what does not depend on the example. */
  readonly result: string;
  readonly axis: Axis;
  readonly batched: boolean;
}

/** A weight's whole gradient, and what the regime's `clip` leaves of it. */
export interface FlowWeight {
  readonly name: string;
  readonly result: string;
  readonly clipped: string | undefined;
}

/** A program that gives the derivatives of a loss step by step. */
export interface GradientFlow {
  /** Results: `loss` (float []), and those of the lines and weights. */
  readonly program: Program;
  readonly lines: readonly FlowLine[];
  readonly weights: readonly FlowWeight[];
  /** Weights to be split whose reads cannot be told apart by step. */
  readonly mixed: readonly string[];
  /** What `split` names that no recurrence reads, or that is no weight. */
  readonly unread: readonly string[];
}

/**
 * How a loss depends on each state of each recurrence at each step, dL/dh_t, and on named values there: one backward
 * pass of the equation graph (Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, eqs. 3 to 5). A weight's
 * gradient is split into what its reads at each step add to it. `whole` is the loss of all steps, where there is one.
 * Undefined where a mistake was reported; without lines where nothing recurs and no value is named.
 */
export function gradientFlow(
  model: OpenModel,
  wants: FlowWants,
  whole: string | undefined,
  regime: Regime | undefined,
): GradientFlow | undefined {
  const subject = subjectOf(model, wants, whole);
  if (subject === undefined) return undefined;
  const { forward, sources } = subject;
  const flow = openFlow(model, forward);
  const trained = [...model.session.weights.values()].filter(({ spec }) => spec.trained);
  const wrt = [...sources.map(({ id }) => id), ...trained.map(({ id }) => id)];
  if (!flow.canDifferentiate(wrt)) return undefined;
  const cotangents = flow.gradientsBy(wrt);
  const lines = sources.map((source, place) => flow.line(source, cotangents[place] ?? ""));
  const weights = weightGradients(model, flow, cotangents.slice(sources.length), regime);
  const split = splitGradients(model, flow, wants.split, unionAxes(sources.map(({ axis }) => axis)));
  return weights && { program: flow.finish(), weights, ...split, lines: [...lines, ...split.lines] };
}

interface Source extends Recurrence {
  readonly kind: "state" | "value";
}

/** The forward graph, whose first result is the loss, and what it is differentiated by at every step. */
function subjectOf(
  model: OpenModel,
  { loss, values }: FlowWants,
  whole: string | undefined,
): { readonly forward: Graph; readonly sources: readonly Source[] } | undefined {
  const { builder, report, times } = model.session;
  const named = values.flatMap(({ name, span }): readonly Result[] => {
    const value = namedValue(model, name, span);
    return value === undefined ? [] : [{ name, id: value.id }];
  });
  const all = loss.kind === "value" ? namedValue(model, loss.name, loss.span)?.id : whole;
  if (all === undefined || named.length < values.length || report.hasErrors) return undefined;
  const everywhere = builder.finish([{ name: "loss", id: all }, ...named]);
  const met = [...valueTypes(everywhere).values()].flatMap(({ axes }) => axes);
  const ofTime = unionAxes(met.filter(({ id }) => times.has(id)));
  const walked = unionAxes(
    recurrences(everywhere).map(({ axis }) => axis),
    values.length > 0 ? ofTime : [],
  );
  const id = lossOf(model, loss, all, walked);
  if (id === undefined || report.hasErrors) return undefined;
  const forward = builder.finish([{ name: "loss", id }, ...named]);
  const types = valueTypes(forward);
  const along = (name: string, id: string): readonly Source[] => {
    const type = types.get(id);
    const axes =
      type?.dtype === "float" ? type.axes.filter((axis) => walked.some((other) => other.id === axis.id)) : [];
    return axes.map((axis) => ({ kind: "value", name, id, axis }));
  };
  const sources = [
    ...recurrences(forward).map((found): Source => ({ ...found, kind: "state" })),
    ...forward.results.slice(1).flatMap(({ name, id: value }) => along(name, value)),
  ];
  return { forward, sources };
}

function lossOf(model: OpenModel, loss: FlowLoss, whole: string, axes: readonly Axis[]): string | undefined {
  switch (loss.kind) {
    case "whole":
      return whole;
    case "last":
      return lastStepLoss(model, axes);
    case "value":
      return lastValue(model, loss.name, loss.span, axes);
    default:
      return loss satisfies never;
  }
}

/** The forward graph in a builder of its own, and the results that are made of it. */
function openFlow(model: OpenModel, forward: Graph) {
  const { session, frame, context } = model;
  const builder = createBuilder(`${forward.name}_flow`);
  const ids = copyGraph(builder, forward);
  const params = new Map(forward.params.map(({ id }) => [id, ids.get(id) ?? ""]));
  const roles = new Map<string, ParamRole>();
  for (const [id, role] of session.roles) roles.set(params.get(id) ?? id, role);
  const results: Result[] = [];
  const resultRoles = new Map<string, ResultRole>();
  const give = (name: string, id: string, role: ResultRole): string => {
    results.push({ name, id });
    resultRoles.set(name, role);
    return name;
  };
  const [first] = forward.results;
  const loss = ids.get(first?.id ?? "") ?? "";
  give("loss", loss, { kind: "loss" });
  const find = (id: string): string => ids.get(id) ?? "";
  const [batch] = context.hidden;
  return {
    builder,
    roles,
    give,
    canDifferentiate: (wrt: readonly string[]): boolean =>
      hasDerivative({ builder, report: session.report }, loss, wrt.map(find), frame.definition.name.span),
    gradientsBy: (wrt: readonly string[]): readonly string[] => gradients(builder, loss, wrt.map(find)),
    /** The gradients by weights, each read at each step of an axis. */
    gradientsByStep: (wrt: readonly string[], axis: Axis) => {
      const told = copyByPosition(builder, forward, params, wrt, axis);
      const read = wrt.filter((id) => told.varying.has(id) && !told.mixed.has(id));
      const by = read.map((id) => told.varying.get(id) ?? "");
      const cotangents = gradients(builder, told.ids.get(first?.id ?? "") ?? "", by);
      return { read: new Map(read.map((id, place) => [id, cotangents[place] ?? ""])), mixed: told.mixed };
    },
    /** Lays a derivative out, the batch first where it has it, then the steps. */
    line: ({ kind, name, axis }: Pick<FlowLine, "kind" | "name" | "axis">, id: string): FlowLine => {
      const whole = expand(builder, id, [axis]);
      const { axes } = builder.type(whole);
      const batched = axes.some((own) => own.id === batch?.id);
      const front = [...(batched && batch ? [batch] : []), axis].map((own) => own.id);
      const order = [...front, ...axes.map((own) => own.id).filter((own) => !front.includes(own))];
      const result = give(`${kind}.${name}.${axis.id}`, whole, {
        kind: "value",
        name: `${name}.${axis.id}`,
        axes: order,
      });
      return { kind, name, result, axis, batched };
    },
    finish: (): Program => ({
      name: `${frame.definition.name.text}.flow`,
      graph: builder.finish(results),
      params: roles,
      results: resultRoles,
      weights: [...session.weights.values()].map(({ spec }) => spec),
      inputs: inputSpecs(session),
      sizes: session.sizes,
    }),
  };
}

type Flow = ReturnType<typeof openFlow>;

/** Each weight's whole gradient, and what the regime's `clip` makes of it. */
function weightGradients(
  model: OpenModel,
  { builder, roles, give }: Flow,
  cotangents: readonly string[],
  regime: Regime | undefined,
): readonly FlowWeight[] | undefined {
  const names = [...model.session.weights].filter(([, { spec }]) => spec.trained).map(([name]) => name);
  const context = optimizerContext(model, builder, roles);
  const clipped =
    regime?.clip === undefined ? undefined : clip(context, regime, cotangents, clockOf({ builder, roles }));
  if (regime?.clip !== undefined && clipped === undefined) return undefined;
  return names.map((name, place) => ({
    name,
    result: give(`gradient.${name}`, cotangents[place] ?? "", { kind: "gradient", weight: name }),
    clipped: clipped && give(`clipped.${name}`, clipped[place] ?? "", { kind: "gradient", weight: name }),
  }));
}

/** The gradients of weights split by the step that reads them, along each axis. */
function splitGradients(
  model: OpenModel,
  flow: Flow,
  parts: readonly string[],
  axes: readonly Axis[],
): Pick<GradientFlow, "lines" | "mixed" | "unread"> {
  const trained = [...model.session.weights].filter(([, { spec }]) => spec.trained);
  const wanted = trained.filter(([name]) => parts.some((part) => isPart(name, part)));
  const lines: FlowLine[] = [];
  const mixed = new Set<string>();
  for (const axis of parts.length === 0 ? [] : axes) {
    const found = flow.gradientsByStep(
      wanted.map(([, { id }]) => id),
      axis,
    );
    for (const [name, { id }] of wanted) {
      const cotangent = found.read.get(id);
      if (found.mixed.has(id)) mixed.add(name);
      if (cotangent !== undefined) lines.push(flow.line({ kind: "weight", name, axis }, cotangent));
    }
  }
  const unread = parts.filter((part) => !lines.some(({ name }) => isPart(name, part)));
  return { lines, mixed: [...mixed], unread };
}
