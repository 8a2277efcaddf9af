import type { Span } from "../base/span.ts";
import { equalSizes, type Size, sizeConstant, subtractSizes } from "../ir/size.ts";
import * as make from "../op/make.ts";
import type { Subscript } from "../syntax/tree.ts";
import { isWithin } from "./bounds.ts";
import { addMasks } from "./condition.ts";
import type { Context } from "./frame.ts";
import { isVariable } from "./part.ts";
import type { Access } from "./read-plan.ts";
import { knownNumber } from "./static.ts";
import { validMasks } from "./valid.ts";
import {
  type Condition,
  describe,
  EVERYWHERE,
  type Meaning,
  shownSize,
  type TensorValue,
  type VisibleAxis,
} from "./value.ts";

export function planConstant(context: Context, axis: VisibleAxis, at: Size, span: Span): Access | undefined {
  const { builder, axes, report } = context.session;
  if (axis.unit) return { kind: "keep" };
  const position = sizeConstant(at);
  const back = sizeConstant(subtractSizes(at, axis.axis.size));
  const variable = isVariable(context.session, axis.axis);
  if (back !== undefined && back < 0) {
    const index = make.sub(builder, axes.count(axis.axis), make.int(builder, -back));
    const mask = variable && back < -1 ? [make.le(builder, make.int(builder, 0), index)] : [];
    const valid = validMasks(context, axis, index, span, -back);
    return valid && gatherAccess(index, span, doubtful(context, [...mask, ...valid], axis, span));
  }
  const number = position ?? knownNumber(context, { kind: "size", size: at, from: span });
  if (number !== undefined && number < 0) {
    const { text } = axis.axis.size;
    const last = /^\w+$/.test(text) ? `${text}-${-number}` : `${text} - ${-number}`;
    report.add("wrong-option", span, `there is no position ${number}: positions count from 0`, {
      hint: `from the end, write ${last}`,
      fix: { title: `write ${last}`, edits: [{ span, text: last }] },
    });
    return undefined;
  }
  const size = knownNumber(context, { kind: "size", size: axis.axis.size, from: span });
  if (number !== undefined && size !== undefined && number >= size) {
    const { text } = axis.axis.size;
    const named = text === String(size) ? "this axis has " : `${shownSize(text)} has `;
    report.add("wrong-option", span, `there is no position ${number}: ${named}${size} positions, 0 to ${size - 1}`, {
      hint: "positions count from 0",
    });
    return undefined;
  }
  const index = make.toInt(builder, number === undefined ? make.sizeNumber(builder, at) : make.num(builder, number));
  const mask = variable && number !== 0 ? [make.lt(builder, index, axes.count(axis.axis))] : [];
  const valid = validMasks(context, axis, index, span);
  return valid && gatherAccess(index, span, doubtful(context, [...mask, ...valid], axis, span));
}

/** Holds where the masks do, which an `else` must cover. */
function doubtful(context: Context, masks: readonly string[], axis: VisibleAxis, span: Span): Condition {
  for (const mask of masks) context.session.doubtful.set(mask, { span, axis: shownSize(axis.axis.size.text) });
  return addMasks(masks);
}

export function gatherAccess(id: string, from: Span, condition: Condition): Access {
  const index: TensorValue = {
    kind: "tensor",
    id,
    visible: [],
    vocabulary: undefined,
    condition: EVERYWHERE,
    zeroOutside: [],
    from,
  };
  return { kind: "gather", index, condition };
}

export function planGather(
  context: Context,
  axis: VisibleAxis,
  index: Meaning,
  { value, span }: Extract<Subscript, { kind: "at" }>,
): Access | undefined {
  const { builder, report, axes } = context.session;
  if (index.kind !== "tensor" || builder.type(index.id).dtype !== "int") {
    const numbers = index.kind === "tensor" ? `${describe(index)}, which are not whole numbers` : describe(index);
    report.add("wrong-kind", span, `a position is a whole number, this is ${numbers}`, {
      related: index.kind === "tensor" ? [{ span: index.from, message: "it comes from here" }] : [],
      hint: "a position is a number, an index of this equation, or tokens",
    });
    return undefined;
  }
  if (index.vocabulary !== undefined) {
    if (equalSizes(index.vocabulary, axis.axis.size) || axis.unit) {
      const held = validMasks(context, axis, index.id, span);
      return held && { kind: "gather", index, condition: doubtful(context, held, axis, span) };
    }
    report.add(
      "token-size",
      span,
      `tokens below ${shownSize(index.vocabulary.text)} cannot be positions of ${shownSize(axis.axis.size.text)}`,
      {
        related: [{ span: index.from, message: `${describe(index)} comes from here` }],
        hint: "a table that tokens read has an axis of their vocabulary",
      },
    );
    return undefined;
  }
  const low = make.le(builder, make.int(builder, 0), index.id);
  const high = make.lt(builder, index.id, axes.count(axis.axis));
  const valid = validMasks(context, axis, index.id, span);
  const masks = isWithin(context, axis, value) ? [] : [make.and(builder, low, high)];
  return valid && { kind: "gather", index, condition: doubtful(context, [...masks, ...valid], axis, span) };
}
