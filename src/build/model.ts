import type { Report } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import { mentions } from "../check/mentions.ts";
import { definitionNames, findDefinition, isMissingAnyway, type Modules } from "../check/modules.ts";
import { createBuilder } from "../ir/builder.ts";
import { constantSize, isUnit, namedSize, type Size, sizeConstant } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import type { Call, Definition, EmitItem, Expression, TypeExpression } from "../syntax/tree.ts";
import { createAxisTable } from "./axes.ts";
import { declare, declareFrame } from "./declare.ts";
import { axisOfSize } from "./declared.ts";
import { demand } from "./equation.ts";
import { evaluate } from "./expression.ts";
import { type Context, type Frame, frameContext, knownSlot, type Session } from "./frame.ts";
import { givenParameters } from "./instance.ts";
import { moveParams, movesParams } from "./move-params.ts";
import { checkMoved } from "./moved.ts";
import type { InputSpec } from "./program.ts";
import { rangesOf } from "./range.ts";
import { asSize } from "./static.ts";
import { declareTies } from "./tie.ts";
import {
  EVERYWHERE,
  INVALID,
  type InstanceValue,
  type Meaning,
  type TensorValue,
  type VisibleAxis,
  visibleAxis,
} from "./value.ts";

export interface ModelRequest {
  readonly modules: Modules;
  /** The file that defines the model. */
  readonly file: string;
  readonly definition: Definition;
  /** `Model(Cell: Mine)` in a regime; undefined takes every default. */
  readonly parameters: Call | undefined;
  /** The file that `parameters` is written in. */
  readonly parametersFile: string;
  /** Sizes that data, weights or options give, by name; they win over defaults. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Every example of a batch is as long as the longest: no lengths, no masks. */
  readonly dense: boolean;
  /** Emitted arrays that are chosen, not given: the decoder closes them. */
  readonly chosen?: ReadonlySet<string>;
  readonly report: Report;
}

/** A model being elaborated: ask its frame for names, its emissions for losses. */
export interface OpenModel {
  readonly session: Session;
  readonly frame: Frame;
  readonly context: Context;
  readonly emissions: readonly EmitItem[];
}

export const BATCH = "B";

/** An elaboration of its own, and the batch axis. */
export function createSession(
  request: ModelRequest,
  sizes: Map<string, number>,
  metrics?: Session["metrics"],
): { readonly session: Session; readonly batch: Axis } {
  const { definition } = request;
  const builder = createBuilder(definition.name.text);
  const axes = createAxisTable(builder);
  const batch = axes.fresh(namedSize(BATCH), new Set());
  const times = definition.items.flatMap((item) => (item.kind === "time" ? item.names.map((name) => name.text) : []));
  const session: Session = {
    builder,
    axes,
    report: request.report,
    modules: request.modules,
    sizes,
    dense: request.dense,
    roles: new Map(),
    specials: (["BOS", "EOS"] as const).filter((name) => mentions(definition, name)),
    weights: new Map(),
    inputs: new Map(),
    ties: new Map(),
    moved: new Map(),
    movedBefore: new Map(),
    trail: [],
    busy: [],
    streams: new Map(),
    times: new Set(times),
    specialVocabularies: new Set(),
    doubtful: new Map(),
    metrics,
    depth: 0,
    applied: 0,
  };
  return { session, batch };
}

/** Opens a model: its inputs and emitted arrays become params of the graph, with the batch as hidden axis. */
export function openModel(request: ModelRequest, metrics?: Session["metrics"]): OpenModel {
  const { definition, file } = request;
  const sizes = new Map(request.sizes);
  const { session, batch } = createSession(request, sizes, metrics);
  const outer = outerContext(session, request, batch);
  const parameters = modelParameters(outer, request, sizes);
  for (const name of session.times) declareTime(session, name, batch);
  const instance: InstanceValue = {
    kind: "instance",
    definition,
    file,
    parameters,
    path: "",
    blocks: undefined,
    declared: definition.name.span,
  };
  const scope = declareFrame(outer, instance, definition.name.span);
  for (const item of definition.items) {
    if (item.kind !== "time") continue;
    for (const { text, span } of item.names) {
      declare(session, scope.frame, knownSlot(text, span, "size", { kind: "size", size: namedSize(text), from: span }));
    }
  }
  declareTies(scope.context);
  declareLeaves(scope.context, batch, request.chosen ?? new Set());
  const frame = scope.complete([batch], []);
  if (movesParams(request.modules, file, definition)) moveInOrder(session, frame);
  return {
    session,
    frame,
    context: frameContext(session, frame),
    emissions: definition.items.filter((item) => item.kind === "emit"),
  };
}

