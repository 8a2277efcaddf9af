import { isNode } from "../ir/graph.ts";
import { contract } from "../op/contract.ts";
import { add } from "../op/map.ts";
import type { Reader } from "./readers.ts";
import type { Item, Value, ValueGraph } from "./value.ts";

/** Sums of products that are added up where the sum lies, so that the products need no memory of their own. */
export interface ProductSums {
  /** The products, by the sum; a product that is part of no sum is its own only term. */
  readonly terms: ReadonlyMap<Value, readonly Value[]>;
  /** Products and partial sums that only their sum reads. */
  readonly inside: ReadonlySet<Value>;
}

/** Without `fuse` every product is by itself. */
export function findProductSums(
  graph: ValueGraph,
  needed: ReadonlySet<Value>,
  readers: ReadonlyMap<Value, readonly Reader[]>,
  fuse: boolean,
): ProductSums {
  const terms = new Map<Value, readonly Value[]>();
  const inside = new Set<Value>();
  const visit = (value: Value): void => {
    if (!needed.has(value) || value.definition.kind !== "node") return;
    const { node, inputs } = value.definition;
    if (isNode(node, contract)) terms.set(value, [value]);
    if (!fuse || !isNode(node, add) || value.dtype !== "float") return;
    const parts = inputs.map((input) =>
      isPart(input, value, readers.get(input) ?? []) ? terms.get(input) : undefined,
    );
    if (parts.includes(undefined) || inputs[0] === inputs[1]) return;
    terms.set(
      value,
      parts.flatMap((part) => part ?? []),
    );
    for (const input of inputs) {
      inside.add(input);
      terms.delete(input);
    }
  };
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.kind === "value") visit(item.value);
      else walk(item.loop.body);
    }
  };
  walk(graph.items);
  return { terms, inside };
}

/** Whether a sum is all that reads a value, which has all of its axes. */
function isPart(value: Value, sum: Value, readers: readonly Reader[]): boolean {
  const [reader] = readers;
  if (readers.length !== 1 || reader?.kind !== "node" || reader.value !== sum || value.loop !== sum.loop) return false;
  return value.dtype === "float" && value.axes.length === sum.axes.length;
}
