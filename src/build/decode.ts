import type { Span } from "../base/span.ts";
import type { Result } from "../ir/graph.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import { realAxes } from "./align.ts";
import { distributionValue, openEmission } from "./emission.ts";
import { laidOut, namedValue } from "./forward.ts";
import { inputSpecs } from "./leaves.ts";
import type { OpenModel } from "./model.ts";
import { type ModelRequest, openModel } from "./model.ts";
import type { ParamRole, Program, ResultRole } from "./program.ts";
import type { Meaning, TensorValue } from "./value.ts";

/** How an emission is chosen: its distribution's `best` or `sample`, with the distribution's parameters. */
export interface Choice {
  readonly rule: "best" | "sample";
  readonly parameters: ReadonlyMap<string, Meaning>;
  readonly span: Span | undefined;
}

/**
 * The decoder is the model with its emitted arrays replaced by their own choices (lowering 8): `ids[t+1]` is what was
 * chosen at t, or the prompt where there is one. Scheduling it finds the loop and what the loop must keep.
 */
export function decoder(
  request: ModelRequest,
  choices: ReadonlyMap<string, Choice>,
  shown: readonly { readonly name: string; readonly span: Span }[],
): { readonly program: Program; readonly model: OpenModel } | undefined {
  const chosen = new Set(choices.keys());
  const model = openModel({ ...request, chosen });
  const { session } = model;
  const results: Result[] = [];
  const roles = new Map<string, ResultRole>();
  for (const item of model.emissions) {
    const choice = choices.get(item.name.text);
    const input = session.inputs.get(item.name.text);
    if (choice === undefined || input === undefined) continue;
    // Once it is closed, its axes come in the order that they are computed in.
    const axes = session.builder.type(input.value.id).axes.map((axis) => axis.id);
    const id = closeChoice(model, item, choice, input.value);
    if (id === undefined) return undefined;
    const name = `choice.${item.name.text}`;
    results.push({ name, id });
    roles.set(name, { kind: "choice", emission: item.name.text, axes });
  }
  for (const { name, span } of shown) {
    if (chosen.has(name)) continue;
    const value = namedValue(model, name, span);
    if (value === undefined) return undefined;
    const { id, axes } = laidOut(model, value);
    results.push({ name: `value.${name}`, id });
    roles.set(`value.${name}`, { kind: "value", name, axes });
  }
  const program: Program = {
    name: `${request.definition.name.text}.decode`,
    graph: session.builder.finish(results),
    params: new Map<string, ParamRole>(session.roles),
    results: roles,
    weights: [...session.weights.values()].map(({ spec }) => spec),
    inputs: inputSpecs(session),
    sizes: session.sizes,
  };
  return { program, model };
}

function closeChoice(
  model: OpenModel,
  item: OpenModel["emissions"][number],
  { rule, parameters }: Choice,
  leaf: TensorValue,
): string | undefined {
  const { builder } = model.session;
  const emission = openEmission(model, item);
  const picked = emission === undefined ? undefined : distributionValue(emission, rule, parameters);
  if (emission === undefined || picked === undefined) return undefined;
  const type = builder.type(leaf.id);
  const own = realAxes(leaf.visible).map((axis) => axis.axis);
  const made = [...emission.indices.map(({ axis }) => axis), ...realAxes(picked.visible).map((axis) => axis.axis)];
  let id = picked.id;
  for (const [place, { axis }] of emission.indices.entries()) {
    const offset = item.indices[place]?.offset ?? 0;
    id = move.shift(builder, move.expand(builder, id, [axis]), axis.id, -offset);
  }
  id = move.rename(
    builder,
    id,
    made.map((axis) => axis.id),
    own,
  );
  const typed = type.dtype === "int" ? make.toInt(builder, id) : id;
  const whole = move.expand(builder, prompted(model, item, leaf, typed), type.axes);
  builder.close(leaf.id, whole);
  return whole;
}

/** The prompt's own values where there is one. */
function prompted(
  { session, context }: OpenModel,
  item: OpenModel["emissions"][number],
  leaf: TensorValue,
  choice: string,
): string {
  const { builder } = session;
  const [first] = realAxes(leaf.visible);
  if (item.indices.length !== 1 || first === undefined) return choice;
  const name = item.name.text;
  const prompt = builder.param(`prompt.${name}`, builder.type(leaf.id));
  const length = builder.param(`prompt.${name}.length`, { dtype: "int", axes: context.hidden });
  session.roles.set(prompt, { kind: "prompt", emission: name });
  session.roles.set(length, { kind: "prompt_length", emission: name });
  const given = make.lt(builder, make.iota(builder, first.axis), length);
  return make.select(builder, given, prompt, choice);
}
