import { multiplySizes } from "../ir/size.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import { hiddenIds, renameVisible } from "./align.ts";
import { mergeConditions } from "./condition.ts";
import type { Context } from "./frame.ts";
import { isVariable } from "./part.ts";
import type { Condition, TensorValue, VisibleAxis } from "./value.ts";

/** A subscript whose positions are computed: `ids[t]` in `A[ids[t-1], ids[t]]`. */
export interface Lookup {
  readonly axis: VisibleAxis;
  readonly index: TensorValue;
  readonly condition: Condition;
}

/**
 * Whether lookups one after another are better one lookup in a table of all their rows: those of a weight, by positions that differ. One by
 * one, the first would copy whole rows of the second's, and its gradient would be as large.
 */
export function areReadTogether(context: Context, value: TensorValue, lookups: readonly Lookup[]): boolean {
  const { builder } = context.session;
  const hidden = hiddenIds(context);
  return (
    lookups.length > 1 &&
    builder.type(value.id).axes.every((axis) => !hidden.has(axis.id)) &&
    lookups.every(
      ({ axis, index }) =>
        !axis.unit && !isVariable(context.session, axis.axis) && builder.type(index.id).axes.length > 0,
    )
  );
}

/** One lookup at `(i · |b| + j) · |c| + k`, each position moved to the nearest end of its own axis as a lookup would. */
export function readTogether(
  context: Context,
  value: TensorValue,
  lookups: readonly Lookup[],
  others: readonly VisibleAxis[],
): { readonly value: TensorValue; readonly visible: readonly VisibleAxis[] } {
  const { builder, axes } = context.session;
  const taken = new Set([...hiddenIds(context), ...others.map((other) => other.axis.id)]);
  const visible: VisibleAxis[] = [];
  let position: string | undefined;
  let { condition } = value;
  for (const lookup of lookups) {
    const index = freshIndex(context, lookup.index, taken);
    const size = make.sizeInt(builder, lookup.axis.axis.size);
    const last = make.sub(builder, size, make.int(builder, 1));
    const inside = make.minimum(builder, make.maximum(builder, index.id, make.int(builder, 0)), last);
    position = position === undefined ? inside : make.add(builder, make.mul(builder, position, size), inside);
    condition = mergeConditions(condition, mergeConditions(lookup.index.condition, lookup.condition));
    for (const one of index.visible) taken.add(one.axis.id);
    visible.push(...index.visible);
  }
  const from = lookups.map(({ axis }) => axis.axis);
  const [first, ...rest] = from.map(({ size }) => size);
  if (first === undefined || position === undefined) throw new Error("internal: no lookups to read together");
  const rows = axes.fresh(rest.reduce(multiplySizes, first), taken);
  const table = move.reshape(builder, value.id, from, [rows]);
  return { value: { ...value, id: move.gather(builder, table, position, rows.id), condition }, visible };
}

/** The index with other axes where its own stand for something else here. */
export function freshIndex(context: Context, index: TensorValue, taken: ReadonlySet<string>): TensorValue {
  const hidden = hiddenIds(context);
  const clash = index.visible.filter((axis) => !axis.unit && taken.has(axis.axis.id) && !hidden.has(axis.axis.id));
  if (clash.length === 0) return index;
  const used = new Set([...taken, ...index.visible.map((axis) => axis.axis.id)]);
  const targets = index.visible.map((axis) => {
    if (!clash.includes(axis)) return axis.axis;
    const fresh = context.session.axes.fresh(axis.axis.size, used, context.session.axes.lengths(axis.axis.id));
    used.add(fresh.id);
    return fresh;
  });
  return renameVisible(context, index, targets);
}