/** Params are moved in the order of the file, whatever asks for what first. */
function moveInOrder(session: Session, frame: Frame): void {
  for (const item of frame.definition.items) {
    if (item.kind !== "equation") continue;
    for (const { name, primed } of item.targets) {
      const slot = frame.names.get(primed ? `${name.text}'` : name.text);
      if (slot?.kind === "equation") demand(session, slot);
    }
  }
  moveParams(session, frame);
}

/** A frame around the model: nothing but the names of its file. */
export function outerContext(session: Session, request: ModelRequest, batch: Axis): Context {
  const frame: Frame = {
    file: request.parametersFile,
    definition: request.definition,
    path: "",
    hidden: [batch],
    names: new Map(),
    caller: undefined,
    made: request.definition.name.span,
  };
  return frameContext(session, frame);
}

/**
 * A model's integer parameters stay names in shapes (`H`, not 512), so that equal numbers are not equal sizes; one
 * without a default comes from the data.
 */
export function modelParameters(
  context: Context,
  request: ModelRequest,
  sizes: Map<string, number>,
): ReadonlyMap<string, Meaning> {
  const { definition, parameters: call } = request;
  const value = { kind: "definition" as const, definition, file: request.file, given: new Map() };
  const given =
    call === undefined ? new Map<string, Meaning>() : (givenParameters(context, value, call.args) ?? new Map());
  const inner = { ...context, frame: { ...context.frame, file: request.file } };
  const parameters = new Map<string, Meaning>();
  for (const { name, default: fallback } of definition.parameters) {
    const own = given.get(name.text) ?? (fallback === undefined ? undefined : evaluate(inner, fallback));
    const meaning = named(name.text, name.span, own, sizes);
    parameters.set(name.text, meaning);
    inner.frame.names.set(name.text, knownSlot(name.text, name.span, "parameter", meaning));
  }
  return parameters;
}

function named(
  name: string,
  from: EmitItem["span"],
  meaning: Meaning | undefined,
  sizes: Map<string, number>,
): Meaning {
  if (meaning !== undefined && meaning.kind !== "size") return meaning;
  const constant = meaning === undefined ? undefined : sizeConstant(meaning.size);
  if (meaning !== undefined && constant === undefined) return meaning;
  if (constant !== undefined && constant < 1)
    return sizes.has(name) ? { kind: "size", size: constantSize(sizes.get(name) ?? 0), from } : (meaning ?? INVALID);
  if (constant !== undefined && !sizes.has(name)) sizes.set(name, constant);
  return { kind: "size", size: sizes.get(name) === 1 ? constantSize(1) : namedSize(name), from };
}

/** `time T`: an axis whose lengths are given with the data. */
function declareTime(session: Session, name: string, batch: Axis): void {
  const { builder, axes } = session;
  if (session.dense) {
    axes.fresh(namedSize(name), new Set());
    return;
  }
  const length = builder.param(`${name}.length`, { dtype: "int", axes: [batch] });
  session.roles.set(length, { kind: "length", time: name });
  axes.fresh(namedSize(name), new Set(), { length, start: undefined });
}

