import type { Fix } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Op } from "../ir/op.ts";
import { equalSizes, evaluateSize } from "../ir/size.ts";
import type { NoAttributes } from "../op/elementwise.ts";
import * as make from "../op/make.ts";
import * as sums from "../op/make_sum.ts";
import * as maps from "../op/map.ts";
import { align, freshen, hiddenIds, jointCondition, origins, renameVisible } from "./align.ts";
import { mergeConditions } from "./condition.ts";
import { ownInteger, ownNumber } from "./extent.ts";
import type { Context } from "./frame.ts";
import { settle } from "./record.ts";
import {
  BOTTOM,
  describe,
  EVERYWHERE,
  INVALID,
  type InstanceValue,
  type Meaning,
  shapeText,
  type TensorValue,
  type VisibleAxis,
} from "./value.ts";

/** A number, size or token as a graph value; undefined where the meaning is no number (reported). */
export function asTensor(context: Context, meaning: Meaning, span: Span): TensorValue | undefined {
  const { builder, sizes, report } = context.session;
  switch (meaning.kind) {
    case "tensor":
      return meaning;
    case "size": {
      const value = evaluateSize(meaning.size, sizes);
      const id = value === undefined ? ownNumber(context.session, meaning.size) : make.num(builder, value);
      return scalar(id, span);
    }
    case "number":
      return scalar(make.num(builder, meaning.value), span);
    case "several":
      return asTensor(context, meaning.items[0] ?? INVALID, span);
    case "instance":
      reportInstance(context, meaning, span);
      return undefined;
    case "definition":
    case "builtin":
      report.add("wrong-kind", span, `a number or an array is needed here, this is ${describe(meaning)}`, {
        hint: `call it: ${meaning.kind === "builtin" ? meaning.name : meaning.definition.name.text}(x)`,
      });
      return undefined;
    case "record":
      report.add("wrong-kind", span, `a number or an array is needed here, this is ${describe(meaning)}`, {
        hint: `name a part of it, as in s.${[...meaning.fields.keys()][0] ?? "h"}`,
      });
      return undefined;
    case "list":
    case "text":
      report.add("wrong-kind", span, `a number or an array is needed here, this is ${describe(meaning)}`, {
        hint:
          meaning.kind === "text"
            ? "a number or a name is written without quotes"
            : "a list gives sizes and parameters; one of its items is read with brackets, as in sizes[0]",
      });
      return undefined;
    case "special":
      report.add("wrong-kind", span, `which vocabulary this ${meaning.name} belongs to is not said`, {
        hint: `write it behind an else, as in \`ids[t-1] else ${meaning.name}\``,
      });
      return undefined;
    case "bottom":
      return meaning.otherwise;
    case "invalid":
      return undefined;
    default:
      return meaning satisfies never;
  }
}

function reportInstance(context: Context, { path, definition }: InstanceValue, span: Span): void {
  const cell = definition.definitionKind === "cell";
  context.session.report.add(
    cell ? "bare-cell" : "wrong-kind",
    span,
    `${path} is a ${definition.definitionKind}, not a value`,
    {
      hint: cell ? `write y[t], s[t] = ${path}(x[t], s[t-1]), or scan ${path} over x` : `call it: ${path}(x)`,
    },
  );
}

export function scalar(id: string, from: Span): TensorValue {
  return {
    kind: "tensor",
    id,
    visible: [],
    vocabulary: undefined,
    condition: EVERYWHERE,
    zeroOutside: [],
    from,
  };
}

/** A size beside whole numbers is one: `T-1-t` is a position. Powers of whole numbers may be fractions. */
function beside(context: Context, op: Op<NoAttributes>, operand: Meaning, operands: readonly Meaning[]): Meaning {
  const { builder, sizes } = context.session;
  if (operand.kind !== "size" || op.name === "pow") return operand;
  const dtypes = operands.flatMap((other) => (other.kind === "tensor" ? [builder.type(other.id).dtype] : []));
  if (!dtypes.includes("int") || dtypes.includes("float") || operands.some((other) => other.kind === "number"))
    return operand;
  const known = evaluateSize(operand.size, sizes);
  const whole = known === undefined ? ownInteger(context.session, operand.size) : wholeNumber(context, known);
  return whole === undefined ? operand : scalar(whole, operand.from);
}

function wholeNumber({ session: { builder } }: Context, value: number): string | undefined {
  return Number.isInteger(value) ? make.int(builder, value) : undefined;
}

/** An elementwise op on aligned operands; unknown operands of a recurrence drop out. */
export function elementwise(
  context: Context,
  op: Op<NoAttributes>,
  operands: readonly Meaning[],
  spans: readonly Span[],
  span: Span,
): Meaning {
  if (operands.some((operand) => operand.kind === "invalid")) return INVALID;
  const known: TensorValue[] = [];
  for (const [index, operand] of operands.entries()) {
    if (operand.kind === "bottom" && operand.otherwise === undefined) continue;
    const value = asTensor(context, settle(context, beside(context, op, operand, operands)), spans[index] ?? span);
    if (value === undefined) return INVALID;
    known.push(value);
  }
  if (known.length === 0) return BOTTOM;
  const complete = known.length === operands.length;
  if (complete && !checkKinds(context, op, known, spans, span)) return INVALID;
  const aligned = align(context, known, span);
  if (aligned === undefined) return INVALID;
  const ids = aligned.values.map((value) => value.id);
  return {
    kind: "tensor",
    id: complete ? make.map(context.session.builder, op, ...ids) : widened(context, op, aligned.values),
    visible: aligned.visible,
    vocabulary: undefined,
    condition: jointCondition(known),
    zeroOutside: op.name === "mul" ? [...new Set(aligned.values.flatMap((value) => value.zeroOutside))] : [],
    from: span,
  };
}

