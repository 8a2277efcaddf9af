import type { AxisRange } from "../ir/graph.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import type { Context } from "./frame.ts";
import { type Condition, EVERYWHERE } from "./value.ts";

/** Holds where both do. */
export function mergeConditions(a: Condition, b: Condition): Condition {
  if (isEverywhere(b)) return a;
  const known = new Set(a.windows.map((window) => window.mask));
  return {
    ranges: mergeRanges(a.ranges, b.ranges),
    masks: [...new Set([...a.masks, ...b.masks])],
    windows: [...a.windows, ...b.windows.filter((window) => !known.has(window.mask))],
  };
}

/** The box in both. */
export function mergeRanges(a: readonly AxisRange[], b: readonly AxisRange[]): readonly AxisRange[] {
  const ranges = new Map<string, AxisRange>();
  for (const range of [...a, ...b]) {
    const before = ranges.get(range.axis);
    ranges.set(range.axis, {
      axis: range.axis,
      low: Math.max(range.low, before?.low ?? 0),
      high: Math.max(range.high, before?.high ?? 0),
    });
  }
  return [...ranges.values()];
}

export function addMasks(masks: readonly string[]): Condition {
  return { ...EVERYWHERE, masks };
}

/** Holds for `low <= index < size - high`; bounds at or below 0 say nothing. */
export function inRange(axis: string, low: number, high: number): Condition {
  const range = { axis, low: Math.max(0, low), high: Math.max(0, high) };
  return range.low === 0 && range.high === 0 ? EVERYWHERE : { ...EVERYWHERE, ranges: [range] };
}

export function isEverywhere(condition: Condition): boolean {
  return condition.ranges.length === 0 && condition.masks.length === 0 && condition.windows.length === 0;
}

/** bool: where the condition holds, in terms of each example's own length; undefined where it always does. */
export function conditionMask(context: Context, condition: Condition): string | undefined {
  const { builder } = context.session;
  const parts = condition.ranges.flatMap((range) => rangeMasks(context, range));
  const masks = [...parts, ...condition.masks, ...condition.windows.map((window) => window.mask)];
  return masks.reduce<string | undefined>(
    (sum, mask) => (sum === undefined ? mask : make.and(builder, sum, mask)),
    undefined,
  );
}

function rangeMasks(context: Context, range: AxisRange): readonly string[] {
  const { builder, axes } = context.session;
  const axis = hiddenAxis(context, range.axis);
  const position = make.iota(builder, axis);
  const masks: string[] = [];
  if (range.low > 0) masks.push(make.le(builder, make.int(builder, range.low), position));
  if (range.high > 0) {
    const end = make.sub(builder, axes.count(axis), make.int(builder, range.high));
    masks.push(make.lt(builder, position, end));
  }
  return masks;
}

/** Whether an end of the condition depends on the example's own length. */
export function isRagged(context: Context, condition: Condition): boolean {
  return (
    condition.masks.length > 0 ||
    condition.windows.length > 0 ||
    condition.ranges.some((range) => range.high > 0 && context.session.axes.lengths(range.axis).length !== undefined)
  );
}

function hiddenAxis(context: Context, id: string): Axis {
  const axis = context.hidden.find((candidate) => candidate.id === id);
  if (axis === undefined) throw new Error(`internal: a condition speaks of ${id}, which is no index here`);
  return axis;
}
