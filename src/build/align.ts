import type { Span } from "../base/span.ts";
import { equalSizes } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as move from "../op/make_move.ts";
import { addMasks, mergeConditions } from "./condition.ts";
import type { Context } from "./frame.ts";
import { shapeText, type TensorValue, type VisibleAxis } from "./value.ts";

/** `a ≈ b`: equal sizes, and equal labels where both have one. */
export function fits(a: VisibleAxis, b: VisibleAxis): boolean {
  if (a.label !== undefined && b.label !== undefined && a.label !== b.label) return false;
  return equalSizes(a.axis.size, b.axis.size);
}

/** The axes that are not of size 1. */
export function realAxes(visible: readonly VisibleAxis[]): readonly VisibleAxis[] {
  return visible.filter((axis) => !axis.unit);
}

/**
 * Every way in which `short` is a subsequence of `long` (lowering 1: B ↪ A), as positions in `long`; at most two,
 * since two are already ambiguous.
 */
export function embeddings(
  short: readonly VisibleAxis[],
  long: readonly VisibleAxis[],
): readonly (readonly number[])[] {
  const found: number[][] = [];
  const search = (at: number, from: number, positions: readonly number[]): void => {
    if (found.length === 2) return;
    const axis = short[at];
    if (axis === undefined) {
      found.push([...positions]);
      return;
    }
    long.forEach((candidate, position) => {
      if (position >= from && fits(axis, candidate)) search(at + 1, position + 1, [...positions, position]);
    });
  };
  search(0, 0, []);
  return found;
}

/** Gives the value's axes the ids of `targets`, position by position. */
export function renameVisible(context: Context, value: TensorValue, targets: readonly Axis[]): TensorValue {
  const from: string[] = [];
  const to: Axis[] = [];
  const visible = value.visible.map((axis, position) => {
    const target = targets[position] ?? axis.axis;
    if (axis.unit || target.id === axis.axis.id) return axis;
    from.push(axis.axis.id);
    to.push(target);
    return { ...axis, axis: target };
  });
  if (from.length === 0) return value;
  const id = renameValue(context, value.id, from, to);
  const zeroOutside = value.zeroOutside.map((axis) => to[from.indexOf(axis)]?.id ?? axis);
  const masks = value.condition.masks.map((mask) => renameValue(context, mask, from, to));
  const windows = value.condition.windows.map(({ mask, whole }) => ({
    mask: renameValue(context, mask, from, to),
    whole,
  }));
  return { ...value, id, visible, zeroOutside, condition: { ...value.condition, masks, windows } };
}

function renameValue(context: Context, id: string, from: readonly string[], to: readonly Axis[]): string {
  const type = context.session.builder.type(id);
  const kept = from
    .map((axis, index) => ({ axis, to: to[index] }))
    .filter(({ axis }) => type.axes.some((candidate) => candidate.id === axis));
  if (kept.length === 0) return id;
  return move.rename(
    context.session.builder,
    id,
    kept.map(({ axis }) => axis),
    kept.flatMap((pair) => (pair.to === undefined ? [] : [pair.to])),
  );
}

/** Renames visible axes whose ids are taken, so that the value can stand beside others. */
export function freshen(context: Context, value: TensorValue, taken: ReadonlySet<string>): TensorValue {
  if (!value.visible.some((axis) => !axis.unit && taken.has(axis.axis.id))) return value;
  const used = new Set([...taken, ...value.visible.map((axis) => axis.axis.id)]);
  const targets = value.visible.map((axis) => {
    if (axis.unit || !taken.has(axis.axis.id)) return axis.axis;
    const lengths = context.session.axes.lengths(axis.axis.id);
    const target = context.session.axes.fresh(axis.axis.size, used, lengths);
    used.add(target.id);
    return target;
  });
  return renameVisible(context, value, targets);
}

export function hiddenIds(context: Context): ReadonlySet<string> {
  return new Set(context.hidden.map((axis) => axis.id));
}

/**
 * Aligns operands of an elementwise operation: all get the ids of the one with the most axes, which every other must
 * fit in exactly one way. Undefined where one does not (reported).
 */
