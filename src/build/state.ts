import type { Span } from "../base/span.ts";
import { constantSize, type Size } from "../ir/size.ts";
import * as make from "../op/make.ts";
import type { Expression, Typed } from "../syntax/tree.ts";
import { fits, realAxes, renameVisible } from "./align.ts";
import { stateItems } from "./apply.ts";
import { blamingInstance } from "./blame.ts";
import { declareFrame } from "./declare.ts";
import { demand } from "./equation.ts";
import { evaluate } from "./expression.ts";
import { type Context, frameContext, type Slot } from "./frame.ts";
import { type BoundArgument, instanceName, matchDeclared, zeroOf } from "./match.ts";
import { asTensor } from "./operators.ts";
import { settle } from "./record.ts";
import { tokenNumber } from "./special-token.ts";
import { blockState, reportNoStackState, stackState } from "./stack-state.ts";
import {
  describe,
  INVALID,
  type InstanceValue,
  type Meaning,
  type RecordValue,
  shapeText,
  type TensorValue,
  type VisibleAxis,
} from "./value.ts";

/** The state that a call gives a cell, field by field; a mistake is reported. */
export function bindState(
  context: Context,
  inner: Context,
  sizes: Map<string, Size>,
  instance: InstanceValue,
  state: { readonly meaning: Meaning; readonly span: Span },
): readonly BoundArgument[] | undefined {
  const starts = startRecord(context, instance, state.span);
  if (starts === undefined) return undefined;
  const settled = state.meaning.kind === "bottom" ? starts : settle(context, state.meaning);
  if (settled.kind !== "record") {
    if (settled.kind !== "invalid") reportNoState(context, instance, settled, state.span);
    return undefined;
  }
  const bound: BoundArgument[] = [];
  for (const item of stateItems(instance.definition)) {
    const field = settled.fields.get(item.name.text);
    if (field === undefined) {
      reportOtherState(context, instance, settled, item, state.span);
      return undefined;
    }
    const matched = matchDeclared(context, inner, sizes, item, field, state.span, instance);
    if (matched === undefined) return undefined;
    bound.push({ name: item.name.text, kind: "state", span: state.span, ...matched });
  }
  return bound;
}

function reportNoState(context: Context, instance: InstanceValue, found: Meaning, span: Span): void {
  const name = instanceName(instance);
  context.session.report.add("wrong-kind", span, `the state of ${name} is needed here, this is ${describe(found)}`, {
    related: found.kind === "tensor" ? [{ span: found.from, message: `${describe(found)} comes from here` }] : [],
    hint: `write ${name}.state(${stateItems(instance.definition)
      .map((item) => `${item.name.text}: ...`)
      .join(", ")}) to make one`,
  });
}

function reportOtherState(
  context: Context,
  instance: InstanceValue,
  found: RecordValue,
  item: Typed,
  span: Span,
): void {
  const { text } = item.name;
  const name = instanceName(instance);
  const states = stateItems(instance.definition).map(({ name: { text: own } }) =>
    found.fields.has(own) ? `${own}: s.${own}` : `${own}: ...`,
  );
  context.session.report.add("wrong-kind", span, `${describe(found)} has no ${text}, which ${name} keeps`, {
    related: [{ span: item.span, message: `${text} is declared here` }],
    hint: `make the state from what is there: ${name}.state(${states.join(", ")})`,
  });
}

/** A state that `scan ... from` starts with: every field that the cell keeps, in its shape. Undefined where one does not fit (reported). */
export function fitStart(
  context: Context,
  instance: InstanceValue,
  given: RecordValue,
  span: Span,
): RecordValue | undefined {
  if (instance.blocks !== undefined) {
    const fitted = instance.blocks.map((block, place) => {
      const own = blockState(given, place);
      return own && fitStart(context, block, own, span);
    });
    if (fitted.every((one) => one !== undefined)) return given;
    if (instance.blocks.some((_, place) => blockState(given, place) === undefined))
      reportNoStackState(context, instance, given, span);
    return undefined;
  }
  const starts = startRecord(context, instance, span);
  if (starts === undefined) return undefined;
  for (const item of stateItems(instance.definition)) {
    const field = given.fields.get(item.name.text);
    const declared = starts.fields.get(item.name.text);
    if (field === undefined) {
      reportOtherState(context, instance, given, item, span);
      return undefined;
    }
    if (declared === undefined || !fitsState(context, instance, field, declared, item, span)) return undefined;
  }
  return given;
}

/** Whether a value can be a state: a single number, or the declared shape. A shape that differs is reported. */
export function fitsState(
  context: Context,
  instance: InstanceValue,
  value: TensorValue,
  declared: TensorValue,
  item: Typed,
  span: Span,
): boolean {
  const own = realAxes(declared.visible).length;
  const last = own === 0 ? [] : realAxes(value.visible).slice(-own);
  if (value.visible.length === 0 || sameAxes({ ...value, visible: last }, declared)) return true;
  const name = instanceName(instance);
  const message = `the state ${item.name.text} of ${name} is ${shapeText(declared.visible)}, and was given ${shapeText(value.visible)}`;
  context.session.report.add("shape-mismatch", span, message, {
    related: [
      { span: value.from, message: `${shapeText(value.visible)} comes from here` },
      instance.path === ""
        ? { span: item.span, message: `${item.name.text} is declared here` }
        : { span: instance.declared, message: `${name} is made here` },
    ],
    hint: `give it a value of shape ${shapeText(declared.visible)}, or a single number`,
  });
  return false;
}