/** Inputs, and the arrays that emissions produce: data when training, all params of the graph. */
function declareLeaves(context: Context, batch: Axis, chosen: ReadonlySet<string>): void {
  const { session, frame } = context;
  for (const item of frame.definition.items) {
    if (item.kind === "in") {
      for (const typed of item.names) {
        const visible = leafAxes(context, typed.type, batch);
        if (visible !== undefined)
          declareLeaf(context, typed.name.text, typed.type, visible, batch, typed.span, chosen);
        else declare(session, frame, knownSlot(typed.name.text, typed.name.span, "in", INVALID));
      }
    }
  }
  for (const item of frame.definition.items) {
    if (item.kind !== "emit") continue;
    const before = frame.names.get(item.name.text);
    if (before !== undefined) {
      checkEmitted(context, item);
      continue;
    }
    const visible = item.type === undefined ? undefined : emittedAxes(context, item, item.type, batch);
    if (item.type === undefined) {
      session.report.add("nothing-emitted", item.name.span, `the type of ${item.name.text} is not said`, {
        hint: `write emit ${item.name.text}: tok(K) ~ ..., or declare in ${item.name.text}: ...`,
      });
    }
    if (item.type === undefined || visible === undefined) {
      declare(session, frame, knownSlot(item.name.text, item.name.span, "in", INVALID));
      continue;
    }
    declareLeaf(context, item.name.text, item.type, visible, batch, item.name.span, chosen);
  }
}

function checkEmitted(context: Context, item: EmitItem): void {
  const { session, frame } = context;
  const input = session.inputs.get(item.name.text);
  if (input === undefined) {
    const before = frame.names.get(item.name.text);
    session.report.add("duplicate-name", item.name.span, `${item.name.text} already has a meaning here`, {
      related: before === undefined ? [] : [{ span: before.span, message: "first given here" }],
      hint: "an emission is a new name, or one of the inputs",
    });
    return;
  }
  if (item.type !== undefined) {
    session.report.add("duplicate-name", item.type.span, `${item.name.text} has its type from its \`in\``, {
      related: [{ span: input.spec.span, message: "declared here" }],
      hint: "leave the type out here",
      fix: {
        title: "leave the type out",
        edits: [{ span: typeOf(session.modules, item.name, item.type.span), text: "" }],
      },
    });
  }
}

/** A type with the colon before it. */
function typeOf(modules: Modules, name: EmitItem["name"], type: EmitItem["span"]): EmitItem["span"] {
  const text = modules.all.get(type.file)?.text.slice(name.span.end, type.start) ?? "";
  return { ...type, start: name.span.end + Math.max(0, text.lastIndexOf(":")) };
}

function leafAxes(context: Context, type: TypeExpression, batch: Axis): readonly VisibleAxis[] | undefined {
  const taken = new Set([batch.id]);
  const visible: VisibleAxis[] = [];
  for (const axis of type.axes ?? []) {
    const size = asSize(context, evaluate(context, axis.size), axis.span);
    if (size === undefined) return undefined;
    visible.push(axisOfSize(context, size, taken, axis.label?.text));
  }
  return visible;
}

/** `emit phones[t in T]: tok(K)` has the axis T, and those of its type. */
function emittedAxes(
  context: Context,
  item: EmitItem,
  type: TypeExpression,
  batch: Axis,
): readonly VisibleAxis[] | undefined {
  const inner = { ...context, hidden: [batch] };
  const unsaid = item.indices.find((index) => index.range === undefined);
  if (unsaid !== undefined) {
    const [time, ...others] = context.session.times;
    const range = `${unsaid.name.text} in ${time ?? "T"}`;
    context.session.report.add("no-range", unsaid.span, `what ${unsaid.name.text} ranges over is not said`, {
      hint: `write emit ${item.name.text}[${range}]`,
      fix:
        time === undefined || others.length > 0 || unsaid.offset !== 0
          ? undefined
          : { title: `write ${range}`, edits: [{ span: unsaid.span, text: range }] },
    });
    return undefined;
  }
  const indices = rangesOf(inner, item.indices, [], undefined);
  const own = leafAxes(context, type, batch);
  if (indices === undefined || own === undefined) return undefined;
  const taken = new Set([batch.id, ...indices.map(({ axis }) => axis.id)]);
  const front = indices.map(({ axis }) => visibleAxis(axis));
  return [...front, ...own.map((axis) => (axis.unit ? axis : axisOfSize(context, axis.axis.size, taken, axis.label)))];
}

