import type { Span } from "../base/span.ts";
import { fits, renameVisible } from "./align.ts";
import type { Context } from "./frame.ts";
import type { BoundArgument } from "./match.ts";
import { shapeText, type TensorValue, type VisibleAxis } from "./value.ts";

/** The axes that all arguments are lifted over: those of the argument with the most, which the others must fit. */
export function jointLeading(
  context: Context,
  bound: readonly BoundArgument[],
  span: Span,
): readonly VisibleAxis[] | undefined {
  let longest: readonly VisibleAxis[] = [];
  for (const argument of bound) if (argument.leading.length > longest.length) longest = argument.leading;
  for (const argument of bound) {
    if (placesIn(argument.leading, longest) !== undefined) continue;
    const other = bound.find((candidate) => candidate.leading === longest) ?? argument;
    context.session.report.add(
      "shape-mismatch",
      span,
      `this is applied at each position of ${shapeText(other.leading)} for ${other.name}, and of ${shapeText(argument.leading)} for ${argument.name}: they differ`,
      {
        related: [other, argument].map((one) => ({
          span: one.value.from,
          message: `${one.name} is ${shapeText(one.value.visible)}, from here`,
        })),
        hint: "what an argument has beyond its declared axes must be the same for all, or absent; else write an index equation",
      },
    );
    return undefined;
  }
  return longest.map((axis) => ({ ...axis, nonempty: undefined }));
}

/** Prefers axes with the same id, so that lifting over two equal sizes stays what it was. */
function placesIn(short: readonly VisibleAxis[], long: readonly VisibleAxis[]): readonly number[] | undefined {
  const places: number[] = [];
  let from = 0;
  for (const axis of short) {
    const same = long.findIndex((other, place) => place >= from && other.axis.id === axis.axis.id);
    const place = same >= 0 ? same : long.findIndex((other, at) => at >= from && fits(axis, other));
    if (place < 0) return undefined;
    places.push(place);
    from = place + 1;
  }
  return places;
}

export function alignLeading(context: Context, argument: BoundArgument, leading: readonly VisibleAxis[]): TensorValue {
  const places = placesIn(argument.leading, leading) ?? [];
  const targets = places.map((place) => leading[place]?.axis);
  return renameVisible(
    context,
    argument.value,
    argument.value.visible.map((axis, place) => targets[place] ?? axis.axis),
  );
}
