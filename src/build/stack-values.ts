import type { Span } from "../base/span.ts";
import { constantSize, equalSizes, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as move from "../op/make_move.ts";
import { renameVisible } from "./align.ts";
import type { Context } from "./frame.ts";
import { INVALID, type Meaning, visibleAxis } from "./value.ts";

/** Values of one shape side by side, along an axis in front. */
export function stackValues(context: Context, values: readonly Meaning[], size: Size, span: Span): Meaning {
  const tensors = values.filter((value) => value.kind === "tensor");
  const model = tensors[0];
  if (model === undefined || tensors.length !== values.length) return INVALID;
  if (values.length === 1)
    return { ...model, visible: [visibleAxis({ id: "1", size }, undefined, true), ...model.visible] };
  const { axes, builder } = context.session;
  const taken = new Set([...context.hidden.map((axis) => axis.id), ...model.visible.map((axis) => axis.axis.id)]);
  const counted = axes.fresh(constantSize(values.length), taken);
  const aligned = tensors.map((tensor) =>
    renameVisible(
      context,
      tensor,
      model.visible.map((shown) => shown.axis),
    ),
  );
  const joined = move.concat(
    builder,
    aligned.map((tensor) => tensor.id),
    aligned.map(() => ""),
    counted,
  );
  const axis: Axis = equalSizes(size, counted.size) ? counted : axes.fresh(size, taken);
  const id = axis === counted ? joined : move.slice(builder, joined, counted.id, axis, constantSize(0));
  return {
    ...model,
    id,
    visible: [visibleAxis(axis), ...model.visible],
    from: span,
  };
}
