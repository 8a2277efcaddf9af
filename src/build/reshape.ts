import type { Span } from "../base/span.ts";
import { constantSize, equalSizes, isUnit, multiplySizes, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as move from "../op/make_move.ts";
import type { Call } from "../syntax/tree.ts";
import { hiddenIds } from "./align.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asSize } from "./static.ts";
import {
  INVALID,
  type Meaning,
  shapeText,
  shownSize,
  type TensorValue,
  type VisibleAxis,
  visibleAxis,
} from "./value.ts";

/**
 * `reshape(x, [A, B])`: row-major. Equal axes at the front stay what they are; the rest is matched group by group, each
 * the shortest run of old axes with as many entries as a run of new ones.
 */
export function reshaped(context: Context, call: Call, value: TensorValue): Meaning {
  const sizes = wantedSizes(context, call);
  if (sizes === undefined) return INVALID;
  const groups = matchGroups(value.visible, sizes);
  if (groups === undefined) {
    context.session.report.add(
      "reshape-size",
      call.span,
      `${shapeText(value.visible)} does not have as many numbers as [${sizes.map((size) => size.text).join(", ")}]`,
      {
        related: [{ span: value.from, message: "its shape comes from here" }],
        hint: "a reshape keeps every number: the sizes multiply to the same, as in [D] to [N, D/N]",
      },
    );
    return INVALID;
  }
  let id = value.id;
  const visible: VisibleAxis[] = [];
  const taken = new Set([...hiddenIds(context), ...value.visible.map((axis) => axis.axis.id)]);
  for (const { from, to } of groups) {
    const step = reshapeGroup(context, id, from, to, taken, call.span);
    if (step === undefined) return INVALID;
    id = step.id;
    visible.push(...step.visible);
  }
  return { ...value, id, visible, zeroOutside: [], from: call.span };
}

function wantedSizes(context: Context, call: Call): readonly Size[] | undefined {
  const argument = call.args[1];
  if (argument === undefined) return undefined;
  const list = evaluate(context, argument.value);
  if (list.kind !== "list") {
    if (list.kind !== "invalid") {
      context.session.report.add("wrong-kind", argument.span, "the new shape is a list of sizes", {
        hint: "write reshape(x, [A, B])",
      });
    }
    return undefined;
  }
  const sizes: Size[] = [];
  for (const item of list.items) {
    const size = asSize(context, item, argument.span);
    if (size === undefined) return undefined;
    sizes.push(size);
  }
  return sizes;
}

interface Group {
  readonly from: readonly VisibleAxis[];
  readonly to: readonly Size[];
}

function matchGroups(old: readonly VisibleAxis[], wanted: readonly Size[]): readonly Group[] | undefined {
  const groups: Group[] = [];
  let at = 0;
  let next = 0;
  while (at < old.length || next < wanted.length) {
    const group = shortestGroup(old.slice(at), wanted.slice(next));
    if (group === undefined) return undefined;
    groups.push(group);
    at += group.from.length;
    next += group.to.length;
  }
  return groups;
}

function shortestGroup(old: readonly VisibleAxis[], wanted: readonly Size[]): Group | undefined {
  const oldSize = (count: number): Size =>
    old
      .slice(0, count)
      .map((axis) => (axis.unit ? constantSize(1) : axis.axis.size))
      .reduce(multiplySizes, constantSize(1));
  const newSize = (count: number): Size => wanted.slice(0, count).reduce(multiplySizes, constantSize(1));
  for (let total = 1; total <= old.length + wanted.length; total++) {
    for (let taken = Math.min(total, old.length); taken >= Math.max(0, total - wanted.length); taken--) {
      const made = total - taken;
      if (equalSizes(oldSize(taken), newSize(made)) && (taken > 0 || made > 0)) {
        return { from: old.slice(0, taken), to: wanted.slice(0, made) };
      }
    }
  }
  return undefined;
}

function reshapeGroup(
  context: Context,
  id: string,
  from: readonly VisibleAxis[],
  to: readonly Size[],
  taken: Set<string>,
  span: Span,
): { readonly id: string; readonly visible: readonly VisibleAxis[] } | undefined {
  const { builder, axes, report } = context.session;
  const only = from[0];
  const wanted = to[0];
  if (
    from.length === 1 &&
    to.length === 1 &&
    only !== undefined &&
    wanted !== undefined &&
    equalSizes(only.axis.size, wanted)
  ) {
    return { id, visible: [only] };
  }
  const ragged = from.find((axis) => !axis.unit && axes.lengths(axis.axis.id).length !== undefined);
  if (ragged !== undefined) {
    const { text } = ragged.axis.size;
    report.add("reshape-ragged", span, `reshape cannot merge or split ${shownSize(text)}: it differs by example`, {
      hint: `leave ${shownSize(text)} an axis of its own: layers are applied at each position of it`,
    });
    return undefined;
  }
  const made: Axis[] = [];
  const visible = to.map((size) => {
    if (isUnit(size)) return visibleAxis({ id: "1", size }, undefined, true);
    const axis = axes.fresh(size, taken);
    taken.add(axis.id);
    made.push(axis);
    return visibleAxis(axis);
  });
  const old = from.filter((axis) => !axis.unit).map((axis) => axis.axis);
  if (old.length === 0 && made.length === 0) return { id, visible };
  return { id: move.reshape(builder, move.expand(builder, id, old), old, made), visible };
}
