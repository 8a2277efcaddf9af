import { constantSize, isUnit, type Size, sizeConstant, sizeNames, subtractSizes } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import type { Subscript } from "../syntax/tree.ts";
import type { AxisLength } from "./axes.ts";
import { evaluate } from "./expression.ts";
import { differs, ownInteger } from "./extent.ts";
import type { Context, Session } from "./frame.ts";
import { knownNumber } from "./static.ts";
import { isWhole } from "./valid.ts";
import { shownSize, type VisibleAxis } from "./value.ts";

type Slice = Extract<Subscript, { kind: "slice" }>;

/** A slice whose ends do not depend on an index. */
export interface Part {
  readonly kind: "part";
  /** How many positions it has where the axis is long enough for all of them. */
  readonly size: Size;
  /** Where it starts: the same for all examples and inside the axis, or int, each example's own. */
  readonly start: Size | string;
  readonly lengths: AxisLength;
}

/** Whether examples differ in how many positions the axis has, or batches do. */
export function isVariable({ times, axes }: Session, axis: Axis): boolean {
  return axes.lengths(axis.id).length !== undefined || [...sizeNames(axis.size)].some((name) => times.has(name));
}

/** `x[1:]`, `x[:2]`, `x[T-3:]`: cut at the ends of the axis, for each example at its own. Mistakes are reported. */
export function planPart(context: Context, axis: VisibleAxis, slice: Slice): Part | undefined {
  const start = slice.from === undefined ? constantSize(0) : sizeOf(context, slice.from);
  const end = slice.to === undefined ? axis.axis.size : sizeOf(context, slice.to);
  if (start === "invalid" || end === "invalid") return undefined;
  if (start === undefined || end === undefined) {
    context.session.report.add("wrong-kind", slice.span, "the ends of a slice are sizes, or an index plus a number");
    return undefined;
  }
  const from = knownNumber(context, { kind: "size", size: start, from: slice.span });
  if (from !== undefined && from < 0) {
    context.session.report.add("wrong-option", slice.span, `there is no position ${from}: positions count from 0`, {
      hint: `from the end, write ${shownSize(axis.axis.size.text)}${from}`,
    });
    return undefined;
  }
  const last = sizeConstant(subtractSizes(axis.axis.size, end)) ?? 0;
  if (!isWhole(context, axis, from ?? 0, Math.max(last, 0), slice.span)) return undefined;
  return isVariable(context.session, axis.axis)
    ? variablePart(context, axis, slice, start, end)
    : fixedPart(context, axis, slice, start, end);
}

function sizeOf(context: Context, expression: Parameters<typeof evaluate>[1]): Size | "invalid" | undefined {
  const value = evaluate(context, expression);
  if (value.kind === "invalid") return "invalid";
  return value.kind === "size" ? value.size : undefined;
}

/** Of an axis that is the same for all; its end may still be an example's own, as in `positions[:T]`. */
function fixedPart(context: Context, axis: VisibleAxis, slice: Slice, start: Size, end: Size): Part | undefined {
  const { report } = context.session;
  const number = (size: Size): number | undefined => knownNumber(context, { kind: "size", size, from: slice.span });
  const [from, to, all] = [number(start), number(end), number(axis.axis.size)];
  const stop = to !== undefined && all !== undefined && to > all ? axis.axis.size : end;
  const last = number(stop);
  if (from !== undefined && last !== undefined && from >= last) {
    report.add("wrong-option", slice.span, `this slice is empty: ${axis.axis.size.text} has ${all ?? last} positions`, {
      hint: "the end of a slice is not part of it",
    });
    return undefined;
  }
  const size = subtractSizes(stop, start);
  const own = differs(context.session, stop) ? ownInteger(context.session, stop) : undefined;
  const first = make.sizeInt(context.session.builder, start);
  return { kind: "part", size, start, lengths: own === undefined ? FULL : lengthFrom(context, first, own) };
}

const FULL: AxisLength = { length: undefined, start: undefined };

/** Of an axis that is longer or shorter by example or by batch. */
function variablePart(context: Context, axis: VisibleAxis, slice: Slice, start: Size, end: Size): Part | undefined {
  const { session } = context;
  const { builder } = session;
  const size = subtractSizes(end, start);
  if (isUnit(size)) {
    session.report.add("wrong-option", slice.span, "this slice has one position, which an example may lack", {
      hint: `read it, as in ${slice.from === undefined ? "x[0]" : "x[1] else 0"}`,
    });
    return undefined;
  }
  const count = session.axes.count(axis.axis);
  const [fromEnd, toEnd] = [behind(start, axis.axis.size), behind(end, axis.axis.size)];
  const ragged = session.axes.lengths(axis.axis.id).length !== undefined;
  const inside = fromEnd === undefined && toEnd !== undefined;
  if (inside && !ragged) return { kind: "part", size, start, lengths: FULL };
  const position = (at: Size): string => ownInteger(session, at) ?? make.sizeInt(builder, at);
  const first = fromEnd === undefined ? position(start) : atLeastZero(context, offset(context, count, fromEnd));
  const stop = toEnd === undefined ? make.minimum(builder, position(end), count) : offset(context, count, toEnd);
  return { kind: "part", size, start: inside ? start : first, lengths: lengthFrom(context, first, stop) };
}

/** How far before the end of an axis a size lies, `T-1` one position; undefined where it is told from the start. */
function behind(size: Size, axis: Size): number | undefined {
  const distance = sizeConstant(subtractSizes(size, axis));
  return distance === undefined || distance > 0 ? undefined : -distance;
}

function offset({ session: { builder } }: Context, count: string, back: number): string {
  return back === 0 ? count : make.sub(builder, count, make.int(builder, back));
}

function atLeastZero({ session: { builder } }: Context, id: string): string {
  return make.maximum(builder, id, make.int(builder, 0));
}

function lengthFrom(context: Context, first: string, stop: string): AxisLength {
  return { length: atLeastZero(context, make.sub(context.session.builder, stop, first)), start: undefined };
}
