import { isUnit, type Size } from "../ir/size.ts";
import type { Typed } from "../syntax/tree.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asSize } from "./static.ts";
import { type VisibleAxis, visibleAxis } from "./value.ts";

/** The declared axes, where all their sizes are known; names bound by this call too. */
export function declaredAxes(
  inner: Context,
  sizes: ReadonlyMap<string, Size>,
  item: Pick<Typed, "type" | "span">,
): readonly VisibleAxis[] | undefined {
  const taken = new Set(inner.hidden.map((axis) => axis.id));
  const visible: VisibleAxis[] = [];
  for (const axis of item.type.axes ?? []) {
    const named = axis.size.kind === "reference" ? sizes.get(axis.size.name) : undefined;
    const size = named ?? asSize(inner, evaluate(inner, axis.size), axis.span);
    if (size === undefined) return undefined;
    visible.push(axisOfSize(inner, size, taken, axis.label?.text));
  }
  return visible;
}

/** A visible axis of this size; a `time` size has its lengths. */
export function axisOfSize(context: Context, size: Size, taken: Set<string>, label?: string): VisibleAxis {
  if (isUnit(size)) return visibleAxis({ id: "1", size }, label, true);
  const { axes } = context.session;
  const axis = axes.fresh(size, taken, axes.lengths(size.text));
  taken.add(axis.id);
  return visibleAxis(axis, label);
}

export function vocabularyOf(inner: Context, item: Pick<Typed, "type">): Size | undefined | "invalid" {
  const { vocabulary } = item.type;
  if (vocabulary === undefined) return undefined;
  return asSize(inner, evaluate(inner, vocabulary), vocabulary.span) ?? "invalid";
}
