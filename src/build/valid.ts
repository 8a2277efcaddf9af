import type { Span } from "../base/span.ts";
import * as make from "../op/make.ts";
import type { Context } from "./frame.ts";
import { knownNumber } from "./static.ts";
import { shownSize, type VisibleAxis } from "./value.ts";

/**
 * A value may hold at some positions of an axis only: `d[t] = x[t] - x[t-1]` has none at t = 0. These are the masks under
 * which a read at one position, int, finds a value; undefined where it never does (reported). `back` says that the position
 * is so many before the axis's end.
 */
export function validMasks(
  context: Context,
  axis: VisibleAxis,
  position: string,
  span: Span,
  back?: number,
): readonly string[] | undefined {
  const { low, high } = axis.valid ?? { low: 0, high: 0 };
  if (low === 0 && high === 0) return [];
  const { builder, axes } = context.session;
  const count = knownNumber(context, { kind: "size", size: axis.axis.size, from: span });
  const at = count !== undefined && back !== undefined ? count - back : make.constantValue(builder, position);
  const left = back ?? (count !== undefined && at !== undefined ? count - at : undefined);
  if ((at !== undefined && at < low) || (left !== undefined && left <= high)) {
    reportPartial(context, axis, span);
    return undefined;
  }
  const masks = low > 0 && at === undefined ? [make.le(builder, make.int(builder, low), position)] : [];
  if (high === 0 || left !== undefined) return masks;
  return [...masks, make.lt(builder, position, make.sub(builder, axes.count(axis.axis), make.int(builder, high)))];
}

/** Whether a value holds wherever a slice reads it; else that is reported. `from` and `behind` count from the two ends. */
export function isWhole(context: Context, axis: VisibleAxis, from: number, behind: number, span: Span): boolean {
  const { low, high } = axis.valid ?? { low: 0, high: 0 };
  if (from >= low && behind >= high) return true;
  reportPartial(context, axis, span);
  return false;
}

function reportPartial(context: Context, axis: VisibleAxis, span: Span): void {
  const { low, high } = axis.valid ?? { low: 0, high: 0 };
  const ends = [positions("first", low), positions("last", high)].filter((end) => end !== "");
  const text = `what is read here has no value at ${ends.join(" and ")} of ${shownSize(axis.axis.size.text)}`;
  context.session.report.add("late-start", span, text, {
    hint: "write an `else` behind the read that falls outside, as in x[t-1] else 0, or read only where there is a value",
  });
}

function positions(which: string, count: number): string {
  if (count === 0) return "";
  return count === 1 ? `the ${which} position` : `the ${which} ${count} positions`;
}
