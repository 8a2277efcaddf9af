import {
  type AxisNames,
  type FitsOneKernel,
  type JoinedAction,
  type ProductsAction,
  renamedProducts,
} from "../../plan/joined.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Kernel } from "./context.ts";
import type { Own } from "./evaluate.ts";
import { type Positions, positionAlong, storeTo } from "./memory.ts";
import type { Part } from "./part.ts";
import { reducePart } from "./parts-reduce.ts";
import { placeOf, storedAxes } from "./place-of.ts";
import { planRows } from "./rows.ts";
import type { Term } from "./shader.ts";
import { planTiles } from "./tile.ts";
import { writeMap } from "./write-map.ts";

export function sumPart(plan: Plan, { output, terms }: ProductsAction): Part {
  return reducePart(
    plan,
    output,
    terms.map(({ value }) => value),
  );
}

export function rowsPart(plan: Plan, action: ProductsAction, axis: string): Part | undefined {
  const work = planRows(action, axis);
  const { output } = action;
  return work === undefined ? undefined : { kind: "rows", label: output.name, axes: storedAxes(plan, output), work };
}

/** Whether tiles of some sums fit into the memory that a group of threads shares. */
export function fitsTiles(shared: number): FitsOneKernel {
  return (sums) => planTiles(sums, shared) !== undefined;
}

/** Sums of products by tiles, and what is made of them while they are at hand. */
export function joinedPart(plan: Plan, action: JoinedAction, shared: number): Part {
  const { sums, map } = action;
  const work = planTiles(sums.map(renamedProducts), shared);
  const [first] = map.outputs;
  if (work === undefined || first === undefined) throw new Error("internal: products are joined that fit no tile");
  return {
    kind: "tile",
    label: [...sums.map(({ products }) => products.output), ...map.outputs].map(({ name }) => name).join(" "),
    axes: storedAxes(plan, first),
    work,
    finish: (kernel, positions, values) => {
      writeJoined(kernel, plan, action, positions, values);
    },
  };
}

/** Stores what must lie in memory of some sums, and what is made of them; gives the latter. */
export function writeJoined(
  kernel: Kernel,
  plan: Plan,
  { sums, map, kept }: JoinedAction,
  positions: Positions,
  values: readonly Term[],
): Own {
  const given = sums.map(({ products: { output }, names }, index) => {
    const value = values[index];
    if (value !== undefined && kept.has(output))
      storeTo(kernel, placeOf(plan, output), ownNames(positions, names), value);
    return [output, value] as const;
  });
  return writeMap(kernel, plan, map.outputs, positions, new Map(given));
}

/** Positions under a value's own names of its axes. */
function ownNames(positions: Positions, names: AxisNames): Positions {
  return new Map([...names].map(([own, name]) => [own, positionAlong(positions, name)]));
}

/** Sums of products by tiles, where their operands lie so in memory. */
export function tilePart(plan: Plan, { output, terms }: ProductsAction, shared: number): Part | undefined {
  const work = planTiles([terms.map(({ product }) => product)], shared);
  if (work === undefined) return undefined;
  return {
    kind: "tile",
    label: output.name,
    axes: storedAxes(plan, output),
    work,
    finish: (kernel, positions, [value]) => {
      if (value !== undefined) storeTo(kernel, placeOf(plan, output), positions, value);
    },
  };
}
