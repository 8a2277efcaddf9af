import type { Axis } from "../ir/type.ts";
import type { Equation, Expression, Index, IndexExpression, Subscript } from "../syntax/tree.ts";
import { children, printExpression } from "../syntax/walk.ts";
import { demand } from "./equation.ts";
import { evaluate, evaluateRaw } from "./expression.ts";
import type { Context, Slot } from "./frame.ts";
import { dottedPath } from "./member.ts";
import { asSize } from "./static.ts";
import type { Meaning } from "./value.ts";

export interface NamedAxis {
  readonly name: string;
  readonly axis: Axis;
}

/** The axes that an equation's indices range over; undefined where one is not said (reported). */
export function indexAxes(context: Context, equation: Equation): readonly NamedAxis[] | undefined {
  const indices = equation.targets.find((target) => target.indices.length > 0)?.indices ?? [];
  for (const target of equation.targets) {
    const same =
      target.indices.map((index) => index.name.text).join() === indices.map((index) => index.name.text).join();
    if (!same) {
      const name = `${target.name.text}${target.primed ? "'" : ""}`;
      const texts = indices
        .map(({ name: { text }, range }) => (range === undefined ? text : `${text} in ${printExpression(range)}`))
        .join(", ");
      context.session.report.add("no-range", target.span, "all names of one equation have the same indices", {
        related: equation.targets
          .filter((other) => other.indices === indices)
          .map(({ span }) => ({ span, message: "this name has them" })),
        hint: `write ${name}[${indices.map((index) => index.name.text).join(", ")}]`,
        fix: {
          title: `write ${name}[...] with the same indices`,
          edits: [{ span: target.span, text: `${name}[${texts}]` }],
        },
      });
      return undefined;
    }
  }
  return rangesOf(context, indices, [equation.value], equation);
}

/** The axes of indices, each from its `in`, else from what the expressions read with it. */
export function rangesOf(
  context: Context,
  indices: readonly Index[],
  expressions: readonly Expression[],
  equation: Equation | undefined,
): readonly NamedAxis[] | undefined {
  const named: NamedAxis[] = [];
  const taken = new Set(context.hidden.map((axis) => axis.id));
  for (const index of indices) {
    if (named.some((other) => other.name === index.name.text)) {
      context.session.report.add("duplicate-axis-index", index.span, `${index.name.text} stands twice on the left`, {
        hint: "give the second axis an index of its own",
      });
      return undefined;
    }
    const found = index.range === undefined ? searched(context, index, expressions, equation) : ranged(context, index);
    if (found === "invalid") return undefined;
    if (found === undefined) {
      if (!expressions.some((expression) => readsInvalid(context, index.name.text, expression)))
        reportNoRange(context, index, equation);
      return undefined;
    }
    const axis = taken.has(found.id)
      ? context.session.axes.fresh(found.size, taken, context.session.axes.lengths(found.id))
      : found;
    taken.add(axis.id);
    named.push({ name: index.name.text, axis });
  }
  return named;
}

function ranged(context: Context, index: Index): Axis | "invalid" {
  if (index.range === undefined) return "invalid";
  const size = asSize(context, evaluate(context, index.range), index.range.span);
  if (size === undefined) return "invalid";
  return context.session.axes.fresh(size, new Set(), context.session.axes.lengths(size.text));
}

function searched(
  context: Context,
  index: Index,
  expressions: readonly Expression[],
  equation: Equation | undefined,
): Axis | undefined {
  const seen = new Set<Equation>(equation === undefined ? [] : [equation]);
  for (const expression of expressions) {
    const found = searchExpression(context, index.name.text, expression, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The axis that some read `x[..name..]` inside the expression has at that place. */
function searchExpression(
  context: Context,
  name: string,
  expression: Expression,
  seen: Set<Equation>,
): Axis | undefined {
  if (expression.kind === "index") {
    for (const [position, subscript] of expression.subscripts.entries()) {
      if (!readsPlainly(subscript, name)) continue;
      const found = axisOf(context, expression, position, seen);
      if (found !== undefined) return found;
    }
  }
  for (const child of children(expression)) {
    const found = searchExpression(context, name, child, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether the index reads something wrong that was reported: its range would be no second mistake. */
function readsInvalid(context: Context, name: string, expression: Expression): boolean {
  if (expression.kind === "index" && expression.subscripts.some((subscript) => readsPlainly(subscript, name))) {
    const slot = slotOf(context, expression.object);
    if (slot?.group.state === "busy") return false;
    const value = slot === undefined ? quiet(context, expression.object) : demand(context.session, slot);
    if (value?.kind === "invalid") return true;
  }
  return children(expression).some((child) => readsInvalid(context, name, child));
}

/** `t`, `t - 1`, `t - 1 - k`, `:t + 1`: the index itself, plus or minus other things. */
function readsPlainly(subscript: Subscript, name: string): boolean {
  if (subscript.kind === "at") return hasPlainTerm(subscript.value, name);
  return [subscript.from, subscript.to].some((end) => end !== undefined && hasPlainTerm(end, name));
}

function hasPlainTerm(expression: Expression, name: string): boolean {
  if (expression.kind === "reference") return expression.name === name && !expression.primed;
  if (expression.kind !== "binary") return false;
  if (expression.operator === "+") return hasPlainTerm(expression.left, name) || hasPlainTerm(expression.right, name);
  return expression.operator === "-" && hasPlainTerm(expression.left, name);
}

function axisOf(
  context: Context,
  expression: IndexExpression,
  position: number,
  seen: Set<Equation>,
): Axis | undefined {
  const slot = slotOf(context, expression.object);
  const { equation } = slot ?? {};
  if (slot !== undefined && equation !== undefined) {
    const target = equation.targets[slot.index];
    const own = target?.indices[position];
    if (own !== undefined) {
      if (own.range !== undefined) {
        const axis = ranged(context, own);
        return axis === "invalid" ? undefined : axis;
      }
      if (seen.has(equation)) return undefined;
      seen.add(equation);
      return searchExpression(context, own.name.text, equation.value, seen);
    }
    if (slot.group.state === "busy") return undefined;
  }
  const value = slot === undefined ? quiet(context, expression.object) : demand(context.session, slot);
  return axisAt(value, position);
}

function slotOf(context: Context, object: Expression): Slot | undefined {
  const path = object.kind === "reference" && object.primed ? `${object.name}'` : dottedPath(object);
  return path === undefined ? undefined : context.frame.names.get(path);
}

/** Only simple objects are looked at: what they read must not need the index that is being found out. */
function quiet(context: Context, object: Expression): Meaning | undefined {
  return object.kind === "member" || object.kind === "reference" ? evaluateRaw(context, object) : undefined;
}

function axisAt(value: Meaning | undefined, position: number): Axis | undefined {
  if (value?.kind === "tensor") {
    const axis = value.visible[position];
    return axis?.axis;
  }
  if (value?.kind === "record") {
    const first = [...value.fields.values()][0];
    return axisAt(first, position);
  }
  return undefined;
}

function reportNoRange(context: Context, index: Index, equation: Equation | undefined): void {
  const name = equation?.targets[0]?.name.text ?? "it";
  context.session.report.add("no-range", index.span, `what ${index.name.text} ranges over is not said`, {
    hint: `write ${name}[${index.name.text} in T], with T a size or a time`,
  });
}
