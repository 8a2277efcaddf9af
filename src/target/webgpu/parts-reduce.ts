import { type Size, sizeConstant } from "../../ir/size.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Value } from "../../plan/value.ts";
import { storeTo } from "./memory.ts";
import type { Part } from "./part.ts";
import { placeOf, storedAxes } from "./place-of.ts";
import { reductionOf, reductionShape } from "./reduction.ts";

/** One value that joins positions of others: of one value, or of several whose sum it is. */
export function reducePart(plan: Plan, output: Value, terms: readonly Value[]): Part {
  return {
    kind: "reduce",
    label: output.name,
    axes: storedAxes(plan, output),
    shape: shapeOf(plan, terms),
    reductions: (kernel) => terms.map((term) => reductionOf(kernel, term)),
    finish: (kernel, positions, value) => storeTo(kernel, placeOf(plan, output), positions, value),
  };
}

/** The sum with the most terms decides. */
function shapeOf(plan: Plan, terms: readonly Value[]): { readonly terms: readonly Size[]; readonly rows: boolean } {
  const all = terms.map((term) => reductionShape(plan.order, term));
  const known = (sizes: readonly Size[]): number =>
    sizes.reduce((count, size) => count * (sizeConstant(size) ?? Number.POSITIVE_INFINITY), 1);
  return all.toSorted((a, b) => known(b.terms) - known(a.terms))[0] ?? { terms: [], rows: false };
}
