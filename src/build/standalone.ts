import { itemExpressions, mentions } from "../check/mentions.ts";
import { namedSize } from "../ir/size.ts";
import * as make from "../op/make.ts";
import * as sums from "../op/make_sum.ts";
import { cos } from "../op/map.ts";
import type { Definition, Expression, Typed, TypeExpression } from "../syntax/tree.ts";
import { children } from "../syntax/walk.ts";
import { type Applied, apply, ofPrior, openFrame, stateItems } from "./apply.ts";
import { declareFrame } from "./declare.ts";
import { declaredAxes, vocabularyOf } from "./declared.ts";
import { demand } from "./equation.ts";
import { type Context, type Frame, knownSlot, type Session } from "./frame.ts";
import { createSession, type ModelRequest, modelParameters, outerContext } from "./model.ts";
import { checkMoved } from "./moved.ts";
import type { InputSpec } from "./program.ts";
import { EVERYWHERE, type InstanceValue, type Meaning, type RecordValue, type TensorValue } from "./value.ts";

/** A cell, layer or distribution on its own: its inputs and states are params of the graph. */
export interface OpenDefinition {
  readonly session: Session;
  readonly context: Context;
  readonly frame: Frame;
  /** What it gives: a cell's next states too. */
  readonly outs: readonly TensorValue[];
  /** float [...]: the inputs and states, by name. */
  readonly leaves: ReadonlyMap<string, TensorValue>;
}

/** What a parameter without a default must be, from how it is used: only sizes and numbers can stand for themselves. */
export function needsArgument(definition: Definition): boolean {
  const open = definition.parameters
    .filter((parameter) => parameter.default === undefined)
    .map((parameter) => parameter.name.text);
  const roots = definition.items.flatMap((item) => [
    ...itemExpressions(item),
    ...("names" in item ? item.names.flatMap((name) => ("type" in name ? typeExpressions(name.type) : [])) : []),
  ]);
  return roots.some((root) => usesAs(root, open));
}

function typeExpressions(type: TypeExpression): readonly Expression[] {
  return (type.axes ?? []).map((axis) => axis.size);
}

/** Whether an expression calls one of the names, reads a position of it, or counts it. */
function usesAs(expression: Expression, names: readonly string[]): boolean {
  const named = (object: Expression): boolean => object.kind === "reference" && names.includes(object.name);
  if (expression.kind === "call") {
    const counted = expression.callee.kind === "reference" && expression.callee.name === "len";
    if (named(expression.callee) || (counted && expression.args.some((argument) => named(argument.value)))) return true;
  }
  if (expression.kind === "index" && named(expression.object)) return true;
  return children(expression).some((child) => usesAs(child, names));
}

/** Elaborates a definition by itself; undefined where it has mistakes, or needs a definition or list as a parameter. */
export function openDefinition(request: ModelRequest): OpenDefinition | undefined {
  const { definition, file } = request;
  const sizes = new Map(request.sizes);
  const { session, batch } = createSession(request, sizes);
  const outer = outerContext(session, request, batch);
  const instance: InstanceValue = {
    kind: "instance",
    definition,
    file,
    parameters: modelParameters(outer, request, sizes),
    path: "",
    blocks: undefined,
    declared: definition.name.span,
  };
  const scope = declareFrame(outer, instance, definition.name.span);
  for (const name of freeSizes(definition, scope.frame)) {
    const size = { kind: "size" as const, size: namedSize(name), from: definition.name.span };
    scope.frame.names.set(name, knownSlot(name, definition.name.span, "size", size));
  }
  const leaves = new Map<string, TensorValue>();
  const leaf = (typed: Typed): Meaning | undefined => {
    const value = leafOf(scope.context, batch, typed);
    if (value !== undefined) leaves.set(typed.name.text, value);
    return value;
  };
  const inputs = new Map<string, { meaning: Meaning; span: Typed["span"] }>();
  for (const item of definition.items) {
    if (item.kind !== "in" && item.kind !== "of") continue;
    const priors = item.kind === "in" && mentions(definition, "prior") ? item.names.map(ofPrior) : [];
    for (const typed of [...item.names, ...priors]) {
      const meaning = leaf(typed);
      if (meaning === undefined) return undefined;
      inputs.set(typed.name.text, { meaning, span: typed.span });
    }
  }
  const state = definition.definitionKind === "cell" ? stateOf(definition, leaf) : undefined;
  const given = { inputs, state: state === undefined ? undefined : { meaning: state, span: definition.name.span } };
  if (definition.definitionKind === "dist") return openDist(session, outer, instance, given, leaves);
  const applied = apply(outer, instance, given, definition.name.span);
  if (applied === undefined) return undefined;
  demandFrame(session, applied.frame);
  return { session, context: outer, frame: applied.frame, outs: outputs(applied), leaves };
}

