import type { Place } from "./place.ts";
import { placeValue } from "./place-steps.ts";
import type { Action } from "./plan.ts";
import {
  canPack,
  fillsPanel,
  hasManyRows,
  operandRoles,
  type Pack,
  type Product,
  type ProductTerm,
  packedBytes,
  packKey,
  planProduct,
  scratchBytes,
  WIDE_PANEL,
} from "./product.ts";
import { here, ownLayout, type State, touch, use } from "./state.ts";
import type { Step } from "./steps.ts";
import type { Loop, Value } from "./value.ts";
import { type Memory, viewOf } from "./view.ts";

/** A sum of products, with the memory that packing takes. */
export function placeProducts(state: State, output: Value): Action {
  const out = placeValue(state, output);
  const terms = (state.sums.terms.get(output) ?? []).map((value): ProductTerm => {
    const product = planProduct(state, state.order, value, out);
    if (product === undefined || state.packs === undefined) return { value, product, pack: undefined };
    const before = state.packs.get(packKey(product)) ?? packOnce(state, state.packs, value, product);
    if (before !== undefined) touch(state, before.buffer);
    before?.rows.push(product.m.size);
    return { value, product, pack: before ?? scratchFor(state, product, state.fixed.has(output)) };
  });
  return { ...here(state), kind: "products", output, terms };
}

function scratchFor(state: State, product: Product, kept: boolean): Pack | undefined {
  const bytes = scratchBytes(product);
  if (bytes === undefined) return undefined;
  const buffer = state.cells.buffer("packed", bytes, { kept, loop: state.frames.at(-1)?.loop, at: state.position });
  touch(state, buffer);
  return { buffer, made: "when needed", rows: [product.m.size] };
}

type Packs = NonNullable<State["packs"]>;

/** A weight that no run changes is packed once for all. */
function packOnce(state: State, packs: Packs, value: Value, product: Product): Pack | undefined {
  const right = operandRoles(value, state.order)?.right;
  const root = right === undefined ? undefined : viewOf(state, right)?.root;
  if (root === undefined || !state.fixed.has(root) || state.fixed.has(value)) return undefined;
  if (!canPack(product) || !fillsPanel(product)) return undefined;
  return addPack(state, packs, product, root, undefined);
}

function addPack(state: State, packs: Packs, product: Product, root: Value, loop: Loop | undefined): Pack {
  const kept = state.fixed.has(root);
  const wide = kept && fillsPanel(product);
  const bytes = packedBytes(product, wide ? WIDE_PANEL : undefined);
  const buffer = state.cells.buffer("packed", bytes, { kept, loop, at: state.position });
  touch(state, buffer);
  use(state, root);
  const pack: Pack = { buffer, made: wide ? "once" : "before", rows: [] };
  packs.set(packKey(product), pack);
  if (kept) state.prepare.push({ ...here(state), kind: "pack", product, pack });
  return pack;
}

/** Packs what the products of a loop read of its outside, once for all steps. */
export function packBefore(state: State, step: Extract<Step, { readonly kind: "loop" }>): readonly Action[] {
  const { packs } = state;
  if (packs === undefined) return [];
  const { outer } = step.loop;
  // What the loop computes has no place yet, but the order of its axes is known.
  const memory: Memory = {
    stored: state.stored,
    places: { get: (value) => state.places.get(value) ?? likelyPlace(state, value) },
  };
  return productsInside(step.body, state).flatMap((value): readonly Action[] => {
    const right = operandRoles(value, state.order)?.right;
    const root = right === undefined ? undefined : viewOf(memory, right)?.root;
    if (root === undefined || root.loop !== outer || root.definition.kind === "carry") return [];
    const product = planProduct(memory, state.order, value, likelyPlace(state, value));
    if (product === undefined || !canPack(product)) return [];
    if (!hasManyRows(product) && !(state.fixed.has(root) && fillsPanel(product))) return [];
    if (packs.get(packKey(product))?.buffer.loop === outer && packs.has(packKey(product))) return [];
    state.position++;
    const pack = addPack(state, packs, product, root, outer);
    return state.fixed.has(root) ? [] : [{ ...here(state), kind: "pack", product, pack }];
  });
}

function productsInside(steps: readonly Step[], state: State): readonly Value[] {
  return steps.flatMap((step) => {
    if (step.kind === "loop") return productsInside(step.body, state);
    return step.kind === "contract" ? (state.sums.terms.get(step.output) ?? []) : [];
  });
}

/** The place that a value has when it has memory of its own. */
function likelyPlace(state: State, value: Value): Place {
  return { cell: -1, steps: [], strides: ownLayout(state, value).strides, buffers: [] };
}
