import type { Span } from "../base/span.ts";
import { wholeOf } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { hasAxis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as sums from "../op/make_sum.ts";
import type { Call, Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { mergeConditions } from "./condition.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { roundedTime } from "./static.ts";
import {
  EVERYWHERE,
  INVALID,
  type Meaning,
  shapeText,
  shownSize,
  type TensorValue,
  type VisibleAxis,
} from "./value.ts";

/** What a reduction runs over: visible axes, or `batch`, which is every hidden one. */
export interface Reduction {
  readonly value: TensorValue;
  readonly axes: readonly Axis[];
  /** The visible axes among them. */
  readonly visible: readonly VisibleAxis[];
}

/** Finds the axes that a reduction names (`sum[S](x)`, `mean[batch](x)`, `max[7, 7](x)`), the last one without a name. */
export function reduction(context: Context, call: Call, value: TensorValue): Reduction | undefined {
  if (!checkKind(context, call, value)) return undefined;
  if (call.axes.length === 0) {
    const last = value.visible.at(-1);
    return {
      value,
      axes: last === undefined || last.unit ? [] : [last.axis],
      visible: last === undefined ? [] : [last],
    };
  }
  if (call.axes.some(isBatch)) return { value, axes: context.hidden, visible: [] };
  const chosen: VisibleAxis[] = [];
  for (const wanted of call.axes) {
    const axis = findAxis(context, wanted, value, chosen);
    if (axis === undefined) return undefined;
    chosen.push(axis);
  }
  return ambiguous(context, call, value, chosen)
    ? undefined
    : { value, axes: chosen.filter((axis) => !axis.unit).map((axis) => axis.axis), visible: chosen };
}

/** Truths can be counted; anything else that is done with numbers is not done with them. */
const COUNTS: ReadonlySet<string> = new Set(["sum", "mean", "prod", "max", "min", "concat"]);

function checkKind(context: Context, call: Call, value: TensorValue): boolean {
  const name = call.callee.kind === "reference" ? call.callee.name : "";
  const truths = context.session.builder.type(value.id).dtype === "bool";
  const logical = name === "any" || name === "all";
  if (logical ? truths : !truths || COUNTS.has(name)) return true;
  const text = logical
    ? `${name} takes truths, and these are numbers`
    : `${name} takes numbers, and these are true or false`;
  context.session.report.add("wrong-kind", call.args[0]?.span ?? call.span, text, {
    related: [{ span: value.from, message: "they come from here" }],
    hint: logical ? `write a comparison, as in ${name}(x > 0)` : "write where(condition, 1, 0)",
  });
  return false;
}

function isBatch(expression: Expression): boolean {
  return expression.kind === "reference" && expression.name === "batch";
}

function findAxis(
  context: Context,
  wanted: Expression,
  value: TensorValue,
  chosen: readonly VisibleAxis[],
): VisibleAxis | undefined {
  const free = value.visible.filter((axis) => !chosen.includes(axis));
  const byLabel = wanted.kind === "reference" ? free.find((axis) => axis.label === wanted.name) : undefined;
  if (byLabel !== undefined) return byLabel;
  const size = isKnownLabel(value, wanted) ? undefined : evaluate(context, wanted);
  if (size?.kind === "invalid") return undefined;
  const text = size?.kind === "size" ? roundedTime(context, size.size).text : "";
  const bySize = free.find((axis) => axis.axis.size.text === text || (text === "1" && axis.unit));
  const part = free.find((axis) => wholeOf(axis.axis.size)?.text === text);
  if (bySize !== undefined || part !== undefined) return bySize ?? part;
  const named = text === "" ? printExpression(wanted) : shownSize(text);
  context.session.report.add("axis-missing", wanted.span, `${shapeText(value.visible)} has no axis ${named}`, {
    related: [{ span: value.from, message: "its shape comes from here" }],
    hint:
      value.visible.length === 0
        ? "it is a single number here"
        : "name one of its axes, by size or label; without a name the last is meant",
  });
  return undefined;
}

function isKnownLabel(value: TensorValue, wanted: Expression): boolean {
  return wanted.kind === "reference" && value.visible.some((axis) => axis.label === wanted.name);
}

/** A number or name that names two axes must list both. */
function ambiguous(context: Context, call: Call, value: TensorValue, chosen: readonly VisibleAxis[]): boolean {
  const twin = chosen.find(
    (axis) =>
      axis.label === undefined &&
      value.visible.some(
        (other) => !chosen.includes(other) && other.label === undefined && other.axis.size.text === axis.axis.size.text,
      ),
  );
  if (twin === undefined) return false;
  const text = shownSize(twin.axis.size.text);
  const all = value.visible.filter((axis) => axis.axis.size.text === twin.axis.size.text).map(() => text);
  context.session.report.add("ambiguous-fit", call.span, `${shapeText(value.visible)} has more than one axis ${text}`, {
    related: [{ span: value.from, message: "its shape comes from here" }],
    hint: `list them all, [${all.join(", ")}], or label them where they are declared, as in [row: ${text}, ...]`,
  });
  return true;
}

type Kind = "sum" | "max" | "min" | "prod" | "any" | "all";

const NEUTRAL: Record<Kind, number | boolean> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  prod: 1,
  any: false,
  all: true,
};

/** Entries past an example's end do not count. */
export function reduced(context: Context, kind: Kind, { value, axes }: Reduction, id = value.id): string {
  const { builder } = context.session;
  const neutral = NEUTRAL[kind];
  const constant = typeof neutral === "boolean" ? make.bool(builder, neutral) : make.num(builder, neutral);
  const inside =
    kind === "sum" && axes.every((axis) => value.zeroOutside.includes(axis.id)) ? [] : masks(context, axes);
  const masked = inside.reduce((sum, mask) => make.select(builder, mask, sum, constant), floatFor(context, kind, id));
  if (kind === "sum") return sums.sumOver(builder, masked, axes);
  return kind === "prod" ? sums.product(builder, masked, axes) : sums.reduceOver(builder, kind, masked, axes);
}

function floatFor(context: Context, kind: Kind, id: string): string {
  const { builder } = context.session;
  return kind === "any" || kind === "all" ? id : make.toFloat(builder, id);
}

export function masks(context: Context, axes: readonly Axis[]): readonly string[] {
  return axes.flatMap((axis) => context.session.axes.inside(axis) ?? []);
}

/** float: how many entries count. */
export function counted(context: Context, axes: readonly Axis[]): string {
  const { builder, axes: table } = context.session;
  return axes
    .map((axis) => make.toFloat(builder, table.count(axis)))
    .reduce((product, count) => make.mul(builder, product, count), make.num(builder, 1));
}

/** Over the batch the counts of ragged axes are summed, not multiplied: every entry that counts weighs the same. */
function batchMean(context: Context, reduction: Reduction, id: string): string {
  const { builder } = context.session;
  const ones = masks(context, reduction.axes).map((mask) => make.toFloat(builder, mask));
  const one = ones.reduce((product, mask) => make.mul(builder, product, mask), make.num(builder, 1));
  return make.div(builder, reduced(context, "sum", reduction, id), sums.sumOver(builder, one, reduction.axes));
}

export function meanOf(context: Context, reduction: Reduction, id = reduction.value.id): string {
  const { builder } = context.session;
  if (reduction.visible.length === 0 && reduction.axes.length > 0) return batchMean(context, reduction, id);
  return make.div(builder, reduced(context, "sum", reduction, id), counted(context, reduction.axes));
}

/** mean((x - mean(x))²) */
export function varianceOf(context: Context, reduction: Reduction): string {
  const { builder } = context.session;
  const centred = make.sub(builder, reduction.value.id, meanOf(context, reduction));
  return meanOf(context, reduction, make.mul(builder, centred, centred));
}

/** The largest entry, 0 where there is none or it is infinite; no gradient flows through it. */
function shiftOf(context: Context, reduction: Reduction): string {
  const { builder } = context.session;
  const largest = make.stopGradient(builder, reduced(context, "max", reduction));
  const finite = make.lt(builder, make.num(builder, Number.NEGATIVE_INFINITY), largest);
  return make.select(builder, finite, largest, make.num(builder, 0));
}

/** exp(x - shift), 0 past the end: masked before the exponential too, or its gradient there could be 0 times infinity. */
function exponentials(context: Context, reduction: Reduction, shift: string): string {
  const { builder } = context.session;
  const zero = make.num(builder, 0);
  const inside = masks(context, reduction.axes);
  const masked = (id: string): string => inside.reduce((sum, mask) => make.select(builder, mask, sum, zero), id);
  return masked(make.exp(builder, masked(make.sub(builder, reduction.value.id, shift))));
}

/** Never 0, so that an empty slice gives no NaN. */
function safe(context: Context, { visible }: Reduction, sum: string): string {
  const { builder } = context.session;
  if (visible.every((axis) => axis.nonempty === undefined)) return sum;
  return make.select(builder, make.lt(builder, make.num(builder, 0), sum), sum, make.num(builder, 1));
}

export function softmaxOf(context: Context, reduction: Reduction): string {
  const { builder } = context.session;
  const powers = exponentials(context, reduction, shiftOf(context, reduction));
  return make.div(builder, powers, safe(context, reduction, sums.sumOver(builder, powers, reduction.axes)));
}

export function logSumExpOf(context: Context, reduction: Reduction): string {
  const { builder } = context.session;
  const shift = shiftOf(context, reduction);
  const sum = sums.sumOver(builder, exponentials(context, reduction, shift), reduction.axes);
  return make.add(builder, make.log(builder, safe(context, reduction, sum)), shift);
}

export interface ReductionOptions {
  /** The result has the axes that were looked along. */
  readonly keep?: boolean;
  /** Of a result that keeps them: past an example's end it is 0. */
  readonly zeroOutside?: boolean;
  /** The result holds where there is nothing to look along. */
  readonly emptyIsZero?: boolean;
}

/** The result of a reduction: the value without the axes, or with them (`softmax`). */
export function reductionResult(
  context: Context,
  { value, visible }: Reduction,
  id: string,
  span: Span,
  options: ReductionOptions = {},
): Meaning {
  const nonempty = visible.flatMap((axis) => axis.nonempty ?? []);
  const condition =
    options.emptyIsZero === true || nonempty.length === 0
      ? value.condition
      : mergeConditions(value.condition, { ...EVERYWHERE, ranges: nonempty });
  const kept = options.keep === true ? value.visible : value.visible.filter((axis) => !visible.includes(axis));
  const type = context.session.builder.type(id);
  const zeroOutside =
    options.zeroOutside === true ? kept.filter((axis) => visible.includes(axis)).map((axis) => axis.axis.id) : [];
  return {
    ...value,
    id,
    visible: options.keep === true ? kept.map((axis) => ({ ...axis, nonempty: undefined })) : kept,
    vocabulary: undefined,
    condition,
    zeroOutside: zeroOutside.filter((axis) => hasAxis(type, axis)),
    from: span,
  };
}

/** The only argument of a reduction, as a value. */
export function reductionOperand(context: Context, call: Call): TensorValue | Meaning {
  const argument = call.args[0];
  if (argument === undefined) return INVALID;
  const value = evaluate(context, argument.value);
  if (value.kind === "bottom" || value.kind === "invalid") return value;
  return asTensor(context, value, argument.span) ?? INVALID;
}

/** A function of one value. */
export function withTensor(context: Context, call: Call, use: (value: TensorValue) => Meaning): Meaning {
  const value = reductionOperand(context, call);
  return value.kind === "tensor" ? use(value) : value;
}