function sameAxes(a: TensorValue, b: TensorValue): boolean {
  const [left, right] = [realAxes(a.visible), realAxes(b.visible)];
  return (
    left.length === right.length &&
    left.every((axis, place) => {
      const other = right[place];
      return other !== undefined && fits(axis, other);
    })
  );
}

/** The start of each state: zero, or what its declaration says; of a stack of cells, each block's. */
export function startRecord(context: Context, instance: InstanceValue, span: Span): RecordValue | undefined {
  if (instance.blocks === undefined) {
    return blamingInstance(context, instance, span, () => startsOf(context, instance, span));
  }
  const { blocks, count, definition } = instance;
  const starts = blocks.flatMap((block) => startRecord(context, block, span) ?? []);
  if (starts.length < blocks.length) return undefined;
  return stackState(starts, count ?? constantSize(blocks.length), definition.name.text);
}

function startsOf(context: Context, instance: InstanceValue, span: Span): RecordValue | undefined {
  const { frame, context: inner } = declareFrame(context, instance, span);
  const base = frameContext(context.session, { ...frame, hidden: context.hidden });
  const fields = new Map<string, TensorValue>();
  for (const item of stateItems(instance.definition)) {
    const zero = zeroOf(inner, new Map(), item);
    if (zero === undefined) return undefined;
    if (item.start === undefined) {
      fields.set(item.name.text, zero);
      continue;
    }
    const value = startValue(base, zero, item.start);
    if (value === undefined || !fitsState(base, instance, value, zero, item, item.start.span)) return undefined;
    fields.set(item.name.text, value.visible.length === 0 ? { ...zero, id: value.id } : { ...value, from: item.span });
  }
  return { kind: "record", fields, starts: fields, of: instance.definition.name.text };
}

/** What a declaration says that a state starts as: `BOS` and whole numbers are tokens where it is one. */
function startValue(context: Context, zero: TensorValue, start: Expression): TensorValue | undefined {
  const { builder, report } = context.session;
  const meaning = evaluate(context, start);
  if (meaning.kind === "special" && zero.vocabulary !== undefined) {
    return { ...zero, visible: [], id: tokenNumber(context, zero.vocabulary, meaning.name), from: start.span };
  }
  const value = asTensor(context, meaning, start.span);
  if (value === undefined) return undefined;
  const whole = builder.type(zero.id).dtype === "int" && meaning.kind === "size";
  const own = whole ? { ...value, id: make.toInt(builder, value.id) } : value;
  if (builder.type(own.id).dtype === builder.type(zero.id).dtype) return own;
  report.add(
    "wrong-kind",
    start.span,
    `this state is ${kindText(context, zero)}, and starts as ${kindText(context, own)}`,
    {
      related: [{ span: zero.from, message: "it is declared here" }],
      hint: "a state keeps its kind",
    },
  );
  return undefined;
}

function kindText({ session }: Context, { id }: TensorValue): string {
  const { dtype } = session.builder.type(id);
  return dtype === "bool" ? "true or false" : dtype === "int" ? "tokens" : "numbers";
}

/** The state after the step: one equation with a prime for each state. */
export function nextState(
  inner: Context,
  instance: InstanceValue,
  leading: readonly VisibleAxis[],
  span: Span,
): RecordValue | undefined | "invalid" {
  const fields = new Map<string, TensorValue>();
  for (const item of stateItems(instance.definition)) {
    const slot = inner.frame.names.get(`${item.name.text}'`);
    if (slot === undefined) return "invalid";
    const meaning = demand(inner.session, slot);
    if (meaning.kind === "bottom") return "invalid";
    const value = meaning.kind === "invalid" ? undefined : asTensor(inner, meaning, slot.span);
    const declared = inner.frame.names.get(item.name.text);
    const before = declared === undefined ? INVALID : demand(inner.session, declared);
    if (value === undefined || before.kind !== "tensor") return "invalid";
    const fitted = fitNext(inner, value, before, item, slot);
    if (fitted === undefined) return "invalid";
    fields.set(item.name.text, { ...fitted, visible: [...leading, ...fitted.visible], from: span });
  }
  const starts = startRecord(inner, instance, span)?.fields ?? fields;
  return { kind: "record", fields, starts, of: instance.definition.name.text };
}

/** A state keeps its shape. */
function fitNext(
  inner: Context,
  value: TensorValue,
  before: TensorValue,
  item: Typed,
  slot: Slot,
): TensorValue | undefined {
  const { builder, report } = inner.session;
  if (builder.type(value.id).dtype !== builder.type(before.id).dtype) {
    report.add(
      "wrong-kind",
      slot.equation?.value.span ?? slot.span,
      `the state ${item.name.text} is ${kindText(inner, before)}, and its next value ${kindText(inner, value)}`,
      { related: [{ span: item.span, message: `${item.name.text} is declared here` }], hint: "a state keeps its kind" },
    );
    return undefined;
  }
  if (sameAxes(value, before)) {
    return renameVisible(
      inner,
      value,
      value.visible.map((axis, place) => before.visible[place]?.axis ?? axis.axis),
    );
  }
  if (value.visible.length === 0) return { ...value, visible: before.visible };
  inner.session.report.add(
    "shape-mismatch",
    slot.equation?.value.span ?? slot.span,
    `the state ${item.name.text} is ${shapeText(before.visible)}, and its next value ${shapeText(value.visible)}`,
    {
      related: [{ span: item.span, message: `${item.name.text} is declared here` }],
      hint: "a state keeps its shape",
    },
  );
  return undefined;
}