export function align(
  context: Context,
  values: readonly TensorValue[],
  span: Span,
): { readonly values: readonly TensorValue[]; readonly visible: readonly VisibleAxis[] } | undefined {
  let longest = values[0];
  for (const value of values) {
    if (longest === undefined || rank(value) > rank(longest)) longest = value;
  }
  if (longest === undefined) return undefined;
  let base = longest;
  for (const value of values) base = { ...base, visible: withUnits(base.visible, value.visible) };
  const aligned: TensorValue[] = [];
  for (const value of values) {
    const fitted = value === longest ? value : fitInto(context, value, base, span);
    if (fitted === undefined) return undefined;
    aligned.push(fitted);
  }
  const visible = base.visible.map((axis) => mergedAxis(axis, aligned));
  return { values: aligned, visible };
}

/** Labels and validity of the operands meet in the result. */
function mergedAxis(axis: VisibleAxis, values: readonly TensorValue[]): VisibleAxis {
  let merged = axis;
  for (const value of values) {
    const same = value.visible.find((other) => !other.unit && other.axis.id === axis.axis.id);
    if (same === undefined || axis.unit) continue;
    merged = {
      ...merged,
      label: merged.label ?? same.label,
      nonempty: merged.nonempty ?? same.nonempty,
      valid: mergeValid(merged.valid, same.valid),
    };
  }
  return merged;
}

function mergeValid(a: VisibleAxis["valid"], b: VisibleAxis["valid"]): VisibleAxis["valid"] {
  if (a === undefined || b === undefined) return a ?? b;
  return { low: Math.max(a.low, b.low), high: Math.max(a.high, b.high) };
}

/** Axes of size 1 may be left out: an operand without real axes shows those of the other. */
function withUnits(a: readonly VisibleAxis[], b: readonly VisibleAxis[]): readonly VisibleAxis[] {
  return a.length === 0 && realAxes(b).length === 0 ? b : a;
}

function rank(value: TensorValue): number {
  return realAxes(value.visible).length * 100 + value.visible.length;
}

/** The value with its axes renamed to those of `base` that it fits; an error is reported where it does not. */
export function fitInto(context: Context, value: TensorValue, base: TensorValue, span: Span): TensorValue | undefined {
  const short = realAxes(value.visible);
  const long = realAxes(base.visible);
  const ways = embeddings(short, long);
  const way = ways[0];
  if (way === undefined) {
    reportMismatch(context, value, base, span);
    return undefined;
  }
  if (ways.length > 1) {
    context.session.report.add(
      "ambiguous-fit",
      span,
      `${shapeText(value.visible)} fits ${shapeText(base.visible)} in 2 ways`,
      {
        related: origins(context, value, base),
        hint: "write an index equation that says which axes meet, as in `y[i, j] = a[i, j] + b[j]`",
      },
    );
    return undefined;
  }
  const targets = way.map((position) => long[position]?.axis);
  let next = 0;
  const wanted = value.visible.map((axis) => (axis.unit ? axis.axis : (targets[next++] ?? axis.axis)));
  return renameVisible(context, value, wanted);
}

function reportMismatch(context: Context, a: TensorValue, b: TensorValue, span: Span): void {
  context.session.report.add("shape-mismatch", span, `${shapeText(a.visible)} does not fit ${shapeText(b.visible)}`, {
    related: origins(context, a, b),
    hint: mismatchHint(context, a, b),
  });
}

/** Says when the numbers are equal and only the names differ. */
function mismatchHint(context: Context, a: TensorValue, b: TensorValue): string | undefined {
  const number = (axis: VisibleAxis): string => {
    const value = context.session.sizes.get(axis.axis.size.text);
    return value === undefined ? axis.axis.size.text : String(value);
  };
  const left = realAxes(a.visible).map(number).join(",");
  const right = realAxes(b.visible).map(number).join(",");
  if (left === right && left !== "") return EQUAL_BY_ACCIDENT;
  return "elementwise operators pair axes by name; to pair others write an index equation, as in y[i] = a[i] + b[i]";
}

export const EQUAL_BY_ACCIDENT = "the numbers are equal by accident: sizes are told apart by their names";

/** Where both shapes come from. */
export function origins(
  _context: Context,
  ...values: readonly TensorValue[]
): readonly { readonly span: Span; readonly message: string }[] {
  return values.map((value) => ({ span: value.from, message: `${shapeText(value.visible)} comes from here` }));
}

/** The condition under which all operands hold. */
export function jointCondition(values: readonly TensorValue[]): TensorValue["condition"] {
  return values.map((value) => value.condition).reduce(mergeConditions, addMasks([]));
}
