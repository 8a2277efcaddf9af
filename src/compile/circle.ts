import type { Span } from "../base/span.ts";
import type { Modules } from "../check/modules.ts";
import type { Definition, Equation, Expression, IndexExpression, Subscript } from "../syntax/tree.ts";
import { children } from "../syntax/walk.ts";

/** How an equation reads another, as far as the text says: at the same index, at an earlier or later one, or all of it. */
export type Way = "same" | "earlier" | "later" | "whole";

/** One equation of a circle, and how it reads the next. */
export interface Step {
  readonly equation: Equation;
  /** The name that the step before reads. */
  readonly name: string;
  readonly read: Expression;
  readonly way: Way;
  readonly next: Equation;
}

/** The definition that a place belongs to. */
export function definitionAt(modules: Modules, { file, start, end }: Span): Definition | undefined {
  const definitions = modules.all.get(file)?.tree.declarations.filter((one) => one.kind === "definition") ?? [];
  return definitions.find(({ span }) => span.start <= start && span.end >= end);
}

/**
 * A shortest circle of a definition's equations through one that has a place in it, by the names that they read; each step
 * needs the next, the last the first. Only reads that `allowed` holds for count. Undefined where there is none.
 */
export function circleThrough(
  definition: Definition,
  place: Span,
  allowed: (way: Way) => boolean,
): readonly Step[] | undefined {
  const equations = definition.items.filter((item) => item.kind === "equation");
  const start = equations.find(({ span }) => span.start <= place.start && span.end >= place.end);
  if (start === undefined) return undefined;
  const named = new Map(
    equations.flatMap((equation) =>
      equation.targets.map((target) => [keyOf(target.name.text, target.primed), equation] as const),
    ),
  );
  const before = new Map<Equation, Step>();
  let front: readonly Equation[] = [start];
  while (front.length > 0) {
    const following: Equation[] = [];
    for (const equation of front) {
      for (const step of stepsOf(equation, named)) {
        if (!allowed(step.way)) continue;
        if (step.next === start) return [...pathTo(start, equation, before), step];
        if (before.has(step.next)) continue;
        before.set(step.next, step);
        following.push(step.next);
      }
    }
    front = following;
  }
  return undefined;
}

function pathTo(start: Equation, end: Equation, before: ReadonlyMap<Equation, Step>): readonly Step[] {
  const path: Step[] = [];
  for (let at = end; at !== start; ) {
    const step = before.get(at);
    if (step === undefined) break;
    path.push(step);
    at = step.equation;
  }
  return path.reverse();
}

function keyOf(name: string, primed: boolean): string {
  return primed ? `${name}'` : name;
}

function stepsOf(equation: Equation, named: ReadonlyMap<string, Equation>): readonly Step[] {
  const steps: Step[] = [];
  const [target] = equation.targets;
  const own = target === undefined ? "" : keyOf(target.name.text, target.primed);
  const indexed = equation.targets.some((one) => one.indices.length > 0);
  const visit = (expression: Expression, reduced: boolean, subscripts: readonly Subscript[] | undefined): void => {
    if (expression.kind === "reference") {
      const next = named.get(keyOf(expression.name, expression.primed));
      if (next === undefined) return;
      const along = next.targets.some((one) => one.indices.length > 0);
      const way = subscripts !== undefined ? wayOf(subscripts) : along && (indexed || reduced) ? "whole" : "same";
      steps.push({ equation, name: own, read: expression, way, next });
      return;
    }
    if (expression.kind === "index") {
      visitIndex(expression, reduced);
      return;
    }
    const reduces =
      expression.kind === "call" && expression.callee.kind === "reference" && REDUCTIONS.has(expression.callee.name);
    for (const child of children(expression)) visit(child, reduced || reduces, undefined);
  };
  const visitIndex = (expression: IndexExpression, reduced: boolean): void => {
    const count = steps.length;
    visit(expression.object, reduced, expression.subscripts);
    const read = steps[count];
    if (read !== undefined && expression.object.kind === "reference") steps[count] = { ...read, read: expression };
    for (const child of children(expression).slice(1)) visit(child, reduced, undefined);
  };
  visit(equation.value, false, undefined);
  return steps;
}

const REDUCTIONS: ReadonlySet<string> = new Set([
  ...["sum", "prod", "max", "min", "mean", "var", "any", "all", "norm", "argmax", "argmin"],
  ...["softmax", "log_softmax", "logsumexp"],
]);

function wayOf(subscripts: readonly Subscript[]): Way {
  const ways = subscripts.map((subscript): Way => {
    if (subscript.kind === "at") return offsetWay(subscript.value);
    const { from, to } = subscript;
    if (from === undefined && to === undefined) return "whole";
    if (from !== undefined) return offsetWay(from) === "later" ? "later" : "whole";
    const end = to === undefined ? "whole" : offsetWay(to);
    return end === "later" ? "same" : "earlier";
  });
  return ways.find((way) => way === "earlier" || way === "later") ?? (ways.includes("whole") ? "whole" : "same");
}

/** Of `t-1`, `t`, `t+1`; an index behind `- 1` only takes it further back. */
function offsetWay(expression: Expression): Way {
  if (expression.kind === "number") return "whole";
  if (expression.kind !== "binary") return "same";
  const inner = offsetWay(expression.left);
  if (inner === "earlier" || inner === "later") return inner;
  if (expression.right.kind === "number" && expression.right.value === 0) return inner;
  if (expression.operator === "-") return "earlier";
  return expression.operator === "+" ? "later" : "same";
}
