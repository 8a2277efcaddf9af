import type { Graph } from "../ir/graph.ts";
import { findParts, type Part } from "./concat-parts.ts";
import { fixedValues } from "./fixed.ts";
import { chooseStored, type StoredReason } from "./fuse.ts";
import { type AxisOrder, axisOrder } from "./layout.ts";
import { neededValues } from "./needed.ts";
import { type CarryPlan, type Cells, createCells, type Place } from "./place.ts";
import { feedbackParams, placeResults, wishForParams } from "./place-results.ts";
import { markInPlace, placeSteps } from "./place-steps.ts";
import type { Pack, Product, ProductTerm } from "./product.ts";
import { keepThroughRuns } from "./product-run.ts";
import { findProductSums } from "./product-sum.ts";
import { readersOf } from "./readers.ts";
import { ownPlace, type State } from "./state.ts";
import { type Kernel, planSteps } from "./steps.ts";
import { type Loop, type NamedValue, openGraph, type Value, type ValueGraph } from "./value.ts";

/** A graph as kernels over places in memory. */
export interface Plan {
  readonly graph: ValueGraph;
  readonly order: AxisOrder;
  /** Values that lie in memory; all others are computed where they are read. */
  readonly stored: ReadonlySet<Value>;
  /** Why. */
  readonly reasons: ReadonlyMap<Value, StoredReason>;
  readonly places: ReadonlyMap<Value, Place>;
  /** Inputs of concatenations that are computed where they lie in them. */
  readonly parts: ReadonlyMap<Value, Part>;
  readonly cells: Cells;
  /** Params of fixed size that no result replaces, and what depends on them alone. */
  readonly fixed: ReadonlySet<Value>;
  /** Computes what depends on fixed params alone: to be done before the first run, and again when one of them or the sizes change. */
  readonly prepare: readonly Action[];
  readonly actions: readonly Action[];
  readonly results: readonly (NamedValue & { readonly place: Place })[];
}

export type Action = {
  /** Positions of the program, as buffers count them. */
  readonly first: number;
  readonly last: number;
} & (
  | { readonly kind: "kernel"; readonly kernel: Kernel }
  /** A sum of products, each added to the one before. */
  | { readonly kind: "products"; readonly output: Value; readonly terms: readonly ProductTerm[] }
  /** Lays out a right matrix for the products of a loop, before the loop. */
  | { readonly kind: "pack"; readonly product: Product; readonly pack: Pack }
  /** Computes a value, or reads it from `source`, into a place that is not its own. */
  | { readonly kind: "copy"; readonly from: Value; readonly source: Place | undefined; readonly to: Place }
  | {
      readonly kind: "loop";
      readonly loop: Loop;
      readonly carries: readonly CarryPlan[];
      readonly body: readonly Action[];
    }
);

export interface PlanOptions {
  /** Whether elementwise chains share kernels, sums of products are added in place, and parts are computed where they lie; usually so. */
  readonly fuse?: boolean;
  /** Whether right matrices of products are laid out anew where that makes them faster to read; usually so. */
  readonly pack?: boolean;
}

/** `feedback` says which param takes which result: where that is safe, the result is written over the param. */
export function planGraph(
  source: Graph,
  known: ReadonlyMap<string, number>,
  feedback: ReadonlyMap<string, string> = new Map(),
  { fuse = true, pack = true }: PlanOptions = {},
): Plan {
  const graph = openGraph(source, known);
  const needed = neededValues(graph);
  const order = axisOrder(graph);
  const readers = readersOf(graph, needed);
  const sums = findProductSums(graph, needed, readers, fuse);
  const backs = feedbackParams(graph, feedback);
  const fixed = fixedValues(graph, new Set(backs.values()));
  const parts = fuse ? findParts(graph, needed, readers, fixed) : new Map<Value, Part>();
  const reasons = chooseStored(graph, { needed, order, readers, sums, parts, fuse });
  const stored = new Set(reasons.keys());
  const steps = planSteps(graph, { needed, stored, sums, fixed, fuse, order });
  const state: State = {
    ...{ needed, stored, order, sums, parts, readers },
    ...{ cells: createCells(), places: new Map(), wishes: new Map(), inPlace: new Set() },
    packs: pack ? new Map() : undefined,
    ...{ fixed, prepare: [], frames: [] },
    position: 0,
  };
  for (const param of graph.params) state.places.set(param, ownPlace(state, param, { kept: true }));
  wishForParams(state, steps, graph, backs);
  const results = graph.results.map((result) => result.value);
  markInPlace(state, steps, undefined, results);
  const actions = placeSteps(state, steps);
  const ends = placeResults(state, graph, backs);
  const plan: Plan = {
    ...{ graph, order, stored, reasons, parts, fixed, places: state.places, cells: state.cells },
    prepare: state.prepare,
    actions: [...actions, ...ends.actions],
    results: ends.results,
  };
  keepThroughRuns(plan);
  return plan;
}
