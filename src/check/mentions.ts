import type { Definition, Expression, Item } from "../syntax/tree.ts";
import { children } from "../syntax/walk.ts";

/** Whether any expression of a definition names `name`. */
export function mentions(definition: Definition, name: string): boolean {
  return definition.items.some((item) => itemExpressions(item).some((expression) => names(expression, name)));
}

function names(expression: Expression, name: string): boolean {
  if (expression.kind === "reference") return expression.name === name;
  return children(expression).some((child) => names(child, name));
}

/** The expressions of an item, shapes not included. */
export function itemExpressions(item: Item): readonly Expression[] {
  switch (item.kind) {
    case "equation":
      return [item.value];
    case "emit":
      return item.until === undefined ? [item.dist] : [item.dist, item.until];
    case "out":
      return item.values;
    case "use":
      return item.uses.map((use) => use.of);
    case "state":
      return item.names.flatMap((state) => state.start ?? []);
    case "noise":
    case "latent":
      return item.names.flatMap((draw) => (draw.prior === undefined ? [draw.dist] : [draw.dist, draw.prior]));
    case "in":
      return item.names.flatMap((typed) => typed.default ?? []);
    case "time":
    case "of":
    case "param":
    case "tie":
    case "mapping":
      return [];
    default:
      return item satisfies never;
  }
}
