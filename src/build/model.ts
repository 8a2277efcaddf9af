import type { Report } from "../base/diagnostic.ts";
import { mentions } from "../check/mentions.ts";
import type { Modules } from "../check/modules.ts";
import { usedDefinitions } from "../check/used-definitions.ts";
import { createBuilder } from "../ir/builder.ts";
import { constantSize, namedSize, sizeConstant } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import type { Call, Definition, EmitItem } from "../syntax/tree.ts";
import { createAxisTable } from "./axes.ts";
import { BEAM } from "./beam.ts";
import { declare, declareFrame } from "./declare.ts";
import { demand } from "./equation.ts";
import { evaluate } from "./expression.ts";
import { type Context, type Frame, frameContext, knownSlot, type Session } from "./frame.ts";
import { givenParameters } from "./instance.ts";
import { declareLeaves, declareTime } from "./leaves.ts";
import { moveParams, movesParams } from "./move-params.ts";
import { checkMoved } from "./moved.ts";
import { declareTies } from "./tie.ts";
import { INVALID, type InstanceValue, type Meaning } from "./value.ts";

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
  /** Emissions that some rows of the data lack. */
  readonly absent?: ReadonlySet<string>;
  /** Emitted arrays that are chosen, not given: the decoder closes them. */
  readonly chosen?: ReadonlySet<string>;
  /** Emissions whose reads see a mixture of the data and what the model chooses: `closeForced` says which. */
  readonly forced?: ReadonlySet<string>;
  /** How many beams are kept. */
  readonly beams?: number;
  readonly report: Report;
}

/** A model being elaborated: ask its frame for names, its emissions for losses. */
export interface OpenModel {
  readonly session: Session;
  readonly frame: Frame;
  readonly context: Context;
  readonly emissions: readonly EmitItem[];
}

/** All that the model is made of, what its parameters are given included. */
function definitionsOf({
  modules,
  file,
  definition,
  parameters,
  parametersFile,
}: ModelRequest): ReadonlySet<Definition> {
  const expressions = parameters?.args.map(({ value }) => value) ?? [];
  return usedDefinitions(modules, file, definition, { expressions, file: parametersFile });
}

export const BATCH = "B";

/** An elaboration of its own, and the batch axis. */
export function createSession(
  request: ModelRequest,
  sizes: Map<string, number>,
  metrics?: Session["metrics"],
): { readonly session: Session; readonly batch: Axis } {
  const { definition } = request;
  const used = definitionsOf(request);
  const builder = createBuilder(definition.name.text, request.modules.budget);
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
    forced: new Map(),
    beam: request.beams === undefined ? undefined : { id: BEAM, size: constantSize(request.beams) },
    chosen: request.chosen ?? new Set(),
    absent: request.absent ?? new Set(),
    roles: new Map(),
    specials: (["BOS", "EOS"] as const).filter((name) => [...used].some((one) => mentions(one, name))),
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
  declareLeaves(scope.context, batch, request.chosen ?? new Set(), request.forced ?? new Set());
  const frame = scope.complete(session.beam === undefined ? [batch] : [batch, session.beam], []);
  if (movesParams(definitionsOf(request))) moveInOrder(session, frame);
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

/** Asks for every name of the model's frame, so that all its mistakes are found, not only those on the way to a loss. */
export function demandAll(model: OpenModel): void {
  for (const slot of [...model.frame.names.values()]) if (slot.kind !== "family") demand(model.session, slot);
  checkMoved(model.session, model.frame);
}
