import type { Span } from "../base/span.ts";
import type { AxisRange } from "../ir/graph.ts";
import { equalSizes, isUnit, partSize, type Size, sizeConstant, subtractSizes } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import type { IndexExpression, Subscript } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { type Affine, indexAffine } from "./affine.ts";
import { hiddenIds, renameVisible } from "./align.ts";
import type { AxisLength } from "./axes.ts";
import { isWithin } from "./bounds.ts";
import { addMasks, inRange, mergeConditions } from "./condition.ts";
import { evaluate, evaluateRaw } from "./expression.ts";
import type { Context } from "./frame.ts";
import { isVariable, type Part, planPart } from "./part.ts";
import { areReadTogether, freshIndex, type Lookup, readTogether } from "./read-together.ts";
import { mapRecord } from "./record.ts";
import { knownNumber } from "./static.ts";
import { isWhole, validMasks } from "./valid.ts";
import {
  BOTTOM,
  type Condition,
  describe,
  EVERYWHERE,
  INVALID,
  type Meaning,
  shapeText,
  shownSize,
  type TensorValue,
  type VisibleAxis,
  visibleAxis,
} from "./value.ts";

/** `x[t-1]`, `v[:t+1, n]`, `W[ids]`, `sizes[0]`. */
export function evaluateIndex(context: Context, expression: IndexExpression): Meaning {
  const object = evaluateRaw(context, expression.object);
  if (object.kind === "invalid" || object.kind === "bottom") return object.kind === "bottom" ? BOTTOM : object;
  if (object.kind === "list") return listItem(context, object.items, expression);
  if (object.kind === "record") return mapRecord(object, (field) => read(context, field, expression));
  if (object.kind === "tensor") return read(context, object, expression);
  if (object.kind === "several") {
    const first = object.items[0];
    return first?.kind === "tensor" ? read(context, first, expression) : INVALID;
  }
  const called = object.kind === "instance" || object.kind === "builtin" || object.kind === "definition";
  context.session.report.add("wrong-kind", expression.object.span, `${describe(object)} has no positions to read`, {
    hint: called ? `call it: ${printExpression(expression.object)}(...)` : undefined,
  });
  return INVALID;
}

function listItem(context: Context, items: readonly Meaning[], expression: IndexExpression): Meaning {
  const subscript = expression.subscripts[0];
  if (subscript?.kind === "slice") {
    const [from, to] = [subscript.from, subscript.to].map((end) =>
      end === undefined ? undefined : knownNumber(context, evaluate(context, end)),
    );
    return { kind: "list", items: items.slice(from, to) };
  }
  const at = subscript === undefined ? undefined : knownNumber(context, evaluate(context, subscript.value));
  const item = at === undefined ? undefined : items[at];
  if (item !== undefined && expression.subscripts.length === 1) return item;
  const count =
    items.length === 0 ? "this list is empty" : `this list has ${items.length} items, 0 to ${items.length - 1}`;
  context.session.report.add(
    "wrong-option",
    expression.span,
    at === undefined ? `which item this is must be known: ${count}` : `there is no item ${at}: ${count}`,
    {
      hint: "items count from 0",
    },
  );
  return INVALID;
}

/** How one subscript reads its axis. */
type Access =
  | { readonly kind: "keep" }
  /** Along an index: position index + offset. */
  | { readonly kind: "along"; readonly index: Axis; readonly offset: number }
  | {
      readonly kind: "window";
      readonly index: Axis;
      readonly offset: number;
      readonly over: Axis;
      readonly stride: number;
    }
  /** The positions before index + end, from index + start on; either may be open. */
  | {
      readonly kind: "slice";
      readonly index: Axis;
      readonly start: number | undefined;
      readonly end: number | undefined;
    }
  | Part
  | { readonly kind: "gather"; readonly index: TensorValue; readonly condition: Condition };

interface Reading {
  readonly axis: VisibleAxis;
  readonly access: Access;
  readonly span: Span;
}

