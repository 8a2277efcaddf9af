import type { Span } from "../base/span.ts";
import { equalSizes } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import type { IndexExpression, Subscript } from "../syntax/tree.ts";
import { type Affine, indexAffine } from "./affine.ts";
import { inRange } from "./condition.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { type Part, planPart } from "./part.ts";
import { gatherAccess, planConstant, planGather } from "./read-position.ts";
import { isWhole } from "./valid.ts";
import { type Condition, shapeText, shownSize, type TensorValue, type VisibleAxis } from "./value.ts";

/** How one subscript reads its axis. */
export type Access =
  | { readonly kind: "keep" }
  /** Along an index: position index + offset. */
  | { readonly kind: "along"; readonly index: Axis; readonly offset: number }
  | {
      readonly kind: "window";
      readonly index: Axis;
      readonly offset: number;
      readonly over: Axis;
      readonly stride: number;
    }
  /** The positions before index + end, from index + start on; either may be open. */
  | {
      readonly kind: "slice";
      readonly index: Axis;
      readonly start: number | undefined;
      readonly end: number | undefined;
    }
  | Part
  | { readonly kind: "gather"; readonly index: TensorValue; readonly condition: Condition };

/** A subscript of a read, and the axis that it is of. */
export interface Reading {
  readonly axis: VisibleAxis;
  readonly access: Access;
  readonly span: Span;
}

/** What every subscript does; "bottom" where an index is not known yet. */
export function planReads(
  context: Context,
  value: TensorValue,
  expression: IndexExpression,
): readonly Reading[] | "bottom" | undefined {
  const { subscripts } = expression;
  if (subscripts.length > value.visible.length) {
    context.session.report.add(
      "rank",
      expression.span,
      `${subscripts.length} subscripts for ${shapeText(value.visible)}`,
      {
        related: [{ span: value.from, message: "its shape comes from here" }],
        hint:
          value.visible.length === 0
            ? "it is a single number here"
            : `write ${value.visible.length === 1 ? "one subscript" : `at most ${value.visible.length}`}`,
      },
    );
    return undefined;
  }
  const readings: Reading[] = [];
  const used = new Set<string>();
  for (const [position, subscript] of subscripts.entries()) {
    const axis = value.visible[position];
    if (axis === undefined) return undefined;
    const access =
      subscript.kind === "at" ? planAt(context, axis, subscript, used) : planSlice(context, axis, subscript);
    if (access === "bottom" || access === undefined) return access;
    if (access.kind === "along" || access.kind === "window") used.add(access.index.id);
    if (access.kind === "window") used.add(access.over.id);
    readings.push({ axis, access, span: subscript.span });
  }
  return readings;
}

function planAt(
  context: Context,
  axis: VisibleAxis,
  subscript: Extract<Subscript, { kind: "at" }>,
  used: ReadonlySet<string>,
): Access | "bottom" | undefined {
  const affine = indexAffine(context, subscript.value);
  if (affine !== undefined) {
    const along = planAffine(context, axis, affine, used);
    const access = along ?? repeatedIndex(context, axis, affine, subscript.span);
    if (access !== undefined) return access;
    const mismatch = mismatchedIndex(context, axis, affine);
    if (mismatch !== undefined) {
      reportRange(context, axis, mismatch.name, mismatch.index, subscript.span);
      return undefined;
    }
  }
  const index = evaluate(context, subscript.value);
  if (index.kind === "invalid") return undefined;
  if (index.kind === "bottom") return "bottom";
  if (index.kind === "size") return planConstant(context, axis, index.size, subscript.span);
  return planGather(context, axis, index, subscript);
}