const SIGNS: Readonly<Record<string, string>> = {
  ...{ add: "+", sub: "-", mul: "*", div: "/", mod: "%", pow: "**", neg: "-" },
  ...{ eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=", select: "where" },
};

const ARITHMETIC: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "mod", "pow"]);

/** Numbers, truths and tokens do not mix: reported where an operator is given others than it takes. */
function checkKinds(
  context: Context,
  op: Op<NoAttributes>,
  values: readonly TensorValue[],
  spans: readonly Span[],
  span: Span,
): boolean {
  const { builder, report } = context.session;
  const name = SIGNS[op.name] ?? op.name;
  const notes = values.map((value) => ({ span: value.from, message: `${describe(value)} comes from here` }));
  const wrong = op.infer(
    values.map((value) => builder.type(value.id)).map(({ dtype }) => ({ dtype, axes: [] })),
    {},
  );
  if (typeof wrong === "string") {
    const truths = values.findIndex((value) => builder.type(value.id).dtype === "bool");
    const logical = op.name === "and" || op.name === "or" || op.name === "not";
    report.add(
      "wrong-kind",
      (logical ? spans[values.findIndex((value) => builder.type(value.id).dtype !== "bool")] : spans[truths]) ?? span,
      logical ? `${name} takes truths, and this is a number` : `${name} takes numbers, and this is true or false`,
      { hint: logical ? "write a comparison, as in x > 0" : "write where(condition, 1, 0)" },
    );
    return false;
  }
  const tokens = values.findIndex((value) => value.vocabulary !== undefined);
  const others = values.some(
    (value) =>
      value.vocabulary === undefined &&
      make.constantValue(builder, value.id) === undefined &&
      builder.type(value.id).axes.length > 0,
  );
  if (tokens < 0 || !others || !ARITHMETIC.has(op.name)) return true;
  report.add("wrong-kind", spans[tokens] ?? span, `${name} takes numbers, and these are tokens`, {
    related: notes,
    hint: "embed them, or write one_hot(...)",
  });
  return false;
}

const TRUTHS: ReadonlySet<string> = new Set(["eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not"]);

/** Stands for an expression of which only some operands are known yet: a value of its kind with all their axes. */
function widened(context: Context, op: Op<NoAttributes>, values: readonly TensorValue[]): string {
  const { builder } = context.session;
  const sum = values.map((value) => make.toFloat(builder, value.id)).reduce((all, id) => make.add(builder, all, id));
  return TRUTHS.has(op.name) ? make.lt(builder, sum, make.num(builder, 0)) : sum;
}

/**
 * `left @ right`: contracts the last axis of each; the result has the other axes of `right`, then those of `left`.
 * Entries past an example's end do not count.
 */
export function product(
  context: Context,
  left: Meaning,
  right: Meaning,
  spans: readonly [Span, Span],
  span: Span,
): Meaning {
  if (left.kind === "invalid" || right.kind === "invalid") return INVALID;
  if (left.kind === "bottom" || right.kind === "bottom") return BOTTOM;
  const a = asTensor(context, settle(context, left), spans[0]);
  const b = asTensor(context, settle(context, right), spans[1]);
  if (a === undefined || b === undefined) return INVALID;
  if (!checkKinds(context, maps.mul, [a, b], spans, span)) return INVALID;
  const [k, other] = [lastAxis(a), lastAxis(b)];
  if (k === undefined) return reportRank(context, a, spans[0]);
  if (k.unit) return unitProduct(context, a, b, span);
  if (other === undefined) return reportRank(context, b, spans[1]);
  if (other.unit || !equalSizes(k.axis.size, other.axis.size) || labelsDiffer(k, other)) {
    return reportProduct(context, a, b, spans[0], span);
  }
  return contracted(context, a, b, span);
}

/** A last axis of size 1 met by nothing or by another: a plain product of the rest. */
function unitProduct(context: Context, a: TensorValue, b: TensorValue, span: Span): Meaning {
  const rows = a.visible.slice(0, -1);
  const rest = lastAxis(b)?.unit === true ? b.visible.slice(0, -1) : b.visible;
  const left = freshen(context, { ...a, visible: rows }, new Set([...hiddenIds(context), ...ids(rest)]));
  return {
    kind: "tensor",
    id: make.mul(context.session.builder, left.id, b.id),
    visible: [...rest, ...left.visible],
    vocabulary: undefined,
    condition: mergeConditions(a.condition, b.condition),
    zeroOutside: [],
    from: span,
  };
}

