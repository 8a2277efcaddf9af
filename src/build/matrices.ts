import type { Span } from "../base/span.ts";
import { equalSizes } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import type { Call } from "../syntax/tree.ts";
import { hiddenIds } from "./align.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { withTensor } from "./reduce.ts";
import { asSize } from "./static.ts";
import { describe, EVERYWHERE, INVALID, type Meaning, shapeText, type TensorValue, visibleAxis } from "./value.ts";

/** 1 at the token, 0 elsewhere, over its vocabulary or the size that is given. */
export function oneHot(context: Context, call: Call): Meaning {
  return withTensor(context, call, (value) => {
    const wanted = call.args[1];
    const size =
      wanted === undefined ? value.vocabulary : asSize(context, evaluate(context, wanted.value), wanted.span);
    if (size === undefined) {
      context.session.report.add("wrong-kind", call.span, `one_hot takes tokens, this is ${describe(value)}`);
      return INVALID;
    }
    const { builder, axes } = context.session;
    const taken = new Set([...hiddenIds(context), ...value.visible.map((axis) => axis.axis.id)]);
    const axis = axes.fresh(size, taken);
    const id = make.toFloat(builder, make.eq(builder, value.id, make.iota(builder, axis)));
    return { ...value, id, visible: [...value.visible, visibleAxis(axis)], vocabulary: undefined, from: call.span };
  });
}

/** 1 where row and column are the same, 0 elsewhere. */
export function eye(context: Context, call: Call): Meaning {
  const argument = call.args[0];
  const size = argument === undefined ? undefined : asSize(context, evaluate(context, argument.value), argument.span);
  if (size === undefined) return INVALID;
  const { builder, axes } = context.session;
  const row = axes.fresh(size, hiddenIds(context));
  const column = axes.fresh(size, new Set([...hiddenIds(context), row.id]));
  const id = make.toFloat(builder, make.eq(builder, make.iota(builder, row), make.iota(builder, column)));
  return tensorOf(id, [row, column], call.span);
}

/** The diagonal of the last two axes. */
export function diagonal(context: Context, call: Call): Meaning {
  return withTensor(context, call, (value) => {
    const [row, column] = value.visible.slice(-2);
    if (row === undefined || column === undefined || !equalSizes(row.axis.size, column.axis.size)) {
      context.session.report.add("rank", call.span, `diag takes a square, this is ${shapeText(value.visible)}`);
      return INVALID;
    }
    const { builder } = context.session;
    const id = row.unit ? value.id : move.gather(builder, value.id, make.iota(builder, row.axis), column.axis.id);
    return { ...value, id, visible: value.visible.slice(0, -1), from: call.span };
  });
}

function tensorOf(id: string, axes: readonly Axis[], from: Span): TensorValue {
  const visible = axes.map((axis) => visibleAxis(axis));
  return { kind: "tensor", id, visible, vocabulary: undefined, condition: EVERYWHERE, zeroOutside: [], from };
}
