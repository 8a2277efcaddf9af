import { isNode } from "../ir/graph.ts";
import { rename } from "../op/move.ts";
import { accessesOf } from "./access.ts";
import type { Action, Plan } from "./plan.ts";
import type { Extent, Product } from "./product.ts";
import { type Kernel, outputsOf } from "./steps.ts";
import type { Value } from "./value.ts";

export type ProductsAction = Extract<Action, { readonly kind: "products" }>;
export type MapStep = Extract<Kernel, { readonly kind: "map" }>;

/** By a value's axis, the name that its positions have for whoever reads it. */
export type AxisNames = ReadonlyMap<string, string>;

/** A sum of products as an elementwise kernel reads it. */
export interface JoinedSum {
  readonly products: ProductsAction;
  readonly names: AxisNames;
}

/** Sums of products and what is made of them position by position, in one kernel. */
export interface JoinedAction {
  readonly kind: "joined";
  readonly sums: readonly JoinedSum[];
  readonly map: MapStep;
  /** Sums that others read as well, so that they must lie in memory. */
  readonly kept: ReadonlySet<Value>;
}

/** Whether a kernel can compute some sums of products together. */
export type FitsOneKernel = (sums: readonly (readonly (Product | undefined)[])[]) => boolean;

/** Elementwise kernels joined with the products before them that they read at their own positions, as many as `fits` allows. */
export function joinProducts(
  plan: Plan,
  actions: readonly Action[],
  fits: FitsOneKernel,
): readonly (Action | JoinedAction)[] {
  const readers = readersOf(plan);
  const gone = new Set<Action>();
  const joined = actions.map((action, at): Action | JoinedAction => {
    if (action.kind !== "kernel" || action.kernel.kind !== "map") return action;
    const map = action.kernel;
    const found = actions.slice(0, at).flatMap((other, from): readonly JoinedSum[] => {
      if (other.kind !== "products" || gone.has(other)) return [];
      const names = canWait(plan, other, map, actions.slice(from + 1, at))
        ? namesFor(plan, map, other.output)
        : undefined;
      return names === undefined ? [] : [{ products: other, names }];
    });
    const sums = largestFit(found, fits);
    if (sums.length === 0) return action;
    for (const { products } of sums) gone.add(products);
    const kept = sums.flatMap(({ products: { output } }) => ((readers.get(output) ?? 0) > 1 ? [output] : []));
    return { kind: "joined", sums, map, kept: new Set(kept) };
  });
  return joined.filter((action) => action.kind === "joined" || !gone.has(action));
}

/** A sum's products, their axes under the names that its reader gives them. */
export function renamedProducts({ products, names }: JoinedSum): readonly (Product | undefined)[] {
  const renamed = (extent: Extent): Extent => ({
    ...extent,
    axes: extent.axes.map((axis) => ({ ...axis, id: names.get(axis.id) ?? axis.id })),
  });
  return products.terms.map(
    ({ product }) =>
      product && { ...product, m: renamed(product.m), n: renamed(product.n), around: product.around.map(renamed) },
  );
}

function largestFit(found: readonly JoinedSum[], fits: FitsOneKernel): readonly JoinedSum[] {
  for (let count = found.length; count > 0; count--) {
    const some = found.slice(-count);
    if (fits(some.map(renamedProducts))) return some;
  }
  return [];
}

/** Whether a sum may be computed when the map is: nothing between them touches it or what it reads, and the map writes over none of that. */
function canWait(plan: Plan, { output }: ProductsAction, map: MapStep, between: readonly Action[]): boolean {
  if (!map.reads.has(output)) return false;
  const cellsOf = (values: readonly Value[]): readonly (number | undefined)[] =>
    values.map((value) => plan.places.get(value)?.cell);
  const needs = new Set(cellsOf(readsOf(plan, [output])));
  const [own] = cellsOf([output]);
  if (cellsOf(map.outputs).some((cell) => needs.has(cell))) return false;
  return between.every((action) => {
    if (action.kind !== "products" && action.kind !== "kernel") return false;
    const outputs = action.kind === "products" ? [action.output] : outputsOf(action.kernel);
    const touched = cellsOf(outputs);
    return !touched.some((cell) => needs.has(cell) || cell === own) && !cellsOf(readsOf(plan, outputs)).includes(own);
  });
}

