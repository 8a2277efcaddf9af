import type { Span } from "../base/span.ts";
import type { Result } from "../ir/graph.ts";
import { sizeConstant } from "../ir/size.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import { realAxes } from "./align.ts";
import { type BeamRule, searched } from "./beam.ts";
import { distributionValue, openEmission } from "./emission.ts";
import { laidOut, namedValue } from "./forward.ts";
import { inputSpecs } from "./leaves.ts";
import type { OpenModel } from "./model.ts";
import { type ModelRequest, openModel } from "./model.ts";
import { scalar } from "./operators.ts";
import type { ParamRole, Program, ResultRole } from "./program.ts";
import type { Meaning, TensorValue } from "./value.ts";

/** How an emission is chosen: its distribution's `best` or `sample`, with the distribution's parameters. */
export interface Choice {
  readonly rule: "best" | "sample" | "beam";
  /** Of a beam search. */
  readonly beam?: BeamRule;
  readonly parameters: ReadonlyMap<string, Meaning>;
  readonly span: Span | undefined;
}

/** Numbers that say how samples are drawn, as params that calls may give. */
function adjustableOptions(
  { builder, roles }: OpenModel["session"],
  emission: string,
  { rule, parameters, span }: Choice,
): Choice["parameters"] {
  if (rule !== "sample") return parameters;
  const taken = new Set([...roles.values()].flatMap((role) => (role.kind === "option" ? [role.name] : [])));
  return new Map(
    [...parameters].map(([option, meaning]): readonly [string, Meaning] => {
      const value = numberIn(meaning);
      if (value === undefined || span === undefined) return [option, meaning];
      const name = taken.has(option) ? `${emission}_${option}` : option;
      const id = builder.param(`option.${name}`, { dtype: "float", axes: [] });
      roles.set(id, { kind: "option", name, value });
      return [option, scalar(id, span)];
    }),
  );
}

/** The number that is written, whole or not. */
function numberIn(meaning: Meaning): number | undefined {
  if (meaning.kind === "number") return meaning.value;
  return meaning.kind === "size" ? sizeConstant(meaning.size) : undefined;
}

/**
 * The decoder is the model with its emitted arrays replaced by their own choices (lowering 8): `ids[t+1]` is what was
 * chosen at t, or the prompt where there is one. With `adjustable`, the numbers of `sample(temperature: 0.8)` are params. Scheduling it finds the loop and what the loop must keep.
 */
export function decoder(
  request: ModelRequest,
  choices: ReadonlyMap<string, Choice>,
  shown: readonly { readonly name: string; readonly span: Span }[],
  adjustable = false,
): { readonly program: Program; readonly model: OpenModel } | undefined {
  const chosen = new Set(choices.keys());
  const search = [...choices.values()].find(({ beam }) => beam !== undefined)?.beam;
  const model = openModel({ ...request, chosen, ...(search && { beams: search.width }) });
  const { session } = model;
  const results: Result[] = [];
  const roles = new Map<string, ResultRole>();
  let best: string | undefined;
  for (const item of model.emissions) {
    const choice = choices.get(item.name.text);
    const input = session.inputs.get(item.name.text);
    if (choice === undefined || input === undefined) continue;
    // Once it is closed, its axes come in the order that they are computed in.
    const axes = session.builder.type(input.value.id).axes.map((axis) => axis.id);
    const own = adjustable ? { ...choice, parameters: adjustableOptions(session, item.name.text, choice) } : choice;
    const closed = closeChoice(model, item, own, input.value);
    if (closed === undefined) return undefined;
    const name = `choice.${item.name.text}`;
    results.push({ name, id: closed.id }, ...closed.marks);
    best = closed.best ?? best;
    roles.set(name, {
      kind: "choice",
      emission: item.name.text,
      axes: axes.filter((axis) => axis !== session.beam?.id),
    });
  }
  for (const { name, span } of shown) {
    if (chosen.has(name)) continue;
    const value = namedValue(model, name, span);
    if (value === undefined) return undefined;
    const { id, axes } = laidOut(model, value);
    results.push({ name: `value.${name}`, id });
    roles.set(`value.${name}`, { kind: "value", name, axes: axes.filter((axis) => axis !== session.beam?.id) });
  }
  const ofBest = ({ name, id }: Result): Result => ({
    name,
    id: best === undefined || session.beam === undefined ? id : move.entry(session.builder, id, session.beam.id, best),
  });
  const program: Program = {
    name: `${request.definition.name.text}.decode`,
    graph: session.builder.finish(results.map((result) => (roles.has(result.name) ? ofBest(result) : result))),
    params: new Map<string, ParamRole>(session.roles),
    results: roles,
    weights: [...session.weights.values()].map(({ spec }) => spec),
    inputs: inputSpecs(session),
    sizes: session.sizes,
  };
  return { program, model };
}

interface Closed {
  readonly id: string;
  /** Of a beam search. */
  readonly marks: readonly Result[];
  readonly best: string | undefined;
}

function closeChoice(
  model: OpenModel,
  item: OpenModel["emissions"][number],
  choice: Choice,
  leaf: TensorValue,
): Closed | undefined {
  const { builder, beam } = model.session;
  const emission = openEmission(model, item);
  const prompt = promptOf(model, item, leaf);
  const search =
    choice.beam === undefined || beam === undefined || prompt === undefined
      ? undefined
      : searched(model, item, beam, choice.beam, prompt);
  const rule = choice.rule === "sample" ? "sample" : "best";
  const picked =
    emission === undefined || choice.rule === "beam" ? undefined : distributionValue(emission, rule, choice.parameters);
  const drawn = search?.token ?? picked?.id;
  if (emission === undefined || drawn === undefined) return undefined;
  const type = builder.type(leaf.id);
  const own = realAxes(leaf.visible).map((axis) => axis.axis);
  const shown = realAxes(picked?.visible ?? []).map((axis) => axis.axis);
  const made = [...emission.indices.map(({ axis }) => axis), ...shown];
  let id = drawn;
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
  const whole = move.expand(builder, prompted(model, leaf, prompt, typed), type.axes);
  builder.close(leaf.id, whole);
  return { id: whole, marks: search?.marks ?? [], best: search?.best };
}

interface Prompt {
  readonly prompt: string;
  readonly length: string;
}

/** The params of a given beginning, where the emission goes along one axis. */
function promptOf(
  { session, context }: OpenModel,
  item: OpenModel["emissions"][number],
  leaf: TensorValue,
): Prompt | undefined {
  if (item.indices.length !== 1 || realAxes(leaf.visible).length === 0) return undefined;
  const { builder, roles, beam } = session;
  const name = item.name.text;
  const { dtype, axes } = builder.type(leaf.id);
  const prompt = builder.param(`prompt.${name}`, { dtype, axes: axes.filter(({ id }) => id !== beam?.id) });
  const length = builder.param(`prompt.${name}.length`, { dtype: "int", axes: context.hidden.slice(0, 1) });
  roles.set(prompt, { kind: "prompt", emission: name });
  roles.set(length, { kind: "prompt_length", emission: name });
  return { prompt, length };
}

/** The prompt's own values where there is one. */
function prompted({ session }: OpenModel, leaf: TensorValue, prompt: Prompt | undefined, choice: string): string {
  const { builder } = session;
  const [first] = realAxes(leaf.visible);
  if (prompt === undefined || first === undefined) return choice;
  const given = make.lt(builder, make.iota(builder, first.axis), prompt.length);
  return make.select(builder, given, prompt.prompt, choice);
}
