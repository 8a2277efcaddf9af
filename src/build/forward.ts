import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { gradients } from "../grad/gradients.ts";
import type { Result } from "../ir/graph.ts";
import * as move from "../op/make_move.ts";
import { realAxes } from "./align.ts";
import { distributionParameters, openEmission } from "./emission.ts";
import { demand } from "./equation.ts";
import { hasDerivative } from "./has-derivative.ts";
import { inputSpecs } from "./leaves.ts";
import type { OpenModel } from "./model.ts";
import { asTensor } from "./operators.ts";
import type { Program, ResultRole } from "./program.ts";
import { stateField } from "./stack-state.ts";
import type { TensorValue } from "./value.ts";

export interface ForwardWants {
  /** Named values of the model, `s.h` for a field of a state. */
  readonly values: readonly { readonly name: string; readonly span: Span }[];
  /** The loss, where it could be made. */
  readonly loss: string | undefined;
  /** The gradient of the loss by every weight. */
  readonly gradients: boolean;
}

/** A model run forward: the parameters of every emission, named values, the loss and, if wanted, its gradients. */
export function forwardProgram(model: OpenModel, wants: ForwardWants): Program | undefined {
  const { session } = model;
  const results: Result[] = [];
  const roles = new Map<string, ResultRole>();
  const give = (name: string, id: string, role: ResultRole): void => {
    results.push({ name, id });
    roles.set(name, role);
  };
  for (const item of model.emissions) {
    const emission = openEmission(model, item);
    if (emission === undefined) return undefined;
    for (const [name, value] of distributionParameters(emission)) {
      const { id, axes } = laidOut(model, value);
      give(`${item.name.text}.${name}`, id, { kind: "parameter", emission: item.name.text, name, axes });
    }
  }
  for (const { name, span } of wants.values) {
    const value = namedValue(model, name, span);
    if (value === undefined) return undefined;
    const { id, axes } = laidOut(model, value);
    give(`value.${name}`, id, { kind: "value", name, axes });
  }
  // A model that emits nothing, and of which nothing is asked, shows its weights all the same.
  if (results.length === 0 && wants.loss === undefined) {
    for (const slot of model.frame.names.values()) if (slot.kind === "equation") demand(session, slot);
  }
  if (wants.loss !== undefined) give("loss", wants.loss, { kind: "loss" });
  if (wants.gradients && wants.loss !== undefined) {
    const trained = [...session.weights.entries()].filter(([, { spec }]) => spec.trained);
    const ids = trained.map(([, { id }]) => id);
    if (!hasDerivative(session, wants.loss, ids, model.frame.definition.name.span)) return undefined;
    const cotangents = gradients(session.builder, wants.loss, ids);
    trained.forEach(([name], place) => {
      give(`gradient.${name}`, cotangents[place] ?? "", { kind: "gradient", weight: name });
    });
  }
  return {
    name: `${model.frame.definition.name.text}.forward`,
    graph: session.builder.finish(results),
    params: new Map(session.roles),
    results: roles,
    weights: [...session.weights.values()].map(({ spec }) => spec),
    inputs: inputSpecs(session),
    sizes: session.sizes,
  };
}

/** All axes that the value has or shows, the batch first, then its visible axes in order: the layout that leaves the program. */
export function laidOut(
  { session, context }: Pick<OpenModel, "session" | "context">,
  value: TensorValue,
): { readonly id: string; readonly axes: readonly string[] } {
  const { builder } = session;
  const axes = [...context.hidden, ...realAxes(value.visible).map((axis) => axis.axis)];
  return { id: move.expand(builder, value.id, axes), axes: axes.map((axis) => axis.id) };
}

/** A named value of the model, `y` or `s.h`; an unknown name is reported. */
export function namedValue(model: OpenModel, name: string, span: Span): TensorValue | undefined {
  const { session, frame, context } = model;
  const [head = "", ...fields] = name.split(".");
  const slot = frame.names.get(name) ?? frame.names.get(head);
  const found = slot === undefined ? undefined : demand(session, slot);
  const value =
    found?.kind === "record" && fields.length === 1 ? stateField(context, found, fields[0] ?? "", span) : found;
  if (value?.kind === "invalid") return undefined;
  if (value !== undefined && (value.kind === "tensor" || value.kind === "size" || value.kind === "number")) {
    return asTensor(context, value, span);
  }
  const known = [...frame.names]
    .filter(([, other]) => other.kind === "equation" || other.kind === "in")
    .map(([key]) => key);
  const near = nearest(name, known);
  session.report.add("unknown-name", span, `${frame.definition.name.text} has no value ${name}`, {
    ...(near === undefined ? { hint: `it has ${known.join(", ")}` } : meant(near, span)),
  });
  return undefined;
}