/** An index over this axis with coefficient 1, and at most one other. */
function planAffine(
  context: Context,
  axis: VisibleAxis,
  affine: Affine,
  used: ReadonlySet<string>,
): Access | undefined {
  const parts = [...affine.coefficients].map(([name, coefficient]) => ({
    index: context.indices.get(name),
    coefficient,
  }));
  const main = parts.find(
    ({ index, coefficient }) =>
      index !== undefined && coefficient === 1 && equalSizes(index.size, axis.axis.size) && !used.has(index.id),
  );
  if (main?.index === undefined) return undefined;
  const others = parts.filter((part) => part !== main);
  const over = others[0];
  if (over === undefined) return { kind: "along", index: main.index, offset: affine.constant };
  if (others.length > 1 || over.index === undefined || used.has(over.index.id)) return undefined;
  return { kind: "window", index: main.index, offset: affine.constant, over: over.index, stride: over.coefficient };
}

/** `A[i, i]`: an index that reads another axis of the value already is a position on this one. */
function repeatedIndex(context: Context, axis: VisibleAxis, affine: Affine, span: Span): Access | undefined {
  const [only] = [...affine.coefficients];
  const index = only === undefined ? undefined : context.indices.get(only[0]);
  if (affine.coefficients.size !== 1 || only?.[1] !== 1 || index === undefined) return undefined;
  if (axis.unit || !equalSizes(index.size, axis.axis.size)) return undefined;
  const { builder } = context.session;
  const position = make.add(builder, make.iota(builder, index), make.int(builder, affine.constant));
  return gatherAccess(position, span, inRange(index.id, -affine.constant, affine.constant));
}

/** A lone index `t` or `t + c` over another axis: a mistake, not a computed position. */
function mismatchedIndex(
  context: Context,
  axis: VisibleAxis,
  affine: Affine,
): { readonly name: string; readonly index: Axis } | undefined {
  const [only] = [...affine.coefficients];
  if (affine.coefficients.size !== 1 || only?.[1] !== 1) return undefined;
  const index = context.indices.get(only[0]);
  return index !== undefined && !equalSizes(index.size, axis.axis.size) && !axis.unit
    ? { name: only[0], index }
    : undefined;
}

function reportRange(context: Context, axis: VisibleAxis, name: string, index: Axis, span: Span): void {
  context.session.report.add(
    "two-ranges",
    span,
    `${name} ranges over ${shownSize(index.size.text)}, and the axis read here is ${shownSize(axis.axis.size.text)}`,
    { hint: `use another index for ${shownSize(axis.axis.size.text)}; equal numbers are not equal axes` },
  );
}

function planSlice(
  context: Context,
  axis: VisibleAxis,
  subscript: Extract<Subscript, { kind: "slice" }>,
): Access | "bottom" | undefined {
  const { from, to } = subscript;
  if (from === undefined && to === undefined) return { kind: "keep" };
  const ends = [from, to].map((end) => (end === undefined ? undefined : indexAffine(context, end)));
  const [start, end] = ends;
  if (start === undefined && end === undefined) return planPart(context, axis, subscript);
  const index = sliceIndex(context, axis, start ?? end);
  const other = start === undefined || end === undefined ? index : sliceIndex(context, axis, end);
  if (index === undefined || other?.id !== index.id || (from !== undefined) !== (start !== undefined)) {
    const wrong = mismatchedIndex(context, axis, start ?? end ?? { coefficients: new Map(), constant: 0 });
    if (wrong !== undefined) {
      reportRange(context, axis, wrong.name, wrong.index, subscript.span);
      return undefined;
    }
    context.session.report.add(
      "two-ranges",
      subscript.span,
      "the ends of a slice are sizes, or one index over the axis that is cut plus a number",
      {
        hint: `${shownSize(axis.axis.size.text)} is cut here, as in x[:t+1] or x[t-2:t+1]`,
      },
    );
    return undefined;
  }
  if (!isWhole(context, axis, 0, 0, subscript.span)) return undefined;
  return { kind: "slice", index, start: start?.constant, end: end?.constant };
}

function sliceIndex(context: Context, axis: VisibleAxis, affine: Affine | undefined): Axis | undefined {
  const [only] = [...(affine?.coefficients ?? [])];
  if (only === undefined || affine?.coefficients.size !== 1 || only[1] !== 1) return undefined;
  const index = context.indices.get(only[0]);
  return index !== undefined && equalSizes(index.size, axis.axis.size) ? index : undefined;
}
