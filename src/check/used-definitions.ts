import type { Definition, Expression } from "../syntax/tree.ts";
import { children } from "../syntax/walk.ts";
import { itemExpressions } from "./mentions.ts";
import { findDefinition, type Modules } from "./modules.ts";

interface Written {
  readonly expressions: readonly Expression[];
  readonly file: string;
}

/** A definition and all that it names, and that these name; `more` is what stands elsewhere, as what a call gives it. */
export function usedDefinitions(
  modules: Modules,
  file: string,
  definition: Definition,
  more: Written = { expressions: [], file },
): ReadonlySet<Definition> {
  const used = new Set<Definition>();
  const take = (found: { readonly definition: Definition; readonly file: string }): void => {
    if (used.has(found.definition)) return;
    used.add(found.definition);
    const { items, parameters } = found.definition;
    const defaults = parameters.flatMap((parameter) => parameter.default ?? []);
    takeNamed({ expressions: [...items.flatMap(itemExpressions), ...defaults], file: found.file });
  };
  const takeNamed = ({ expressions, file: at }: Written): void => {
    for (const name of expressions.flatMap(references)) {
      const found = findDefinition(modules, at, name);
      if (found !== undefined) take(found);
    }
  };
  take({ definition, file });
  takeNamed(more);
  return used;
}

function references(expression: Expression): readonly string[] {
  if (expression.kind === "reference") return [expression.name];
  const own = expression.kind === "member" ? expression.names.map((name) => name.text) : [];
  return [...own, ...children(expression).flatMap(references)];
}