function read(context: Context, value: TensorValue, expression: IndexExpression): Meaning {
  const readings = plan(context, value, expression);
  if (readings === "bottom") return BOTTOM;
  if (readings === undefined) return INVALID;
  const renamed = takeIndexAxes(context, value, readings);
  let current: TensorValue = { ...renamed, visible: [] };
  const visible: VisibleAxis[] = [];
  for (let position = 0; position < readings.length; ) {
    const [axis, reading] = [renamed.visible[position], readings[position]];
    if (axis === undefined || reading === undefined) break;
    const others = [...renamed.visible, ...visible];
    const lookups = lookupsFrom(renamed, readings, position);
    const together = areReadTogether(context, current, lookups);
    const step = together
      ? readTogether(context, current, lookups, others)
      : applyAccess(context, current, axis, reading, others);
    current = step.value;
    visible.push(...step.visible);
    position += together ? lookups.length : 1;
  }
  const rest = renamed.visible.slice(readings.length);
  return { ...current, visible: [...visible, ...rest], from: value.from };
}

/** The lookups that stand one after another from a position on. */
function lookupsFrom({ visible }: TensorValue, readings: readonly Reading[], from: number): readonly Lookup[] {
  const found: Lookup[] = [];
  for (let position = from; position < readings.length; position++) {
    const [axis, access] = [visible[position], readings[position]?.access];
    if (axis === undefined || access?.kind !== "gather") break;
    found.push({ axis, index: access.index, condition: access.condition });
  }
  return found;
}

/** What every subscript does; "bottom" where an index is not known yet. */
function plan(
  context: Context,
  value: TensorValue,
  expression: IndexExpression,
): readonly Reading[] | "bottom" | undefined {
  const { subscripts } = expression;
  if (subscripts.length > value.visible.length) {
    context.session.report.add(
      "rank",
      expression.span,
      `${subscripts.length} subscripts for ${shapeText(value.visible)}`,
      {
        related: [{ span: value.from, message: "its shape comes from here" }],
        hint:
          value.visible.length === 0
            ? "it is a single number here"
            : `write ${value.visible.length === 1 ? "one subscript" : `at most ${value.visible.length}`}`,
      },
    );
    return undefined;
  }
  const readings: Reading[] = [];
  const used = new Set<string>();
  for (const [position, subscript] of subscripts.entries()) {
    const axis = value.visible[position];
    if (axis === undefined) return undefined;
    const access =
      subscript.kind === "at" ? planAt(context, axis, subscript, used) : planSlice(context, axis, subscript);
    if (access === "bottom" || access === undefined) return access;
    if (access.kind === "along" || access.kind === "window") used.add(access.index.id);
    if (access.kind === "window") used.add(access.over.id);
    readings.push({ axis, access, span: subscript.span });
  }
  return readings;
}

function planAt(
  context: Context,
  axis: VisibleAxis,
  subscript: Extract<Subscript, { kind: "at" }>,
  used: ReadonlySet<string>,
): Access | "bottom" | undefined {
  const affine = indexAffine(context, subscript.value);
  if (affine !== undefined) {
    const along = planAffine(context, axis, affine, used);
    const access = along ?? repeatedIndex(context, axis, affine, subscript.span);
    if (access !== undefined) return access;
    const mismatch = mismatchedIndex(context, axis, affine);
    if (mismatch !== undefined) {
      reportRange(context, axis, mismatch.name, mismatch.index, subscript.span);
      return undefined;
    }
  }
  const index = evaluate(context, subscript.value);
  if (index.kind === "invalid") return undefined;
  if (index.kind === "bottom") return "bottom";
  if (index.kind === "size") return planConstant(context, axis, index.size, subscript.span);
  return planGather(context, axis, index, subscript);
}

