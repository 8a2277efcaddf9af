import type { AxisRange } from "../ir/graph.ts";
import { isUnit, partSize } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import { hiddenIds, renameVisible } from "./align.ts";
import type { AxisLength } from "./axes.ts";
import { inRange, mergeConditions } from "./condition.ts";
import type { Context } from "./frame.ts";
import type { Part } from "./part.ts";
import type { Access, Reading } from "./read-plan.ts";
import { freshIndex } from "./read-together.ts";
import { knownNumber } from "./static.ts";
import { type Condition, EVERYWHERE, type TensorValue, type VisibleAxis, visibleAxis } from "./value.ts";

/**
 * Axes that an index reads get the index's id; all others must differ from the indices and the hidden axes.
 * All renamings happen at once, so that `b[j, i]` inside `a[i, j]` swaps.
 */
export function takeIndexAxes(context: Context, value: TensorValue, readings: readonly Reading[]): TensorValue {
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

export function applyAccess(
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