function openDist(
  session: Session,
  outer: Context,
  instance: InstanceValue,
  given: Parameters<typeof openFrame>[2],
  leaves: ReadonlyMap<string, TensorValue>,
): OpenDefinition | undefined {
  const opened = openFrame(outer, instance, given, instance.declared);
  if (opened === undefined) return undefined;
  demandFrame(session, opened.frame);
  const slot = opened.frame.names.get("log_prob");
  if (slot === undefined) {
    session.report.add(
      "no-probability",
      instance.definition.name.span,
      `${instance.definition.name.text} has no log_prob`,
      {
        hint: "write an equation log_prob = ...",
      },
    );
    return undefined;
  }
  const meaning = demand(session, slot);
  const outs = meaning.kind === "tensor" ? [{ ...meaning, visible: [...opened.leading, ...meaning.visible] }] : [];
  return { session, context: outer, frame: opened.frame, outs, leaves };
}

function outputs(applied: Applied): readonly TensorValue[] {
  const outs = applied.outs.flatMap((out) => (out.kind === "tensor" ? [out] : []));
  return [...outs, ...(applied.state?.fields.values() ?? [])];
}

/** Asks for every name of a frame, so that all its mistakes are found. */
export function demandFrame(session: Session, frame: Frame): void {
  for (const slot of [...frame.names.values()]) if (slot.kind !== "family") demand(session, slot);
  checkMoved(session, frame);
}

/** Names in the shapes of inputs that are no parameters: a call binds them, here they stand for themselves. */
function freeSizes(definition: Definition, frame: Frame): readonly string[] {
  const typed = definition.items.flatMap((item): readonly Typed[] =>
    item.kind === "in" || item.kind === "of" ? item.names : [],
  );
  return typed
    .flatMap(({ type }) => [
      ...(type.axes ?? []).map((axis) => axis.size),
      ...(type.vocabulary === undefined ? [] : [type.vocabulary]),
    ])
    .flatMap((size) => (size.kind === "reference" && !frame.names.has(size.name) ? [size.name] : []));
}

function leafOf(context: Context, batch: Context["hidden"][number], typed: Typed): TensorValue | undefined {
  const { session } = context;
  const visible = declaredAxes(context, new Map(), typed);
  const vocabulary = vocabularyOf(context, typed);
  if (visible === undefined || vocabulary === "invalid") return undefined;
  const dtype = typed.type.base === "tok" ? "int" : typed.type.base;
  const axes = [batch, ...visible.filter((axis) => !axis.unit).map((axis) => axis.axis)];
  const name = typed.name.text;
  const id = session.builder.param(name, { dtype, axes });
  session.roles.set(id, { kind: "input", name });
  const value: TensorValue = {
    kind: "tensor",
    id,
    visible,
    vocabulary,
    condition: EVERYWHERE,
    zeroOutside: [],
    from: typed.span,
  };
  const spec: InputSpec = {
    name,
    dtype,
    vocabulary,
    shape: visible.map((axis) => axis.axis.size),
    times: visible.map(() => undefined),
    specials: [],
    ends: false,
    emitted: false,
    optional: false,
    span: typed.span,
    doc: undefined,
  };
  session.inputs.set(name, { spec, value });
  return value;
}

function stateOf(definition: Definition, leaf: (typed: Typed) => Meaning | undefined): RecordValue | undefined {
  const fields = new Map<string, TensorValue>();
  for (const item of stateItems(definition)) {
    const value = leaf(item);
    if (value?.kind !== "tensor") return undefined;
    fields.set(item.name.text, value);
  }
  return { kind: "record", fields, starts: fields, of: definition.name.text };
}

/** A scalar that depends on every output: Σ output · cos(position), so that no symmetry hides a wrong gradient. */
export function probeLoss({ session }: OpenDefinition, outs: readonly TensorValue[]): string {
  const { builder } = session;
  let loss = make.num(builder, 0);
  for (const [place, out] of outs.entries()) {
    const type = builder.type(out.id);
    if (type.dtype !== "float") continue;
    const phase = type.axes.reduce(
      (sum, axis, at) =>
        make.add(
          builder,
          sum,
          make.mul(builder, make.toFloat(builder, make.iota(builder, axis)), make.num(builder, 1 + 0.37 * at)),
        ),
      make.num(builder, 0.5 + place),
    );
    const weight = make.map(builder, cos, phase);
    loss = make.add(builder, loss, sums.sumOver(builder, make.mul(builder, out.id, weight), type.axes));
  }
  return loss;
}