/** An index over this axis with coefficient 1, and at most one other. */
function planAffine(
  context: Context,
  axis: VisibleAxis,
  affine: Affine,
  used: ReadonlySet<string>,
): Access | undefined {
  const parts = [...affine.coefficients].map(([name, coefficient]) => ({
    index: context.indices.get(name),
    coefficient,
  }));
  const main = parts.find(
    ({ index, coefficient }) =>
      index !== undefined && coefficient === 1 && equalSizes(index.size, axis.axis.size) && !used.has(index.id),
  );
  if (main?.index === undefined) return undefined;
  const others = parts.filter((part) => part !== main);
  const over = others[0];
  if (over === undefined) return { kind: "along", index: main.index, offset: affine.constant };
  if (others.length > 1 || over.index === undefined || used.has(over.index.id)) return undefined;
  return { kind: "window", index: main.index, offset: affine.constant, over: over.index, stride: over.coefficient };
}

/** `A[i, i]`: an index that reads another axis of the value already is a position on this one. */
function repeatedIndex(context: Context, axis: VisibleAxis, affine: Affine, span: Span): Access | undefined {
  const [only] = [...affine.coefficients];
  const index = only === undefined ? undefined : context.indices.get(only[0]);
  if (affine.coefficients.size !== 1 || only?.[1] !== 1 || index === undefined) return undefined;
  if (axis.unit || !equalSizes(index.size, axis.axis.size)) return undefined;
  const { builder } = context.session;
  const position = make.add(builder, make.iota(builder, index), make.int(builder, affine.constant));
  return gatherAccess(position, span, inRange(index.id, -affine.constant, affine.constant));
}

/** A lone index `t` or `t + c` over another axis: a mistake, not a computed position. */
function mismatchedIndex(
  context: Context,
  axis: VisibleAxis,
  affine: Affine,
): { readonly name: string; readonly index: Axis } | undefined {
  const [only] = [...affine.coefficients];
  if (affine.coefficients.size !== 1 || only?.[1] !== 1) return undefined;
  const index = context.indices.get(only[0]);
  return index !== undefined && !equalSizes(index.size, axis.axis.size) && !axis.unit
    ? { name: only[0], index }
    : undefined;
}

function reportRange(context: Context, axis: VisibleAxis, name: string, index: Axis, span: Span): void {
  context.session.report.add(
    "two-ranges",
    span,
    `${name} ranges over ${shownSize(index.size.text)}, and the axis read here is ${shownSize(axis.axis.size.text)}`,
    { hint: `use another index for ${shownSize(axis.axis.size.text)}; equal numbers are not equal axes` },
  );
}

function planConstant(context: Context, axis: VisibleAxis, at: Size, span: Span): Access | undefined {
  const { builder, axes, report } = context.session;
  if (axis.unit) return { kind: "keep" };
  const position = sizeConstant(at);
  const back = sizeConstant(subtractSizes(at, axis.axis.size));
  const variable = isVariable(context.session, axis.axis);
  if (back !== undefined && back < 0) {
    const index = make.sub(builder, axes.count(axis.axis), make.int(builder, -back));
    const mask = variable && back < -1 ? [make.le(builder, make.int(builder, 0), index)] : [];
    const valid = validMasks(context, axis, index, span, -back);
    return valid && gatherAccess(index, span, doubtful(context, [...mask, ...valid], axis, span));
  }
  const number = position ?? knownNumber(context, { kind: "size", size: at, from: span });
  if (number !== undefined && number < 0) {
    const { text } = axis.axis.size;
    const last = /^\w+$/.test(text) ? `${text}-${-number}` : `${text} - ${-number}`;
    report.add("wrong-option", span, `there is no position ${number}: positions count from 0`, {
      hint: `from the end, write ${last}`,
      fix: { title: `write ${last}`, edits: [{ span, text: last }] },
    });
    return undefined;
  }
  const size = knownNumber(context, { kind: "size", size: axis.axis.size, from: span });
  if (number !== undefined && size !== undefined && number >= size) {
    const { text } = axis.axis.size;
    const named = text === String(size) ? "this axis has " : `${shownSize(text)} has `;
    report.add("wrong-option", span, `there is no position ${number}: ${named}${size} positions, 0 to ${size - 1}`, {
      hint: "positions count from 0",
    });
    return undefined;
  }
  const index = make.toInt(builder, number === undefined ? make.sizeNumber(builder, at) : make.num(builder, number));
  const mask = variable && number !== 0 ? [make.lt(builder, index, axes.count(axis.axis))] : [];
  const valid = validMasks(context, axis, index, span);
  return valid && gatherAccess(index, span, doubtful(context, [...mask, ...valid], axis, span));
}

