import type { Span } from "../base/span.ts";
import { constantSize, divideSizes, equalSizes, isUnit, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import * as sums from "../op/make_sum.ts";
import type { Argument, Call } from "../syntax/tree.ts";
import { freshen, hiddenIds } from "./align.ts";
import { mergeConditions } from "./condition.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { type Sweep, sweep } from "./sweep.ts";
import { integerOption, perAxis, readOptions, sweepsOf, textOption } from "./sweep-options.ts";
import {
  BOTTOM,
  describe,
  INVALID,
  type Meaning,
  shapeText,
  type TensorValue,
  type VisibleAxis,
  visibleAxis,
} from "./value.ts";

const CONV_USAGE = 'conv(W, x, stride: 1, dilation: 1, groups: 1, pad: 0), pad also "same" or "causal"';
const POOL_USAGE = 'pool(x, 2, stride: 2, pad: 0, by: "max"), by also "mean"';

/** `conv(W, x)` with `x: [X, .., C]` and `W: [O, K, .., C/groups]`: as many axes of positions as W has axes between its first and last. */
export function convolution(context: Context, call: Call): Meaning {
  const options = readOptions(context, call, 2, ["stride", "dilation", "groups", "pad"], CONV_USAGE);
  const operands = options === undefined ? undefined : tensors(context, call.args.slice(0, 2));
  if (options === undefined || operands === undefined) return INVALID;
  if (operands === "bottom") return BOTTOM;
  const [w, x] = operands;
  if (w === undefined || x === undefined) return INVALID;
  const spatial = w.visible.length - 2;
  if (spatial < 1 || x.visible.length < spatial + 1) return reportRank(context, call, w, x);
  const positions = x.visible.slice(-(spatial + 1), -1);
  const sweeps = sweepsOf(context, call, options, w.visible.slice(1, -1).map(sizeOf), positions, false);
  const groups = integerOption(context, options.get("groups"), 1);
  if (sweeps === undefined || groups === undefined || groups < 1) return INVALID;
  const channels = x.visible.at(-1);
  const own = w.visible.at(-1);
  if (channels === undefined || own === undefined) return INVALID;
  const perGroup = divideSizes(sizeOf(channels), constantSize(groups));
  if (perGroup === undefined || !equalSizes(perGroup, sizeOf(own))) return reportChannels(context, call, w, x, groups);
  const taken = takenBy(context, w, x);
  const windows = applySweeps(context, x, positions, sweeps, 0, taken, call.span);
  if (windows === undefined) return INVALID;
  const made = contractWindows(context, w, windows, channels, groups, taken);
  const leading = x.visible.slice(0, x.visible.length - spatial - 1);
  return {
    kind: "tensor",
    id: made.id,
    visible: [...leading, ...windows.outs, made.out],
    vocabulary: undefined,
    condition: mergeConditions(w.condition, x.condition),
    zeroOutside: [],
    from: call.span,
  };
}

/**
 * `pool(x, 2)`: the greatest, or the mean, of the windows of all axes but the last. Over time a last window that is not full
 * counts, so that no example loses its end (`T/2` rounds up); over fixed axes it does not.
 */
export function pooling(context: Context, call: Call): Meaning {
  const options = readOptions(context, call, 2, ["stride", "pad", "by"], POOL_USAGE);
  const operands = options === undefined ? undefined : tensors(context, call.args.slice(0, 1));
  if (options === undefined || operands === undefined) return INVALID;
  if (operands === "bottom") return BOTTOM;
  const [x] = operands;
  const size = call.args[1];
  if (x === undefined || size === undefined) return INVALID;
  const positions = x.visible.slice(0, -1);
  const widths = perAxis(context, size.value, positions.length, size.span);
  const by = textOption(options.get("by")) ?? "max";
  if (widths === undefined || positions.length === 0 || (by !== "max" && by !== "mean")) {
    context.session.report.add("wrong-option", call.span, `pool cannot make its windows of ${shapeText(x.visible)}`, {
      hint: `write ${POOL_USAGE}`,
    });
    return INVALID;
  }
  const strides = options.has("stride") ? options : new Map([...options, ["stride", size] as const]);
  const sweeps = sweepsOf(context, call, strides, widths.map(constantSize), positions, true);
  if (sweeps === undefined) return INVALID;
  const { builder } = context.session;
  const taken = takenBy(context, x);
  const windows = applySweeps(
    context,
    x,
    positions,
    sweeps,
    by === "max" ? Number.NEGATIVE_INFINITY : 0,
    taken,
    call.span,
  );
  if (windows === undefined) return INVALID;
  const kernels = windows.kernels.flatMap((axis) => axis ?? []);
  const id =
    by === "max"
      ? sums.reduceOver(builder, "max", windows.id, kernels)
      : meanOfWindows(context, x, positions, sweeps, windows, kernels, call.span);
  return { ...x, id, visible: [...windows.outs, ...x.visible.slice(-1)], zeroOutside: [], from: call.span };
}

/** Σ window / number of its entries inside. */
function meanOfWindows(
  context: Context,
  x: TensorValue,
  positions: readonly VisibleAxis[],
  sweeps: readonly Sweep[],
  windows: Windows,
  kernels: readonly Axis[],
  span: Span,
): string {
  const { builder } = context.session;
  const one: TensorValue = { ...x, id: make.num(builder, 1) };
  const taken = new Set([...takenBy(context, x)]);
  for (const axis of [...windows.outs.map((shown) => shown.axis), ...kernels]) taken.delete(axis.id);
  const counts = applySweeps(context, one, positions, sweeps, 0, taken, span);
  const sum = sums.sumOver(builder, windows.id, kernels);
  return counts === undefined ? sum : make.div(builder, sum, sums.sumOver(builder, counts.id, kernels));
}

interface Windows {
  readonly id: string;
  readonly outs: readonly VisibleAxis[];
  readonly kernels: readonly (Axis | undefined)[];
}

function applySweeps(
  context: Context,
  x: TensorValue,
  positions: readonly VisibleAxis[],
  sweeps: readonly Sweep[],
  outside: number,
  taken: Set<string>,
  span: Span,
): Windows | undefined {
  let { id } = x;
  const outs: VisibleAxis[] = [];
  const kernels: (Axis | undefined)[] = [];
  for (const [place, axis] of positions.entries()) {
    const along = sweeps[place];
    const swept = along === undefined ? undefined : sweep(context, id, axis, along, outside, taken, span);
    if (swept === undefined) return undefined;
    id = swept.id;
    outs.push(swept.out);
    kernels.push(swept.kernel);
  }
  return { id, outs, kernels };
}

/** Σ over the window and the channels; with groups, each group of channels has weights of its own. */
function contractWindows(
  context: Context,
  w: TensorValue,
  windows: Windows,
  channels: VisibleAxis,
  groups: number,
  taken: Set<string>,
): { readonly id: string; readonly out: VisibleAxis } {
  const { builder, axes } = context.session;
  const free = freshen(
    context,
    w,
    new Set([...taken].filter((id) => !w.visible.some((axis) => axis.axis.id === id)).concat([...hiddenIds(context)])),
  );
  const [first, ...rest] = free.visible;
  const inner = rest.slice(0, -1);
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return { id: windows.id, out: channels };
  const from: string[] = [];
  const to: Axis[] = [];
  for (const [place, axis] of inner.entries()) {
    const kernel = windows.kernels[place];
    if (axis.unit || kernel === undefined) continue;
    from.push(axis.axis.id);
    to.push(kernel);
  }
  const fresh = (size: Size): Axis => {
    const axis = axes.fresh(size, taken);
    taken.add(axis.id);
    return axis;
  };
  const over = windows.kernels.flatMap((axis) => axis ?? []);
  if (groups === 1) {
    if (!last.unit) {
      from.push(last.axis.id);
      to.push(channels.axis);
      over.push(channels.axis);
    }
    const outAxis = first.unit ? undefined : fresh(first.axis.size);
    if (outAxis !== undefined) {
      from.push(first.axis.id);
      to.push(outAxis);
    }
    const kernelId = move.rename(builder, free.id, from, to);
    const id = sums.contract(builder, kernelId, windows.id, over);
    return { id, out: outAxis === undefined ? first : visibleAxis(outAxis) };
  }
  const group = fresh(constantSize(groups));
  const perOut = divideSizes(sizeOf(first), constantSize(groups)) ?? sizeOf(first);
  const outInner = fresh(perOut);
  const channelInner = isUnit(sizeOf(last)) ? undefined : fresh(sizeOf(last));
  const parts = channelInner === undefined ? [group] : [group, channelInner];
  const split = move.reshape(builder, move.expand(builder, windows.id, [channels.axis]), [channels.axis], parts);
  if (channelInner !== undefined) {
    from.push(last.axis.id);
    to.push(channelInner);
    over.push(channelInner);
  }
  const outParts = isUnit(perOut) ? [group] : [group, outInner];
  const kernelId = move.reshape(builder, move.rename(builder, free.id, from, to), [first.axis], outParts);
  const id = sums.contract(builder, kernelId, split, over);
  const out = fresh(first.axis.size);
  return { id: move.reshape(builder, id, outParts, [out]), out: visibleAxis(out) };
}

function tensors(context: Context, args: readonly Argument[]): readonly TensorValue[] | "bottom" | undefined {
  const values: TensorValue[] = [];
  for (const argument of args) {
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "bottom") return "bottom";
    const value = meaning.kind === "invalid" ? undefined : asTensor(context, meaning, argument.span);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function takenBy(context: Context, ...values: readonly TensorValue[]): Set<string> {
  return new Set([...hiddenIds(context), ...values.flatMap((value) => value.visible.map((axis) => axis.axis.id))]);
}

function sizeOf(axis: VisibleAxis): Size {
  return axis.unit ? constantSize(1) : axis.axis.size;
}

function reportRank(context: Context, call: Call, w: TensorValue, x: TensorValue): Meaning {
  context.session.report.add(
    "rank",
    call.span,
    `conv takes W: [O, K, .., C] and x: [X, .., C], these are ${shapeText(w.visible)} and ${shapeText(x.visible)}`,
    {
      related: [
        { span: w.from, message: `${describe(w)} comes from here` },
        { span: x.from, message: `${describe(x)} comes from here` },
      ],
    },
  );
  return INVALID;
}

function reportChannels(context: Context, call: Call, w: TensorValue, x: TensorValue, groups: number): Meaning {
  const last = (value: TensorValue): string => shapeText(value.visible.slice(-1));
  context.session.report.add(
    "shape-mismatch",
    call.span,
    `conv meets the channels ${last(w)} of ${shapeText(w.visible)} with ${last(x)} of ${shapeText(x.visible)}${groups === 1 ? "" : ` in ${groups} groups`}`,
    {
      related: [
        { span: w.from, message: `${shapeText(w.visible)} comes from here` },
        { span: x.from, message: `${shapeText(x.visible)} comes from here` },
      ],
      hint: "the last axis of W is the channels of x, divided by the groups",
    },
  );
  return INVALID;
}
