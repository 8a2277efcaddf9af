import type { Axis } from "../ir/type.ts";
import { hasAxis } from "../ir/type.ts";
import type { Equation, Target } from "../syntax/tree.ts";
import { isEverywhere, mergeRanges } from "./condition.ts";
import { evaluate } from "./expression.ts";
import { type Context, type Frame, frameContext, joinPath, type Session } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { indexAxes } from "./range.ts";
import { isThere } from "./there.ts";
import {
  describe,
  EVERYWHERE,
  INVALID,
  type Meaning,
  type RecordValue,
  shapeText,
  type TensorValue,
  visibleAxis,
} from "./value.ts";

/** The meanings of an equation's targets. */
export function evaluateEquation(session: Session, frame: Frame, equation: Equation): readonly Meaning[] {
  const base = frameContext(session, frame);
  const axes = indexAxes(base, equation);
  if (axes === undefined) return equation.targets.map(() => INVALID);
  const context: Context = {
    ...base,
    hidden: [...base.hidden, ...axes.map(({ axis }) => axis)],
    indices: new Map(axes.map(({ name, axis }) => [name, axis])),
  };
  const name = equation.targets.map((target) => target.name.text).join(", ");
  const origin = { span: equation.span, name: frame.path === "" ? name : `${frame.path}.${name}` };
  return session.builder.within(origin, () => {
    const found = evaluate(context, equation.value);
    const value = found.kind === "bottom" ? (found.otherwise ?? found) : found;
    return assign(context, equation, value).map((meaning, position) => {
      const target = equation.targets[position];
      return target === undefined
        ? meaning
        : define(
            context,
            meaning,
            target,
            axes.map(({ axis }) => axis),
          );
    });
  });
}

/** One value for each target: the results of a call in order, its final state last. */
function assign(context: Context, equation: Equation, value: Meaning): readonly Meaning[] {
  const { targets } = equation;
  if (value.kind === "bottom" || value.kind === "invalid") return targets.map(() => value);
  const items = value.kind === "several" ? value.items : [value];
  const extra = targets[items.length];
  if (extra !== undefined) {
    context.session.report.add(
      "too-many-names",
      extra.span,
      `${targets.length} names, but the right side gives ${items.length === 1 ? "one value" : `${items.length} values`}`,
      {
        related: [{ span: equation.value.span, message: `this gives ${describe(value)}` }],
        hint: `leave ${targets
          .slice(items.length)
          .map(({ name }) => name.text)
          .join(", ")} out`,
      },
    );
    return targets.map(() => INVALID);
  }
  return targets.map((_, index) => items[index] ?? INVALID);
}

/** `h[t] = e`: the indices become the first axes; where `e` does not hold, neither does `h`. */
function define(context: Context, meaning: Meaning, target: Target, axes: readonly Axis[]): Meaning {
  if (meaning.kind === "record") {
    const fields = new Map<string, TensorValue>();
    for (const [name, field] of meaning.fields) {
      const defined = defineTensor(context, field, target, axes);
      if (defined === undefined) return INVALID;
      fields.set(name, defined);
    }
    const record: RecordValue = { ...meaning, fields };
    return record;
  }
  if (meaning.kind !== "tensor") {
    if (axes.length === 0 || meaning.kind === "bottom" || meaning.kind === "invalid") return meaning;
    const constant = asTensor(context, meaning, target.span);
    return constant === undefined ? INVALID : (defineTensor(context, constant, target, axes) ?? INVALID);
  }
  return defineTensor(context, meaning, target, axes) ?? INVALID;
}

/** Whether how many positions of an axis count depends on an index. */
function variesWith({ session }: Context, axis: string, indices: readonly Axis[]): boolean {
  const { length, start } = session.axes.lengths(axis);
  return [length, start].some(
    (id) => id !== undefined && indices.some((index) => hasAxis(session.builder.type(id), index.id)),
  );
}

function defineTensor(
  context: Context,
  value: TensorValue,
  target: Target,
  axes: readonly Axis[],
): TensorValue | undefined {
  const { builder } = context.session;
  const named = `${target.name.text}${target.primed ? "'" : ""}`;
  if (builder.definition(value.id) !== undefined) builder.label(value.id, joinPath(context.frame.path, named));
  const ranges = mergeRanges(
    value.condition.ranges,
    value.condition.windows.map((window) => window.whole),
  );
  const own = ranges.filter((range) => axes.some((axis) => axis.id === range.axis));
  const outer = ranges.filter((range) => !own.includes(range));
  if (axes.length > 0 && !isThere(context, value, target.span)) return undefined;
  const varying = value.visible.find((axis) => !axis.unit && variesWith(context, axis.axis.id, axes));
  if (varying !== undefined) {
    context.session.report.add(
      "varying-axis",
      target.span,
      `${target.name.text} would have a slice as an axis, which has another number of positions at each ${axes.map((axis) => axis.size.text).join(", ")}`,
      {
        related: [{ span: value.from, message: `${shapeText(value.visible)} comes from here` }],
        hint: "reduce the slice inside this equation, as in sum[T](...) or mean(...) over it",
      },
    );
    return undefined;
  }
  const front = axes.map((axis) => {
    const range = own.find((candidate) => candidate.axis === axis.id);
    const shown = visibleAxis(axis);
    return range === undefined ? shown : { ...shown, valid: { low: range.low, high: range.high } };
  });
  const condition = axes.length === 0 ? value.condition : { ...EVERYWHERE, ranges: outer };
  const zeroOutside = isEverywhere(condition) ? value.zeroOutside : [];
  return { ...value, visible: [...front, ...value.visible], condition, zeroOutside, from: target.span };
}
