import type { Span } from "../base/span.ts";
import { addSizes, ceilSize, constantSize, divideSizes, isUnit, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import type { AxisLength } from "./axes.ts";
import type { Context } from "./frame.ts";
import { knownNumber } from "./static.ts";
import { type VisibleAxis, visibleAxis } from "./value.ts";

/** How a window moves along one axis. */
export interface Sweep {
  /** How many positions of the window. */
  readonly kernel: Size;
  readonly stride: number;
  readonly dilation: number;
  /** Positions before the first: half of the window, all of it, or a number on both sides. */
  readonly pad: "same" | "causal" | number;
  /** Whether windows count that begin inside and reach past the end. */
  readonly partial: boolean;
}

export interface Swept {
  readonly id: string;
  /** The positions of the window, undefined where it has one. */
  readonly kernel: Axis | undefined;
  readonly out: VisibleAxis;
}

/**
 * The windows of a value along one axis: the axis becomes the windows' positions, and a new axis runs inside the window.
 * Outside the example stands `outside`. A window that moves by one position is a `window` read, so that a causal one can be
 * decoded; any other gathers.
 */
export function sweep(
  context: Context,
  id: string,
  axis: VisibleAxis,
  { kernel, stride, dilation, pad, partial }: Sweep,
  outside: number,
  taken: Set<string>,
  span: Span,
): Swept | undefined {
  const { builder, report } = context.session;
  const count = knownNumber(context, { kind: "size", size: kernel, from: span });
  if (count === undefined) {
    report.add("unknown-size", span, `how wide the window is must be known here, and ${kernel.text} is not`, {
      hint: `give ${kernel.text} a default`,
    });
    return undefined;
  }
  const reach = dilation * (count - 1);
  const before = pad === "same" ? Math.floor(reach / 2) : pad === "causal" ? reach : pad;
  const both = typeof pad === "number" ? 2 * pad + (partial ? reach : 0) : reach;
  const positions = addSizes(axis.axis.size, constantSize(both - reach));
  const size = ceilSize(divideSizes(positions, constantSize(stride)) ?? positions);
  const inner = isUnit(kernel) ? undefined : fresh(context, kernel, taken);
  const keeps = stride === 1 && both === reach && !axis.unit;
  if (axis.unit || (keeps && inner === undefined)) {
    return { id, kernel: inner, out: axis };
  }
  if (keeps && inner !== undefined) {
    const read = move.window(builder, id, axis.axis.id, inner, -before, dilation);
    const at = make.add(builder, make.iota(builder, axis.axis), offsetIn(builder, inner, dilation, before));
    return { id: masked(context, read, at, axis.axis, outside), kernel: inner, out: axis };
  }
  const out = isUnit(size)
    ? undefined
    : fresh(context, size, taken, stridedLengths(context, axis, both - reach, stride));
  const start =
    out === undefined ? make.int(builder, 0) : make.mul(builder, make.iota(builder, out), make.int(builder, stride));
  const at =
    inner === undefined
      ? make.sub(builder, start, make.int(builder, before))
      : make.add(builder, start, offsetIn(builder, inner, dilation, before));
  const read = move.gather(builder, move.expand(builder, id, [axis.axis]), at, axis.axis.id);
  const shown = out === undefined ? visibleAxis({ id: "1", size }, axis.label, true) : visibleAxis(out, axis.label);
  return { id: masked(context, read, at, axis.axis, outside), kernel: inner, out: shown };
}

function fresh(context: Context, size: Size, taken: Set<string>, lengths?: AxisLength): Axis {
  const axis = context.session.axes.fresh(size, taken, lengths ?? context.session.axes.lengths(size.text));
  taken.add(axis.id);
  return axis;
}

/** dilation · k - before */
function offsetIn(builder: Context["session"]["builder"], kernel: Axis, dilation: number, before: number): string {
  const step = make.mul(builder, make.iota(builder, kernel), make.int(builder, dilation));
  return make.sub(builder, step, make.int(builder, before));
}

function masked(context: Context, id: string, at: string, axis: Axis, outside: number): string {
  const { builder, axes } = context.session;
  const inside = make.and(builder, make.le(builder, make.int(builder, 0), at), make.lt(builder, at, axes.count(axis)));
  return make.select(builder, inside, id, make.num(builder, outside));
}

/** The lengths of an axis of which every `stride`-th position stays: rounded up. */
function stridedLengths(context: Context, axis: VisibleAxis, grown: number, stride: number): AxisLength | undefined {
  const { builder, axes } = context.session;
  const { length } = axes.lengths(axis.axis.id);
  if (length === undefined) return { length: undefined, start: undefined };
  const longer = make.add(builder, length, make.int(builder, grown + stride - 1));
  const quotient = make.div(builder, make.toFloat(builder, longer), make.num(builder, stride));
  return { length: make.toInt(builder, quotient), start: undefined };
}
