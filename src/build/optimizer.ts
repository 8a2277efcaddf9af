import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { hasAxis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import type { Argument, Expression } from "../syntax/tree.ts";
import { apply, inputNames, stateItems } from "./apply.ts";
import type { Clock } from "./clock.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asTensor, scalar } from "./operators.ts";
import { startRecord } from "./state.ts";
import {
  type DefinitionValue,
  describe,
  EVERYWHERE,
  INVALID,
  type InstanceValue,
  type Meaning,
  type RecordValue,
  type TensorValue,
  visibleAxis,
} from "./value.ts";

/** The present values of slots, `l1.W.i/m`: an optimizer that moves a weight twice in a step goes on from them. */
export type Slots = Map<string, string>;

export interface Update {
  readonly weight: string;
  readonly slots: readonly {
    readonly name: string;
    /** Undefined where the slot has its param already. */
    readonly param: string | undefined;
    readonly start: number;
    readonly next: string;
  }[];
}

/**
 * An optimizer is a cell over training steps: a weight and its gradient in, the new weight out. It is lifted over the
 * weight's axes; a state that depends on none of them (a step count) stays a single number.
 */
export function optimizerOf(context: Context, expression: Expression, clock: Clock): InstanceValue | undefined {
  const callee = evaluate(context, expression.kind === "call" ? expression.callee : expression);
  if (callee.kind === "invalid") return undefined;
  if (callee.kind !== "definition" || !isOptimizer(callee)) {
    context.session.report.add(
      "wrong-option",
      expression.span,
      `an optimizer is a cell that takes a weight and its gradient, this is ${describe(callee)}`,
      {
        hint: "write adam(1e-3) or sgd(0.1); one of your own is a cell with in w: [], g: []",
      },
    );
    return undefined;
  }
  const parameters = hyperParameters(
    context,
    callee,
    expression.kind === "call" ? expression.args : [],
    clock,
    expression.span,
  );
  return parameters === undefined ? undefined : instance(callee, parameters, expression.span);
}

function isOptimizer({ definition }: DefinitionValue): boolean {
  const names = inputNames(definition);
  return definition.definitionKind === "cell" && names[0] === "w" && names[1] === "g" && names.length === 2;
}

function instance(
  { definition, file }: DefinitionValue,
  parameters: ReadonlyMap<string, Meaning>,
  declared: Span,
): InstanceValue {
  return { kind: "instance", definition, file, parameters, path: "", blocks: undefined, declared };
}

function hyperParameters(
  context: Context,
  callee: DefinitionValue,
  args: readonly Argument[],
  clock: Clock,
  at: Span,
): Map<string, Meaning> | undefined {
  const { definition } = callee;
  const names = definition.parameters.map((parameter) => parameter.name.text);
  const values = new Map<string, Meaning>();
  let place = 0;
  for (const argument of args) {
    const name = argument.name?.text ?? names[place++];
    if (name === undefined || !names.includes(name)) {
      const near = name === undefined ? undefined : nearest(name, names);
      context.session.report.add(
        "wrong-option",
        argument.name?.span ?? argument.span,
        name === undefined
          ? `${definition.name.text} takes no further option`
          : `${definition.name.text} has no option ${name}`,
        near === undefined || argument.name === undefined
          ? { hint: `its options are ${names.join(", ")}` }
          : meant(near, argument.name.span),
      );
      return undefined;
    }
    if (values.has(name)) {
      context.session.report.add("wrong-option", argument.span, `${definition.name.text} is given ${name} twice`, {
        hint: `its options are ${names.join(", ")}, in this order`,
      });
      return undefined;
    }
    const value = hyperParameter(context, argument.value, clock);
    if (value.kind === "invalid") return undefined;
    values.set(name, value);
  }
  const missing = definition.parameters.find(
    (parameter) => parameter.default === undefined && !values.has(parameter.name.text),
  );
  if (missing === undefined) return values;
  context.session.report.add("missing-parameter", at, `${definition.name.text} needs ${missing.name.text}`, {
    related: [{ span: missing.span, message: "it has no default" }],
    hint: `write ${definition.name.text}(${missing.name.text}: ...)`,
  });
  return undefined;
}

/** A number, or a schedule: a layer whose inputs are the clock's. */
export function hyperParameter(context: Context, expression: Expression, clock: Clock): Meaning {
  if (expression.kind !== "call" || expression.callee.kind !== "reference") return evaluate(context, expression);
  const callee = evaluate(context, expression.callee);
  if (callee.kind !== "definition" || !isSchedule(callee)) return evaluate(context, expression);
  const parameters = hyperParameters(context, callee, expression.args, clock, expression.span);
  if (parameters === undefined) return INVALID;
  const inputs = new Map(
    inputNames(callee.definition).map((name) => [
      name,
      { meaning: scalar(clock[name as keyof Clock], expression.span) as Meaning, span: expression.span },
    ]),
  );
  const applied = apply(
    context,
    instance(callee, parameters, expression.span),
    { inputs, state: undefined },
    expression.span,
  );
  return applied?.outs[0] ?? INVALID;
}

function isSchedule({ definition }: DefinitionValue): boolean {
  const names = inputNames(definition);
  return (
    definition.definitionKind === "layer" &&
    names.length > 0 &&
    names.every((name) => ["step", "steps", "epoch"].includes(name))
  );
}

/** The states of each optimizer that depend on the axes of a weight that has some: the same for all of them, so found once. */
export type Lifts = Map<InstanceValue, ReadonlySet<string>>;

/** One weight's update. `path` names its slots, whose new values `slots` is given. */
export function updateWeight(
  context: Context,
  optimizer: InstanceValue,
  path: string,
  weight: string,
  gradient: string,
  span: Span,
  slots: Slots,
  lifts: Lifts,
): Update | undefined {
  const { builder } = context.session;
  const { axes } = builder.type(weight);
  const full = (id: string): TensorValue => ({ ...scalar(id, span), visible: axes.map((axis) => visibleAxis(axis)) });
  const starts = startRecord(context, optimizer, span);
  if (starts === undefined) return undefined;
  const inputs = new Map<string, { meaning: Meaning; span: Span }>([
    ["w", { meaning: full(weight), span }],
    ["g", { meaning: full(gradient), span }],
  ]);
  const step = (fields: ReadonlyMap<string, TensorValue>): ReturnType<typeof apply> => {
    const state: RecordValue = { ...starts, fields };
    return apply(context, optimizer, { inputs, state: { meaning: state, span } }, span);
  };
  const found = axes.length === 0 ? NONE : lifts.get(optimizer);
  const lifted = found ?? liftedStates(context, optimizer, axes, step, full);
  if (axes.length > 0) lifts.set(optimizer, lifted);
  const names = stateItems(optimizer.definition).map((item) => item.name.text);
  const fields = new Map<string, TensorValue>();
  const known = new Map(names.map((name) => [name, slots.get(`${path}/${name}`)]));
  for (const name of names) {
    const id =
      known.get(name) ?? builder.param(`slot.${path}.${name}`, { dtype: "float", axes: lifted.has(name) ? axes : [] });
    fields.set(name, lifted.has(name) ? full(id) : scalar(id, span));
  }
  const applied = step(fields);
  const next = applied?.outs[0];
  const value = next === undefined ? undefined : asTensor(context, next, span);
  if (applied === undefined || value === undefined) return undefined;
  return {
    weight: move.expand(builder, value.id, axes),
    slots: names.map((name) => {
      const field = fields.get(name);
      const after = applied.state?.fields.get(name);
      const start = make.constantValue(builder, starts.fields.get(name)?.id ?? "") ?? 0;
      const wanted = lifted.has(name) ? axes : [];
      const next = move.expand(builder, after?.id ?? "", wanted);
      slots.set(`${path}/${name}`, next);
      return { name, param: known.get(name) === undefined ? field?.id : undefined, start, next };
    }),
  };
}

const NONE: ReadonlySet<string> = new Set();

/** The states that come to depend on the weight's axes; the least solution, from none on. */
function liftedStates(
  context: Context,
  optimizer: InstanceValue,
  axes: ReturnType<Context["session"]["builder"]["type"]>["axes"],
  step: (fields: ReadonlyMap<string, TensorValue>) => ReturnType<typeof apply>,
  full: (id: string) => TensorValue,
): ReadonlySet<string> {
  const { builder } = context.session;
  const names = stateItems(optimizer.definition).map((item) => item.name.text);
  const lifted = new Set<string>();
  for (let pass = 0; pass <= names.length; pass++) {
    const fields = new Map(
      names.map((name) => {
        const id = builder.forward(`trial.${name}`, { dtype: "float", axes: lifted.has(name) ? axes : [] });
        return [name, lifted.has(name) ? full(id) : { ...full(id), visible: [], condition: EVERYWHERE }] as const;
      }),
    );
    const applied = step(fields);
    const grown = names.filter((name) => {
      const next = applied?.state?.fields.get(name);
      return next !== undefined && !lifted.has(name) && axes.some((axis) => hasAxis(builder.type(next.id), axis.id));
    });
    if (grown.length === 0) return lifted;
    for (const name of grown) lifted.add(name);
  }
  return lifted;
}
