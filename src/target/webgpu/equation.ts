import type { JoinedAction } from "../../plan/joined.ts";
import type { Action, Plan } from "../../plan/plan.ts";
import { outputsOf } from "../../plan/steps.ts";
import type { Value } from "../../plan/value.ts";

/** What an action computes, as equations over the values that lie in memory. */
export function equationOf(
  plan: Plan,
  action: Exclude<Action, { readonly kind: "loop" }> | JoinedAction,
): readonly string[] {
  switch (action.kind) {
    case "kernel":
      return outputsOf(action.kernel).map((output) => equation(plan, output));
    case "products":
      return [equation(plan, action.output)];
    case "joined":
      return [...action.sums.map(({ products }) => products.output), ...action.map.outputs].map((each) =>
        equation(plan, each),
      );
    case "copy":
      return [`${typed(action.from)} in its place`];
    case "pack":
      return [];
    default:
      return action satisfies never;
  }
}

function equation(plan: Plan, output: Value): string {
  return `${typed(output)} = ${expression(plan, output, DEEPEST, true)}`;
}

/** What is deeper is left out: code says it. */
const DEEPEST = 8;

function expression(plan: Plan, value: Value, depth: number, top = false): string {
  const { definition } = value;
  if (!top && plan.stored.has(value)) return value.name;
  if (definition.kind === "entry") return `${expression(plan, definition.of, depth)}[${definition.loop.axis.id}]`;
  if (definition.kind !== "node") return value.name;
  const { node, inputs } = definition;
  if (depth === 0) return "…";
  const { attributes } = node;
  if ("value" in attributes) return String(attributes.value);
  const over = "over" in attributes ? attributes.over : node.op.form === "reduce" ? attributes.axes : undefined;
  const along = Array.isArray(over) ? `[${over.join(", ")}]` : "";
  const name = "kind" in attributes && node.op.form === "reduce" ? String(attributes.kind) : node.op.name;
  return `${name}${along}(${inputs.map((input) => expression(plan, input, depth - 1)).join(", ")})`;
}

function typed({ name, axes }: Value): string {
  return axes.length === 0 ? name : `${name}[${axes.map(({ id }) => id).join(", ")}]`;
}