function readsOf({ stored }: Plan, outputs: readonly Value[]): readonly Value[] {
  return outputs.flatMap((output) => accessesOf(output, stored).map(({ value }) => value));
}

/**
 * Under which names an elementwise kernel walks a value's axes, where it reads the value at its own positions only, all of them, and
 * always under the same names; undefined where it does not.
 */
export function namesFor({ stored }: Plan, map: MapStep, wanted: Value): AxisNames | undefined {
  const [first] = map.outputs;
  const own = new Set(map.outputs);
  const found: (AxisNames | undefined)[] = [];
  const visit = (at: Value, names: AxisNames | undefined): void => {
    if (at === wanted) {
      found.push(names);
      return;
    }
    if (stored.has(at)) return;
    inside(at, names);
  };
  const inside = ({ definition }: Value, names: AxisNames | undefined): void => {
    if (definition.kind === "entry") visit(definition.of, undefined);
    if (definition.kind !== "node") return;
    const { node, inputs } = definition;
    inputs.forEach((input, index) => {
      if (isNode(node, rename)) {
        const { from, to } = node.attributes;
        visit(input, names && through(input, (id) => names.get(to[from.indexOf(id)]?.id ?? id)));
        return;
      }
      const same = input.axes.every(({ id }) => node.op.reads(node, index, id, input).kind === "same");
      visit(input, same && names !== undefined ? through(input, (id) => names.get(id)) : undefined);
    });
  };
  for (const output of own) inside(output, new Map(output.axes.map(({ id }) => [id, id])));
  const [names] = found;
  if (names === undefined || first === undefined || names.size !== first.axes.length) return undefined;
  if (!found.every((other) => other !== undefined && [...names].every(([id, name]) => other.get(id) === name)))
    return undefined;
  return new Set(names.values()).size === names.size ? names : undefined;
}

function through(input: Value, nameOf: (id: string) => string | undefined): AxisNames | undefined {
  const names = input.axes.map(({ id }) => [id, nameOf(id)] as const);
  const known = names.flatMap(([id, name]): readonly (readonly [string, string])[] =>
    name === undefined ? [] : [[id, name]],
  );
  return known.length === names.length ? new Map(known) : undefined;
}

/** By how many kernels, ends of loops and results each stored value is read, or something that lies over it. */
function readersOf(plan: Plan): ReadonlyMap<Value, number> {
  const counts = new Map<number, number>();
  const read = (cell: number | undefined): void => {
    if (cell !== undefined) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  };
  const readAll = (values: readonly Value[]): void => {
    for (const cell of new Set(values.map((value) => plan.places.get(value)?.cell))) read(cell);
  };
  const walk = (actions: readonly Action[]): void => {
    for (const action of actions) {
      if (action.kind === "products") readAll(readsOf(plan, [action.output]));
      if (action.kind === "kernel") readAll(readsOf(plan, outputsOf(action.kernel)));
      if (action.kind === "copy") readAll([action.from, ...readsOf(plan, [action.from])]);
      if (action.kind !== "loop") continue;
      walk(action.body);
      for (const { start, startPlace, current } of action.carries) {
        readAll(readsOf(plan, [start]));
        read(startPlace.cell);
        read(current.cell);
      }
    }
  };
  walk([...plan.prepare, ...plan.actions]);
  for (const { place } of plan.results) read(place.cell);
  // What lies in the memory of a loop's ends, of a result or of a larger value is there for others.
  const shared = new Map<number, number>();
  for (const { cell } of plan.places.values()) shared.set(cell, (shared.get(cell) ?? 0) + 1);
  const more = (cell: number): number => ((shared.get(cell) ?? 0) > 1 ? 2 : 0);
  return new Map([...plan.places].map(([value, { cell }]) => [value, (counts.get(cell) ?? 0) + more(cell)]));
}