/** Holds where the masks do, which an `else` must cover. */
function doubtful(context: Context, masks: readonly string[], axis: VisibleAxis, span: Span): Condition {
  for (const mask of masks) context.session.doubtful.set(mask, { span, axis: shownSize(axis.axis.size.text) });
  return addMasks(masks);
}

function gatherAccess(id: string, from: Span, condition: Condition): Access {
  const index: TensorValue = {
    kind: "tensor",
    id,
    visible: [],
    vocabulary: undefined,
    condition: EVERYWHERE,
    zeroOutside: [],
    from,
  };
  return { kind: "gather", index, condition };
}

function planGather(
  context: Context,
  axis: VisibleAxis,
  index: Meaning,
  { value, span }: Extract<Subscript, { kind: "at" }>,
): Access | undefined {
  const { builder, report, axes } = context.session;
  if (index.kind !== "tensor" || builder.type(index.id).dtype !== "int") {
    const numbers = index.kind === "tensor" ? `${describe(index)}, which are not whole numbers` : describe(index);
    report.add("wrong-kind", span, `a position is a whole number, this is ${numbers}`, {
      related: index.kind === "tensor" ? [{ span: index.from, message: "it comes from here" }] : [],
      hint: "a position is a number, an index of this equation, or tokens",
    });
    return undefined;
  }
  if (index.vocabulary !== undefined) {
    if (equalSizes(index.vocabulary, axis.axis.size) || axis.unit) {
      const held = validMasks(context, axis, index.id, span);
      return held && { kind: "gather", index, condition: doubtful(context, held, axis, span) };
    }
    report.add(
      "token-size",
      span,
      `tokens below ${shownSize(index.vocabulary.text)} cannot be positions of ${shownSize(axis.axis.size.text)}`,
      {
        related: [{ span: index.from, message: `${describe(index)} comes from here` }],
        hint: "a table that tokens read has an axis of their vocabulary",
      },
    );
    return undefined;
  }
  const low = make.le(builder, make.int(builder, 0), index.id);
  const high = make.lt(builder, index.id, axes.count(axis.axis));
  const valid = validMasks(context, axis, index.id, span);
  const masks = isWithin(context, axis, value) ? [] : [make.and(builder, low, high)];
  return valid && { kind: "gather", index, condition: doubtful(context, [...masks, ...valid], axis, span) };
}

function planSlice(
  context: Context,
  axis: VisibleAxis,
  subscript: Extract<Subscript, { kind: "slice" }>,
): Access | "bottom" | undefined {
  const { from, to } = subscript;
  if (from === undefined && to === undefined) return { kind: "keep" };
  const ends = [from, to].map((end) => (end === undefined ? undefined : indexAffine(context, end)));
  const [start, end] = ends;
  if (start === undefined && end === undefined) return planPart(context, axis, subscript);
  const index = sliceIndex(context, axis, start ?? end);
  const other = start === undefined || end === undefined ? index : sliceIndex(context, axis, end);
  if (index === undefined || other?.id !== index.id || (from !== undefined) !== (start !== undefined)) {
    const wrong = mismatchedIndex(context, axis, start ?? end ?? { coefficients: new Map(), constant: 0 });
    if (wrong !== undefined) {
      reportRange(context, axis, wrong.name, wrong.index, subscript.span);
      return undefined;
    }
    context.session.report.add(
      "two-ranges",
      subscript.span,
      "the ends of a slice are sizes, or one index over the axis that is cut plus a number",
      {
        hint: `${shownSize(axis.axis.size.text)} is cut here, as in x[:t+1] or x[t-2:t+1]`,
      },
    );
    return undefined;
  }
  if (!isWhole(context, axis, 0, 0, subscript.span)) return undefined;
  return { kind: "slice", index, start: start?.constant, end: end?.constant };
}

