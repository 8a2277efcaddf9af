import type { Span } from "../base/span.ts";
import { constantSize, equalSizes, isUnit, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import type { Definition, InItem, StateItem, Typed } from "../syntax/tree.ts";
import { EQUAL_BY_ACCIDENT, fits, freshen, realAxes, renameVisible } from "./align.ts";
import { blamingInstance } from "./blame.ts";
import { type BoundInput, declareFrame } from "./declare.ts";
import { demand } from "./equation.ts";
import { evaluate } from "./expression.ts";
import { type Context, type Frame, frameContext, knownSlot, type Slot } from "./frame.ts";
import { moveParams } from "./move-params.ts";
import { asTensor } from "./operators.ts";
import { settle } from "./record.ts";
import { asSize } from "./static.ts";
import {
  describe,
  EVERYWHERE,
  INVALID,
  type InstanceValue,
  type Meaning,
  type RecordValue,
  shapeText,
  shownSize,
  type TensorValue,
  type VisibleAxis,
  visibleAxis,
} from "./value.ts";

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

const DEEPEST = 64;

export function inputNames(definition: Definition): readonly string[] {
  return definition.items.flatMap((item) => (item.kind === "in" ? item.names.map((typed) => typed.name.text) : []));
}

/** Inputs in order; of a distribution also the value whose probability is asked for. */
function inputItems(definition: Definition, given: Given): readonly InItem["names"][number][] {
  return definition.items.flatMap((item) => {
    if (item.kind === "in") return item.names;
    if (item.kind !== "of") return [];
    return item.names
      .filter((typed) => given.inputs.has(typed.name.text))
      .map((typed) => ({ ...typed, default: undefined }));
  });
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
  if (session.depth >= DEEPEST) {
    reportEndless(context, instance);
    return undefined;
  }
  session.depth++;
  try {
    return blamingInstance(context, instance, span, () => applyOne(context, instance, given, span));
  } finally {
    session.depth--;
  }
}

/** Which definitions use each other, told at the first of them in the file. */
function reportEndless(context: Context, { definition, declared }: InstanceValue): void {
  const circle: { readonly definition: Definition; readonly made: Span }[] = [{ definition, made: declared }];
  for (let frame: Frame | undefined = context.frame; frame !== undefined; frame = frame.caller?.frame) {
    circle.unshift(frame);
    if (frame.definition === definition) break;
  }
  const steps = circle.slice(1);
  const first = steps.reduce((best, step) => (step.definition.span.start < best.definition.span.start ? step : best));
  const at = steps.indexOf(first);
  const order = [...steps.slice(at), ...steps.slice(0, at)].map((step) => step.definition.name.text);
  context.session.report.add(
    "endless-definition",
    first.definition.name.span,
    `${order[0]} uses itself without end: ${[...order, order[0]].join(" → ")}`,
    {
      related: steps.map(({ made, definition: { name } }) => ({ span: made, message: `${name.text} is used here` })),
      hint: "nothing is repeated by a definition that uses itself: write use f = stack 3 of ...",
    },
  );
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

interface BoundArgument {
  readonly name: string;
  readonly kind: "in" | "state";
  /** Its visible axes: those it is lifted over, then the declared ones. */
  readonly value: TensorValue;
  readonly leading: readonly VisibleAxis[];
  readonly span: Span;
}

function bind(
  context: Context,
  inner: Context,
  sizes: Map<string, Size>,
  item: Typed,
  argument: { readonly meaning: Meaning; readonly span: Span },
  instance: InstanceValue,
): BoundArgument | undefined {
  const { meaning, span } = argument;
  const kind = "in" as const;
  if (meaning.kind === "bottom" && meaning.otherwise === undefined) {
    const value = standIn(inner, sizes, item);
    return value === undefined ? undefined : { name: item.name.text, kind, value, leading: [], span };
  }
  const tensor = asTensor(context, settle(context, meaning), span);
  if (tensor === undefined) return undefined;
  const matched = matchDeclared(context, inner, sizes, item, tensor, span, instance);
  return matched === undefined ? undefined : { name: item.name.text, kind, span, ...matched };
}

/** Of a recurrence that is not known yet: a constant of the declared type. */
function standIn(inner: Context, sizes: ReadonlyMap<string, Size>, item: Typed): TensorValue | undefined {
  const visible = declaredAxes(inner, sizes, item);
  const vocabulary = vocabularyOf(inner, item);
  if (visible === undefined || vocabulary === "invalid") return undefined;
  const { builder } = inner.session;
  const id =
    item.type.base === "bool"
      ? make.bool(builder, false)
      : vocabulary === undefined
        ? make.num(builder, 0)
        : make.int(builder, 0);
  return { kind: "tensor", id, visible, vocabulary, condition: EVERYWHERE, zeroOutside: [], from: item.span };
}

/** The declared axes, where all their sizes are known; names bound by this call too. */
export function declaredAxes(
  inner: Context,
  sizes: ReadonlyMap<string, Size>,
  item: Pick<Typed, "type" | "span">,
): readonly VisibleAxis[] | undefined {
  const taken = new Set(inner.hidden.map((axis) => axis.id));
  const visible: VisibleAxis[] = [];
  for (const axis of item.type.axes ?? []) {
    const named = axis.size.kind === "reference" ? sizes.get(axis.size.name) : undefined;
    const size = named ?? asSize(inner, evaluate(inner, axis.size), axis.span);
    if (size === undefined) return undefined;
    visible.push(axisOfSize(inner, size, taken, axis.label?.text));
  }
  return visible;
}

/** A visible axis of this size; a `time` size has its lengths. */
export function axisOfSize(context: Context, size: Size, taken: Set<string>, label?: string): VisibleAxis {
  if (isUnit(size)) return visibleAxis({ id: "1", size }, label, true);
  const { axes } = context.session;
  const axis = axes.fresh(size, taken, axes.lengths(size.text));
  taken.add(axis.id);
  return visibleAxis(axis, label);
}

export function vocabularyOf(inner: Context, item: Pick<Typed, "type">): Size | undefined | "invalid" {
  const { vocabulary } = item.type;
  if (vocabulary === undefined) return undefined;
  return asSize(inner, evaluate(inner, vocabulary), vocabulary.span) ?? "invalid";
}

/** Matches declared axes with the argument's last ones; names that are no parameters are bound by it. */
function matchDeclared(
  context: Context,
  inner: Context,
  sizes: Map<string, Size>,
  item: Typed,
  value: TensorValue,
  span: Span,
  instance: InstanceValue,
): { readonly value: TensorValue; readonly leading: readonly VisibleAxis[] } | undefined {
  const wanted = item.type.axes ?? [];
  const own: VisibleAxis[] = [];
  let at = value.visible.length - 1;
  for (let place = wanted.length - 1; place >= 0; place--) {
    const declared = wanted[place];
    if (declared === undefined) continue;
    const axis = value.visible[at];
    const size = expectedSize(inner, sizes, declared.size);
    if (size === "invalid") return undefined;
    const label = declared.label?.text;
    if (size === "free") {
      if (axis === undefined) return reportInput(context, inner, item, value, span, instance, sizes);
      if (declared.size.kind === "reference") sizes.set(declared.size.name, axis.axis.size);
      own.unshift({ ...axis, label });
      at--;
    } else if (isUnit(size)) {
      if (axis?.unit === true) at--;
      own.unshift(visibleAxis({ id: "1", size }, label, true));
    } else {
      if (axis === undefined || axis.unit || !equalSizes(axis.axis.size, size)) {
        return reportInput(context, inner, item, value, span, instance, sizes);
      }
      own.unshift({ ...axis, label });
      at--;
    }
  }
  const leading = realAxes(value.visible.slice(0, at + 1));
  const checked = checkTokens(context, inner, sizes, item, value, span, instance);
  return checked ? { value: { ...value, visible: [...leading, ...own] }, leading } : undefined;
}

/** "free": a name that the call binds. */
function expectedSize(
  inner: Context,
  sizes: ReadonlyMap<string, Size>,
  expression: Parameters<typeof evaluate>[1],
): Size | "free" | "invalid" {
  if (expression.kind === "reference") {
    const bound = sizes.get(expression.name);
    if (bound !== undefined) return bound;
    if (!inner.frame.names.has(expression.name)) return "free";
  }
  return asSize(inner, evaluate(inner, expression), expression.span) ?? "invalid";
}

function checkTokens(
  context: Context,
  inner: Context,
  sizes: Map<string, Size>,
  item: Typed,
  value: TensorValue,
  span: Span,
  instance: InstanceValue,
): boolean {
  const { report } = context.session;
  const name = instanceName(instance);
  const { vocabulary } = item.type;
  const drawn =
    instance.definition.definitionKind === "dist" && !inputNames(instance.definition).includes(item.name.text);
  if (vocabulary === undefined) {
    if (value.vocabulary === undefined || item.type.base !== "float") return true;
    const text = drawn
      ? `${name} is a distribution of numbers, and this is ${describe(value)}`
      : `${name} takes numbers for ${item.name.text}, these are tokens`;
    report.add("wrong-kind", span, text, {
      related: [{ span: value.from, message: `${describe(value)} comes from here` }],
      hint: drawn
        ? "tokens are drawn from categorical(logits); a number is declared []"
        : "embed them, or write one_hot(...)",
    });
    return false;
  }
  if (context.session.builder.type(value.id).dtype !== "int") {
    const related =
      value.from.start === span.start
        ? []
        : [{ span: value.from, message: drawn ? "it is declared here" : "they come from here" }];
    const text = drawn
      ? `${name} is a distribution of tokens, and this is ${describe(value)}, of numbers`
      : `${name} takes tokens for ${item.name.text}, and was given numbers`;
    report.add("wrong-kind", span, text, {
      related: [...related, ...(drawn ? [] : [{ span: item.span, message: `${item.name.text} is declared here` }])],
      hint: drawn ? "declare it as tokens, as in emit y: tok(K) ~ ..." : "declare the input as tokens, as in tok(V)[T]",
    });
    return false;
  }
  const size = expectedSize(inner, sizes, vocabulary);
  if (size === "invalid") return false;
  if (size === "free") {
    if (vocabulary.kind === "reference" && value.vocabulary !== undefined) sizes.set(vocabulary.name, value.vocabulary);
    return true;
  }
  if (value.vocabulary === undefined || equalSizes(value.vocabulary, size)) return true;
  const below = shownSize(size.text);
  report.add(
    "token-size",
    span,
    `${name} ${drawn ? "draws" : "takes"} tokens below ${below}, and ${drawn ? "this is" : "was given"} ${describe(value)}`,
    {
      related: [{ span: value.from, message: `${describe(value)} comes from here` }],
      hint: drawn
        ? `emit tok(${below}), or give logits of size ${shownSize(value.vocabulary.text)}`
        : "each vocabulary has a table of its own",
    },
  );
  return false;
}

function reportInput(
  context: Context,
  inner: Context,
  item: Typed,
  value: TensorValue,
  span: Span,
  instance: InstanceValue,
  sizes: ReadonlyMap<string, Size>,
): undefined {
  const name = instanceName(instance);
  const wanted = (item.type.axes ?? []).map((axis) => {
    const size = expectedSize(inner, sizes, axis.size);
    const text = typeof size === "string" ? (axis.size.kind === "reference" ? axis.size.name : "?") : size.text;
    return axis.label === undefined ? text : `${axis.label.text}: ${text}`;
  });
  context.session.report.add(
    "shape-mismatch",
    span,
    `${name} takes ${item.name.text}: [${wanted.join(", ")}], and was given ${shapeText(value.visible)}`,
    {
      related: [
        { span: value.from, message: `${shapeText(value.visible)} comes from here` },
        { span: instance.declared, message: `${name} is made here` },
      ],
      hint: inputHint(context, instance, value, wanted),
    },
  );
  return undefined;
}

function inputHint(
  { session }: Context,
  { path }: InstanceValue,
  value: TensorValue,
  wanted: readonly string[],
): string | undefined {
  if (/\.\d+$/.test(path))
    return "the blocks of a stack feed one another: what a block gives must have the shape of what it takes";
  if (value.visible.length < wanted.length) {
    return `${wanted.length === 1 ? "one axis is" : `${wanted.length} axes are`} needed, there ${value.visible.length === 1 ? "is one" : `are ${value.visible.length}`}`;
  }
  const last = value.visible.slice(-wanted.length).map(({ axis }) => session.sizes.get(axis.size.text));
  const equal = wanted.every((text, place) => last[place] !== undefined && last[place] === session.sizes.get(text));
  return equal ? EQUAL_BY_ACCIDENT : "change the size where it is made, or give it another value";
}

/** `l1`, or the definition's own name where it was called on the spot. */
function instanceName({ path, definition }: InstanceValue): string {
  return path === "" ? definition.name.text : path;
}

function reportMissing(context: Context, instance: InstanceValue, item: Typed, span: Span): void {
  context.session.report.add(
    "wrong-arguments",
    span,
    `${instanceName(instance)} is not given its input ${item.name.text}`,
    {
      related: [{ span: item.span, message: `${item.name.text} is declared here` }],
      hint: `write ${instanceName(instance)}(${inputNames(instance.definition).join(", ")})`,
    },
  );
}

function bindState(
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

/** The start of each state: zero, or what its declaration says. */
export function startRecord(context: Context, instance: InstanceValue, span: Span): RecordValue | undefined {
  return blamingInstance(context, instance, span, () => startsOf(context, instance, span));
}

function startsOf(context: Context, instance: InstanceValue, span: Span): RecordValue | undefined {
  const { frame, context: inner } = declareFrame(context, instance, span);
  const base = frameContext(context.session, { ...frame, hidden: context.hidden });
  const fields = new Map<string, TensorValue>();
  for (const item of stateItems(instance.definition)) {
    const visible = declaredAxes(inner, new Map(), item);
    if (visible === undefined) return undefined;
    const zero: TensorValue = {
      kind: "tensor",
      id: make.num(context.session.builder, 0),
      visible,
      vocabulary: undefined,
      condition: EVERYWHERE,
      zeroOutside: [],
      from: item.span,
    };
    if (item.start === undefined) {
      fields.set(item.name.text, zero);
      continue;
    }
    const value = asTensor(base, evaluate(base, item.start), item.start.span);
    if (value === undefined || !fitsState(base, instance, value, zero, item, item.start.span)) return undefined;
    fields.set(item.name.text, value.visible.length === 0 ? { ...zero, id: value.id } : { ...value, from: item.span });
  }
  return { kind: "record", fields, starts: fields, of: instance.definition.name.text };
}

/** The axes that all arguments are lifted over: those of the argument with the most, which the others must fit. */
function jointLeading(
  context: Context,
  bound: readonly BoundArgument[],
  span: Span,
): readonly VisibleAxis[] | undefined {
  let longest: readonly VisibleAxis[] = [];
  for (const argument of bound) if (argument.leading.length > longest.length) longest = argument.leading;
  for (const argument of bound) {
    if (placesIn(argument.leading, longest) !== undefined) continue;
    const other = bound.find((candidate) => candidate.leading === longest) ?? argument;
    context.session.report.add(
      "shape-mismatch",
      span,
      `this is applied at each position of ${shapeText(other.leading)} for ${other.name}, and of ${shapeText(argument.leading)} for ${argument.name}: they differ`,
      {
        related: [other, argument].map((one) => ({
          span: one.value.from,
          message: `${one.name} is ${shapeText(one.value.visible)}, from here`,
        })),
        hint: "what an argument has beyond its declared axes must be the same for all, or absent; else write an index equation",
      },
    );
    return undefined;
  }
  return longest.map((axis) => ({ ...axis, nonempty: undefined }));
}

/** Prefers axes with the same id, so that lifting over two equal sizes stays what it was. */
function placesIn(short: readonly VisibleAxis[], long: readonly VisibleAxis[]): readonly number[] | undefined {
  const places: number[] = [];
  let from = 0;
  for (const axis of short) {
    const same = long.findIndex((other, place) => place >= from && other.axis.id === axis.axis.id);
    const place = same >= 0 ? same : long.findIndex((other, at) => at >= from && fits(axis, other));
    if (place < 0) return undefined;
    places.push(place);
    from = place + 1;
  }
  return places;
}

function alignLeading(context: Context, argument: BoundArgument, leading: readonly VisibleAxis[]): TensorValue {
  const places = placesIn(argument.leading, leading) ?? [];
  const targets = places.map((place) => leading[place]?.axis);
  return renameVisible(
    context,
    argument.value,
    argument.value.visible.map((axis, place) => targets[place] ?? axis.axis),
  );
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

/** The state after the step: one equation with a prime for each state. */
function nextState(
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

/** A stack of blocks: the first output feeds the next block, other inputs go to all, other outputs get an axis in front. */
function applyStack(context: Context, instance: InstanceValue, given: Given, span: Span): Applied | undefined {
  const blocks = instance.blocks ?? [];
  const [first] = inputNames(instance.definition);
  let inputs = given.inputs;
  let last: Applied | undefined;
  const others: Meaning[][] = [];
  for (const block of blocks) {
    last = apply(context, block, { inputs, state: given.state }, span);
    const travels = last?.outs[0];
    if (last === undefined || travels === undefined || first === undefined) return undefined;
    inputs = new Map([...inputs, [first, { meaning: travels, span }]]);
    others.push([...last.outs.slice(1)]);
  }
  if (last === undefined) return emptyStack(context, instance, given, first, span);
  const count = others[0]?.length ?? 0;
  const stacked = Array.from({ length: count }, (_, place) =>
    stackValues(
      context,
      others.map((outs) => outs[place] ?? INVALID),
      instance.count ?? constantSize(blocks.length),
      span,
    ),
  );
  return { ...last, outs: [last.outs[0] ?? INVALID, ...stacked] };
}

function emptyStack(
  context: Context,
  instance: InstanceValue,
  given: Given,
  first: string | undefined,
  span: Span,
): Applied | undefined {
  const travels = first === undefined ? undefined : given.inputs.get(first)?.meaning;
  if (travels === undefined) return undefined;
  return { outs: [travels], state: undefined, frame: declareFrame(context, instance, span).frame };
}

function stackValues(context: Context, values: readonly Meaning[], size: Size, span: Span): Meaning {
  const tensors = values.filter((value) => value.kind === "tensor");
  const model = tensors[0];
  if (model === undefined || tensors.length !== values.length) return INVALID;
  if (values.length === 1)
    return { ...model, visible: [visibleAxis({ id: "1", size }, undefined, true), ...model.visible] };
  const { axes, builder } = context.session;
  const taken = new Set([...context.hidden.map((axis) => axis.id), ...model.visible.map((axis) => axis.axis.id)]);
  const counted = axes.fresh(constantSize(values.length), taken);
  const aligned = tensors.map((tensor) =>
    renameVisible(
      context,
      tensor,
      model.visible.map((shown) => shown.axis),
    ),
  );
  const joined = move.concat(
    builder,
    aligned.map((tensor) => tensor.id),
    aligned.map(() => ""),
    counted,
  );
  const axis: Axis = equalSizes(size, counted.size) ? counted : axes.fresh(size, taken);
  const id = axis === counted ? joined : move.slice(builder, joined, counted.id, axis, constantSize(0));
  return {
    ...model,
    id,
    visible: [visibleAxis(axis), ...model.visible],
    from: span,
  };
}