function declareLeaf(
  context: Context,
  name: string,
  type: TypeExpression,
  visible: readonly VisibleAxis[],
  batch: Axis,
  span: EmitItem["span"],
  chosen: ReadonlySet<string>,
): void {
  const { session, frame } = context;
  const vocabulary = leafVocabulary(context, type);
  if (vocabulary === "invalid") {
    declare(session, frame, knownSlot(name, span, "in", INVALID));
    return;
  }
  const dtype = type.base === "tok" ? "int" : type.base;
  const real = visible.filter((axis) => !axis.unit).map((axis) => axis.axis);
  const leafType = { dtype, axes: [batch, ...real] } as const;
  const id = chosen.has(name) ? session.builder.forward(name, leafType) : session.builder.param(name, leafType);
  if (!chosen.has(name)) session.roles.set(id, { kind: "input", name });
  const value: TensorValue = {
    kind: "tensor",
    id,
    visible,
    vocabulary,
    condition: EVERYWHERE,
    zeroOutside: [],
    from: span,
  };
  const emitted = frame.definition.items.some((item) => item.kind === "emit" && item.name.text === name);
  const until = frame.definition.items.some(
    (item) => item.kind === "emit" && item.name.text === name && item.until !== undefined,
  );
  const spec: InputSpec = {
    name,
    dtype,
    vocabulary,
    shape: visible.map((axis) => (axis.unit ? constantSize(1) : axis.axis.size)),
    times: visible.map((axis) => (session.times.has(axis.axis.size.text) ? axis.axis.size.text : undefined)),
    specials: until ? session.specials : [],
    ends: until,
    emitted,
    span,
    doc: undefined,
  };
  session.inputs.set(name, { spec, value });
  declare(session, frame, knownSlot(name, span, "in", value));
}

export function leafVocabulary(context: Context, type: TypeExpression): Size | undefined | "invalid" {
  if (type.vocabulary === undefined) return undefined;
  const size = asSize(context, evaluate(context, type.vocabulary), type.vocabulary.span);
  return size === undefined || isUnit(size) ? "invalid" : size;
}

/** The specs of all inputs, with the special tokens that the model turned out to read. */
export function inputSpecs(session: Session): readonly InputSpec[] {
  return [...session.inputs.values()].map(({ spec }) => {
    const special = spec.vocabulary !== undefined && session.specialVocabularies.has(spec.vocabulary.text);
    return special ? { ...spec, specials: session.specials } : spec;
  });
}

/** Asks for every name of the model's frame, so that all its mistakes are found, not only those on the way to a loss. */
export function demandAll(model: OpenModel): void {
  for (const slot of [...model.frame.names.values()]) if (slot.kind !== "family") demand(model.session, slot);
  checkMoved(model.session, model.frame);
}

/** The model that a regime, generation or check names. */
export function findModel(
  modules: Modules,
  file: string,
  expression: Expression,
  report: Report,
): { readonly definition: Definition; readonly file: string; readonly call: Call | undefined } | undefined {
  const callee = expression.kind === "call" ? expression.callee : expression;
  const name = callee.kind === "reference" ? callee.name : undefined;
  const found = name === undefined ? undefined : findDefinition(modules, file, name);
  if (found === undefined) {
    if (name === undefined || !isMissingAnyway(modules, file, name)) reportNoModel(modules, file, callee, report);
    return undefined;
  }
  const { definitionKind, name: own } = found.definition;
  if (definitionKind !== "model") {
    report.add("wrong-kind", callee.span, `${own.text} is a ${definitionKind}, not a model`, {
      related: [{ span: own.span, message: "defined here" }],
      hint: "a model emits what it produces: write model M { in ...  use ...  emit ... ~ ... }",
    });
    return undefined;
  }
  return { ...found, call: expression.kind === "call" ? expression : undefined };
}

function reportNoModel(modules: Modules, file: string, callee: Expression, report: Report): void {
  const name = callee.kind === "reference" ? callee.name : "";
  const models = definitionNames(modules, file).filter(
    (known) => findDefinition(modules, file, known)?.definition.definitionKind === "model",
  );
  const near = nearest(name, models);
  report.add(
    "unknown-name",
    callee.span,
    name === "" ? "this is no model's name" : `there is no model ${name}`,
    near === undefined
      ? { hint: models.length > 0 ? `there is ${models.join(", ")}` : "no model is defined in this file, or imported" }
      : meant(near, callee.span),
  );
}
