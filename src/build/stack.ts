import type { Span } from "../base/span.ts";
import { constantSize, equalSizes, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as move from "../op/make_move.ts";
import { renameVisible } from "./align.ts";
import { type Applied, apply, type Given, inputNames } from "./apply.ts";
import { declareFrame } from "./declare.ts";
import type { Context } from "./frame.ts";
import { INVALID, type InstanceValue, type Meaning, visibleAxis } from "./value.ts";

/** A stack of blocks: the first output feeds the next block, other inputs go to all, other outputs get an axis in front. */
export function applyStack(context: Context, instance: InstanceValue, given: Given, span: Span): Applied | undefined {
  const blocks = instance.blocks ?? [];
  const [first] = inputNames(instance.definition);
  let inputs = given.inputs;
  let last: Applied | undefined;
  const others: Meaning[][] = [];
  for (const block of blocks) {
    last = apply(context, block, { inputs, state: given.state }, span);
    const travels = last?.outs[0];
    if (last === undefined || travels === undefined || first === undefined) return undefined;
    inputs = new Map([...inputs, [first, { meaning: travels, span }]]);
    others.push([...last.outs.slice(1)]);
  }
  if (last === undefined) return emptyStack(context, instance, given, first, span);
  const count = others[0]?.length ?? 0;
  const stacked = Array.from({ length: count }, (_, place) =>
    stackValues(
      context,
      others.map((outs) => outs[place] ?? INVALID),
      instance.count ?? constantSize(blocks.length),
      span,
    ),
  );
  return { ...last, outs: [last.outs[0] ?? INVALID, ...stacked] };
}

function emptyStack(
  context: Context,
  instance: InstanceValue,
  given: Given,
  first: string | undefined,
  span: Span,
): Applied | undefined {
  const travels = first === undefined ? undefined : given.inputs.get(first)?.meaning;
  if (travels === undefined) return undefined;
  return { outs: [travels], state: undefined, frame: declareFrame(context, instance, span).frame };
}

function stackValues(context: Context, values: readonly Meaning[], size: Size, span: Span): Meaning {
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
