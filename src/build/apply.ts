import type { Span } from "../base/span.ts";
import type { Size } from "../ir/size.ts";
import type { Definition, InItem, StateItem, Typed } from "../syntax/tree.ts";
import { freshen, realAxes } from "./align.ts";
import { blamingInstance } from "./blame.ts";
import { type BoundInput, declareFrame } from "./declare.ts";
import { isEndless } from "./endless.ts";
import { evaluate } from "./expression.ts";
import { type Context, type Frame, frameContext, knownSlot } from "./frame.ts";
import { alignLeading, jointLeading } from "./lift.ts";
import { type BoundArgument, bind, reportMissing } from "./match.ts";
import { moveParams } from "./move-params.ts";
import { applyStack } from "./stack.ts";
import { bindState, nextState } from "./state.ts";
import type { InstanceValue, Meaning, RecordValue, TensorValue, VisibleAxis } from "./value.ts";

/** What a call hands over. */
export interface Given {
  readonly inputs: ReadonlyMap<string, { readonly meaning: Meaning; readonly span: Span }>;
  /** A cell's state before this step. */
  readonly state: { readonly meaning: Meaning; readonly span: Span } | undefined;
}

/** What an application gives back; a cell also its state after the step. */
export interface Applied {
  readonly outs: readonly Meaning[];
  readonly state: RecordValue | undefined;
  /** The frame it ran in: where other names of the definition can be asked for. */
  readonly frame: Frame;
}

export function inputNames(definition: Definition): readonly string[] {
  return definition.items.flatMap((item) => (item.kind === "in" ? item.names.map((typed) => typed.name.text) : []));
}

/** Inputs in order; of a distribution also the value whose probability is asked for, and the inputs of its prior. */
function inputItems(definition: Definition, given: Given): readonly InItem["names"][number][] {
  return definition.items.flatMap((item) => {
    if (item.kind === "in") {
      const priors = definition.definitionKind === "dist" ? item.names.map(ofPrior) : [];
      return [...item.names, ...priors.filter((typed) => given.inputs.has(typed.name.text))];
    }
    if (item.kind !== "of") return [];
    return item.names
      .filter((typed) => given.inputs.has(typed.name.text))
      .map((typed) => ({ ...typed, default: undefined }));
  });
}

/** `prior.mu` beside `mu`: what a distribution's `divergence` is from. */
export function ofPrior<T extends Pick<Typed, "name">>(typed: T): T & { readonly default: undefined } {
  return { ...typed, name: { ...typed.name, text: `prior.${typed.name.text}` }, default: undefined };
}

export function stateItems(definition: Definition): readonly StateItem["names"][number][] {
  return definition.items.flatMap((item) => (item.kind === "state" ? item.names : []));
}

/**
 * Applies a definition to values (lowering 2, `call`): axes that it does not declare become hidden inside it and come
 * first in the results.
 */
export function apply(context: Context, instance: InstanceValue, given: Given, span: Span): Applied | undefined {
  if (instance.blocks !== undefined) return applyStack(context, instance, given, span);
  const { session } = context;
  if (isEndless(context, instance)) return undefined;
  session.depth++;
  session.applied++;
  try {
    return blamingInstance(context, instance, span, () => applyOne(context, instance, given, span));
  } finally {
    session.depth--;
  }
}

function applyOne(context: Context, instance: InstanceValue, given: Given, span: Span): Applied | undefined {
  const opened = openFrame(context, instance, given, span);
  if (opened === undefined) return undefined;
  const { frame, leading } = opened;
  const inner = frameContext(context.session, frame);
  const outs: Meaning[] = [];
  for (const item of instance.definition.items) {
    if (item.kind !== "out") continue;
    for (const value of item.values) outs.push(exported(evaluate(inner, value), leading, span));
  }
  const state = instance.definition.definitionKind === "cell" ? nextState(inner, instance, leading, span) : undefined;
  if (state === "invalid" || outs.some((out) => out.kind === "invalid")) return undefined;
  moveParams(context.session, frame);
  return { outs, state, frame };
}

/** A frame of the definition with its inputs bound, and the axes that it lifts over. */
export function openFrame(
  context: Context,
  instance: InstanceValue,
  given: Given,
  span: Span,
): { readonly frame: Frame; readonly leading: readonly VisibleAxis[] } | undefined {
  return blamingInstance(context, instance, span, () => bindFrame(context, instance, given, span));
}

function bindFrame(context: Context, instance: InstanceValue, given: Given, span: Span): ReturnType<typeof openFrame> {
  const { definition } = instance;
  const scope = declareFrame(context, instance, span);
  const bound: BoundArgument[] = [];
  const sizes = new Map<string, Size>();
  for (const item of inputItems(definition, given)) {
    const argument = given.inputs.get(item.name.text);
    if (argument === undefined && item.default !== undefined) continue;
    const input = argument === undefined ? undefined : bind(context, scope.context, sizes, item, argument, instance);
    if (argument === undefined) reportMissing(context, instance, item, span);
    if (input === undefined) return undefined;
    bound.push(input);
  }
  for (const [name, size] of sizes)
    scope.frame.names.set(name, knownSlot(name, span, "size", { kind: "size", size, from: span }));
  if (definition.definitionKind === "cell" && given.state !== undefined) {
    const fields = bindState(context, scope.context, sizes, instance, given.state);
    if (fields === undefined) return undefined;
    bound.push(...fields);
  }
  const leading = jointLeading(context, bound, span);
  if (leading === undefined) return undefined;
  const hidden = [...context.hidden, ...realAxes(leading).map((axis) => axis.axis)];
  const taken = new Set(hidden.map((axis) => axis.id));
  const inputs: BoundInput[] = bound.map((argument) => {
    const aligned = alignLeading(context, argument, leading);
    const own: TensorValue = { ...aligned, visible: aligned.visible.slice(argument.leading.length) };
    return {
      name: argument.name,
      kind: argument.kind,
      value: freshen({ ...context, hidden }, own, taken),
      span: declaredAt(definition, argument.name) ?? argument.span,
    };
  });
  return { frame: scope.complete(hidden, inputs), leading };
}

function declaredAt(definition: Definition, name: string): Span | undefined {
  for (const item of definition.items) {
    if (item.kind !== "in" && item.kind !== "of" && item.kind !== "state") continue;
    const found = item.names.find((typed) => typed.name.text === name);
    if (found !== undefined) return found.name.span;
  }
  return undefined;
}

/** A result as the caller sees it: the axes it was lifted over come first. */
function exported(value: Meaning, leading: readonly VisibleAxis[], span: Span): Meaning {
  if (value.kind === "tensor") return { ...value, visible: [...leading, ...value.visible], from: span };
  if (value.kind === "record") {
    const fields = new Map<string, TensorValue>();
    for (const [name, field] of value.fields) fields.set(name, { ...field, visible: [...leading, ...field.visible] });
    return { ...value, fields };
  }
  return value;
}