function sliceIndex(context: Context, axis: VisibleAxis, affine: Affine | undefined): Axis | undefined {
  const [only] = [...(affine?.coefficients ?? [])];
  if (only === undefined || affine?.coefficients.size !== 1 || only[1] !== 1) return undefined;
  const index = context.indices.get(only[0]);
  return index !== undefined && equalSizes(index.size, axis.axis.size) ? index : undefined;
}

/**
 * Axes that an index reads get the index's id; all others must differ from the indices and the hidden axes.
 * All renamings happen at once, so that `b[j, i]` inside `a[i, j]` swaps.
 */
function takeIndexAxes(context: Context, value: TensorValue, readings: readonly Reading[]): TensorValue {
  const { axes } = context.session;
  const along = new Set(
    readings.flatMap(({ access }) => (access.kind === "along" || access.kind === "window" ? [access.index.id] : [])),
  );
  const targets = readings.map(({ access }) => {
    if (access.kind === "along" || access.kind === "window") return access.index;
    if (access.kind !== "slice" || along.has(access.index.id)) return undefined;
    along.add(access.index.id);
    return access.index;
  });
  const taken = new Set(hiddenIds(context));
  const wanted = value.visible.map((axis, position) => {
    const target = targets[position];
    if (target !== undefined || axis.unit) return target ?? axis.axis;
    if (!taken.has(axis.axis.id)) {
      taken.add(axis.axis.id);
      return axis.axis;
    }
    const used = new Set([...taken, ...value.visible.map((other) => other.axis.id)]);
    const fresh = axes.fresh(axis.axis.size, used, axes.lengths(axis.axis.id));
    taken.add(fresh.id);
    return fresh;
  });
  return renameVisible(context, value, wanted);
}

function applyAccess(
  context: Context,
  value: TensorValue,
  axis: VisibleAxis,
  { access, span }: Reading,
  others: readonly VisibleAxis[],
): { readonly value: TensorValue; readonly visible: readonly VisibleAxis[] } {
  const { builder } = context.session;
  const [low, high] = [axis.valid?.low ?? 0, axis.valid?.high ?? 0];
  const holding = (condition: Condition): Condition => mergeConditions(value.condition, condition);
  switch (access.kind) {
    case "keep":
      return { value, visible: [axis] };
    case "along": {
      const { index, offset } = access;
      const id = axis.unit ? value.id : move.shift(builder, value.id, index.id, offset);
      return {
        value: { ...value, id, condition: holding(inRange(index.id, low - offset, high + offset)) },
        visible: [],
      };
    }
    case "window": {
      const { index, offset, over, stride } = access;
      const count = knownNumber(context, { kind: "size", size: over.size, from: span }) ?? 1;
      const reach = stride * (count - 1);
      const first = offset + Math.min(0, reach);
      const last = offset + Math.max(0, reach);
      const id = move.window(builder, value.id, index.id, over, offset, stride);
      const whole = { axis: index.id, low: Math.max(low - first, 0), high: Math.max(high + last, 0) };
      const mask = windowMask(context, access, axis.axis, whole, { low, high });
      const condition = mask === undefined ? value.condition : holding({ ...EVERYWHERE, windows: [{ mask, whole }] });
      return { value: { ...value, id, condition }, visible: [] };
    }
    case "slice":
      return applySlice(context, value, axis, access, others);
    case "part":
      return applyPart(context, value, axis, access, others);
    case "gather": {
      const taken = new Set([...hiddenIds(context), ...others.map((other) => other.axis.id)]);
      const index = freshIndex(context, access.index, taken);
      const id = axis.unit
        ? value.id
        : move.gather(builder, move.expand(builder, value.id, [axis.axis]), index.id, axis.axis.id);
      const condition = holding(mergeConditions(access.index.condition, access.condition));
      return { value: { ...value, id, condition }, visible: index.visible };
    }
    default:
      return access satisfies never;
  }
}