function contracted(context: Context, a: TensorValue, b: TensorValue, span: Span): Meaning {
  const { builder, axes } = context.session;
  const k = a.visible.at(-1);
  const bLast = b.visible.at(-1);
  if (k === undefined || bLast === undefined) return INVALID;
  lintSquares(context, a, b, span);
  const hidden = hiddenIds(context);
  const rest = b.visible.slice(0, -1);
  const left = freshen(context, a, new Set([...hidden, ...ids(rest)]));
  const leftLast = left.visible.at(-1)?.axis ?? k.axis;
  const taken = new Set([...hidden, ...ids(rest), ...ids(left.visible.slice(0, -1))]);
  const meet = taken.has(bLast.axis.id)
    ? axes.fresh(
        leftLast.size,
        new Set([...taken, ...ids(left.visible), ...ids(b.visible)]),
        axes.lengths(bLast.axis.id),
      )
    : bLast.axis;
  const leftRenamed = renameVisible(context, left, [...left.visible.slice(0, -1).map((axis) => axis.axis), meet]);
  const right = renameVisible(context, b, [...rest.map((axis) => axis.axis), meet]);
  const zero = leftRenamed.zeroOutside.includes(meet.id) || right.zeroOutside.includes(meet.id);
  const mask = zero ? undefined : axes.inside(meet);
  const rightId = mask === undefined ? right.id : make.select(builder, mask, right.id, make.num(builder, 0));
  return {
    kind: "tensor",
    id: sums.contract(builder, leftRenamed.id, rightId, [meet]),
    visible: [...right.visible.slice(0, -1), ...leftRenamed.visible.slice(0, -1)],
    vocabulary: undefined,
    condition: mergeConditions(a.condition, b.condition),
    zeroOutside: [],
    from: span,
  };
}

/** `W @ W`, or two square operands: says which axes met, since the other way would fit as well. */
function lintSquares(context: Context, a: TensorValue, b: TensorValue, span: Span): void {
  const square = (value: TensorValue): boolean => {
    const [first, second] = value.visible.slice(-2);
    return (
      first !== undefined &&
      second !== undefined &&
      first.label === undefined &&
      equalSizes(first.axis.size, second.axis.size)
    );
  };
  if (a.id !== b.id && !(square(a) && square(b))) return;
  context.session.report.add("equal-squares", span, "the last axes of both sides meet here: this is x @ y.T of numpy", {
    related: origins(context, a, b),
    hint: "write .T on the side whose first axis is meant, or label the axes",
    severity: "warning",
  });
}

function labelsDiffer(a: VisibleAxis, b: VisibleAxis): boolean {
  return a.label !== undefined && b.label !== undefined && a.label !== b.label;
}

function lastAxis(value: TensorValue): VisibleAxis | undefined {
  return value.visible.at(-1);
}

function ids(visible: readonly VisibleAxis[]): readonly string[] {
  return visible.filter((axis) => !axis.unit).map((axis) => axis.axis.id);
}

function reportRank(context: Context, value: TensorValue, span: Span): Meaning {
  context.session.report.add("rank", span, `@ needs an axis on each side, this is ${shapeText(value.visible)}`, {
    related: origins(context, value),
    hint: "use * to multiply by a number",
  });
  return INVALID;
}

function reportProduct(context: Context, a: TensorValue, b: TensorValue, left: Span, span: Span): Meaning {
  const text = (value: TensorValue): string => {
    const last = value.visible.at(-1);
    return last === undefined ? "[]" : shapeText([last]);
  };
  const known = [a, b].map((value) => {
    const last = value.visible.at(-1);
    return last === undefined || last.unit ? undefined : evaluateSize(last.axis.size, context.session.sizes);
  });
  const accident = known[0] !== undefined && known[0] === known[1] ? ` (${known[0]} both, by accident)` : "";
  const transposable = a.visible.length >= 2 && transposeWouldFit(a, b);
  context.session.report.add(
    "product-mismatch",
    span,
    `@ meets ${text(a)} of ${shapeText(a.visible)} with ${text(b)} of ${shapeText(b.visible)}${accident}`,
    {
      related: origins(context, a, b),
      hint: transposable
        ? "write .T behind the left side, which swaps its last two axes"
        : "@ multiplies along the last axis of each side, and sums; sizes are told apart by their names",
      fix: transposable ? transposeFix(context, left) : undefined,
    },
  );
  return INVALID;
}

/** Only where nothing but a name is to be transposed, so that no parentheses are needed. */
function transposeFix(context: Context, left: Span): Fix | undefined {
  const text = context.session.modules.all.get(left.file)?.text.slice(left.start, left.end) ?? "";
  if (!/^\w+(\.\w+)*$/.test(text)) return undefined;
  return { title: `write ${text}.T`, edits: [{ span: { ...left, start: left.end }, text: ".T" }] };
}

function transposeWouldFit(a: TensorValue, b: TensorValue): boolean {
  const [row, last] = [a.visible.at(-2), b.visible.at(-1)];
  return row !== undefined && last !== undefined && equalSizes(row.axis.size, last.axis.size);
}
