import type { Modules } from "../check/modules.ts";
import { constantSize, isUnit, namedSize, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import type { EmitItem, TypeExpression } from "../syntax/tree.ts";
import { declare } from "./declare.ts";
import { axisOfSize } from "./declared.ts";
import { evaluate } from "./expression.ts";
import { type Context, knownSlot, type Session } from "./frame.ts";
import type { InputSpec } from "./program.ts";
import { rangesOf } from "./range.ts";
import { asSize } from "./static.ts";
import { EVERYWHERE, INVALID, type TensorValue, type VisibleAxis, visibleAxis } from "./value.ts";

/** `time T`: an axis whose lengths are given with the data. */
export function declareTime(session: Session, name: string, batch: Axis): void {
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
export function declareLeaves(
  context: Context,
  batch: Axis,
  chosen: ReadonlySet<string>,
  forced: ReadonlySet<string>,
): void {
  const { session, frame } = context;
  for (const item of frame.definition.items) {
    if (item.kind === "in") {
      for (const typed of item.names) {
        const visible = leafAxes(context, typed.type, batch);
        if (visible !== undefined)
          declareLeaf(context, typed.name.text, typed.type, visible, batch, typed.span, chosen, forced);
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
    declareLeaf(context, item.name.text, item.type, visible, batch, item.name.span, chosen, forced);
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
  forced: ReadonlySet<string>,
): void {
  const { session, frame } = context;
  const vocabulary = leafVocabulary(context, type);
  if (vocabulary === "invalid") {
    declare(session, frame, knownSlot(name, span, "in", INVALID));
    return;
  }
  const dtype = type.base === "tok" ? "int" : type.base;
  const real = visible.filter((axis) => !axis.unit).map((axis) => axis.axis);
  const beam = session.beam !== undefined && chosen.has(name) ? [session.beam] : [];
  const leafType = { dtype, axes: [batch, ...beam, ...real] } as const;
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
  const { items } = frame.definition;
  const emitted = items.some((item) => item.kind === "emit" && item.name.text === name);
  const isInput = items.some((item) => item.kind === "in" && item.names.some((typed) => typed.name.text === name));
  const until = items.some((item) => item.kind === "emit" && item.name.text === name && item.until !== undefined);
  const spec: InputSpec = {
    name,
    dtype,
    vocabulary,
    shape: visible.map((axis) => (axis.unit ? constantSize(1) : axis.axis.size)),
    times: visible.map((axis) => (session.times.has(axis.axis.size.text) ? axis.axis.size.text : undefined)),
    specials: until ? session.specials : [],
    ends: until,
    emitted,
    optional: emitted && !isInput,
    span,
    doc: undefined,
  };
  session.inputs.set(name, { spec, value });
  const mixed = forced.has(name) && emitted ? session.builder.forward(`${name}.forced`, leafType) : undefined;
  if (mixed !== undefined) session.forced.set(name, { id: mixed, data: id });
  declare(session, frame, knownSlot(name, span, "in", mixed === undefined ? value : { ...value, id: mixed }));
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