/** bool: where an entry of a window lies inside the axis, and where the value there holds; undefined where all do everywhere. */
function windowMask(
  context: Context,
  { index, offset, over, stride }: Extract<Access, { kind: "window" }>,
  axis: Axis,
  whole: AxisRange,
  { low, high }: { readonly low: number; readonly high: number },
): string | undefined {
  const { builder, axes } = context.session;
  const entry = make.mul(builder, make.iota(builder, over), make.int(builder, stride));
  const position = make.add(builder, make.add(builder, make.iota(builder, index), make.int(builder, offset)), entry);
  const end = make.sub(builder, axes.count(axis), make.int(builder, high));
  const after = whole.low > 0 ? make.le(builder, make.int(builder, low), position) : undefined;
  const before = whole.high > 0 ? make.lt(builder, position, end) : undefined;
  return after === undefined || before === undefined ? (after ?? before) : make.and(builder, after, before);
}

function applyPart(
  context: Context,
  value: TensorValue,
  axis: VisibleAxis,
  { start, size, lengths }: Part,
  others: readonly VisibleAxis[],
): { readonly value: TensorValue; readonly visible: readonly VisibleAxis[] } {
  const { builder, axes } = context.session;
  if (typeof start !== "string" && isUnit(size)) {
    const id = move.gather(
      builder,
      move.expand(builder, value.id, [axis.axis]),
      make.sizeInt(builder, start),
      axis.axis.id,
    );
    return { value: { ...value, id }, visible: [visibleAxis({ id: "1", size }, axis.label, true)] };
  }
  const taken = new Set([...hiddenIds(context), ...others.map((other) => other.axis.id)]);
  const to = axes.fresh(size, taken, lengths);
  const id =
    typeof start === "string"
      ? move.gather(
          builder,
          move.expand(builder, value.id, [axis.axis]),
          make.add(builder, start, make.iota(builder, to)),
          axis.axis.id,
        )
      : move.slice(builder, move.expand(builder, value.id, [axis.axis]), axis.axis.id, to, start);
  return { value: { ...value, id }, visible: [visibleAxis(to, axis.label)] };
}

function applySlice(
  context: Context,
  value: TensorValue,
  axis: VisibleAxis,
  access: Extract<Access, { kind: "slice" }>,
  others: readonly VisibleAxis[],
): { readonly value: TensorValue; readonly visible: readonly VisibleAxis[] } {
  const { builder, axes } = context.session;
  const { index, start, end } = access;
  const own = axes.lengths(index.id).length;
  const at = (offset: number): string => make.add(builder, make.iota(builder, index), make.int(builder, offset));
  const lengths: AxisLength = {
    length: end === undefined ? own : own === undefined ? at(end) : make.minimum(builder, at(end), own),
    start: start === undefined ? undefined : at(start),
  };
  const text = (offset: number | undefined): string =>
    offset === undefined ? "" : `${index.id}${offset === 0 ? "" : offset > 0 ? `+${offset}` : offset}`;
  const size = partSize(index.size, `${text(start)}:${text(end)}`);
  const taken = new Set([...hiddenIds(context), ...others.map((other) => other.axis.id)]);
  const to = axes.fresh(size, taken, lengths);
  const id = slicedValue(builder, value.id, axis.axis.id, access, to);
  const nonempty = emptyRange(access);
  return { value: { ...value, id }, visible: [{ ...visibleAxis(to), nonempty }] };
}

/** In `L[i, :i]` and `L[:i, :i]` the index reads another axis already: the slice is a mask on an axis of its own. */
function slicedValue(
  builder: Context["session"]["builder"],
  id: string,
  axis: string,
  { index, start, end }: Extract<Access, { kind: "slice" }>,
  to: Axis,
): string {
  if (axis !== index.id) return move.rename(builder, id, [axis], [to]);
  return end === undefined
    ? move.suffix(builder, id, index.id, to, start ?? 0)
    : move.prefix(builder, id, index.id, to, end);
}

/** Where a slice has a position at all. */
function emptyRange({ index, start, end }: Extract<Access, { kind: "slice" }>): VisibleAxis["nonempty"] {
  if (end !== undefined && end < 1) return { axis: index.id, low: 1 - end, high: 0 };
  if (end === undefined && start !== undefined && start > 0) return { axis: index.id, low: 0, high: start };
  return undefined;
}
