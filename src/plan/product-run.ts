import { sizeConstant } from "../ir/size.ts";
import { readsOf, writesOf } from "./action-access.ts";
import type { Action, Plan } from "./plan.ts";
import { hasManyRows, type Product, packKey } from "./product.ts";

/** An action that adds products up. */
export type Products = Extract<Action, { readonly kind: "products" }>;

/**
 * Actions outside of loops in order, those together that one kernel may compute: each a product by the same right matrix, which is packed part
 * by part, once for all of them.
 */
export function productRuns(plan: Plan, actions: readonly Action[]): readonly (readonly Action[])[] {
  const runs: Action[][] = [];
  for (const action of actions) {
    const run = runs.at(-1);
    if (run !== undefined && canJoin(plan, run, action)) run.push(action);
    else runs.push([action]);
  }
  return runs;
}

/** Keeps alive through a whole run what one of its products reads or writes. */
export function keepThroughRuns(plan: Plan): void {
  for (const run of productRuns(plan, plan.actions)) {
    if (run.length < 2) continue;
    const first = Math.min(...run.map((action) => action.first));
    const last = Math.max(...run.map((action) => action.last));
    for (const action of run.filter(isProducts)) {
      for (const buffer of [...readsOf(plan, action), ...writesOf(plan, action)]) {
        buffer.first = Math.min(buffer.first, first);
        buffer.last = Math.max(buffer.last, last);
      }
    }
  }
}

export function isProducts(action: Action): action is Products {
  return action.kind === "products";
}

function canJoin(plan: Plan, run: readonly Action[], action: Action): boolean {
  const [one, other] = [run[0], action].map(singleProduct);
  if (one === undefined || other === undefined || packKey(one) !== packKey(other) || !isProducts(action)) return false;
  const [reads, writes] = [new Set(readsOf(plan, action)), new Set(writesOf(plan, action))];
  return run.filter(isProducts).every((before) => {
    const written = writesOf(plan, before);
    return (
      !readsOf(plan, before).some((buffer) => writes.has(buffer)) &&
      !written.some((buffer) => writes.has(buffer) || reads.has(buffer))
    );
  });
}

function singleProduct(action: Action | undefined): Product | undefined {
  if (action?.kind !== "products" || action.terms.length > 1) return undefined;
  const { product, pack } = action.terms[0] ?? {};
  if (product === undefined || pack?.made !== "when needed") return undefined;
  const simple = product.around.length + product.over.length + product.right.steps.length === 0;
  return simple && sizeConstant(product.m.size) !== undefined && hasManyRows(product) ? product : undefined;
}
