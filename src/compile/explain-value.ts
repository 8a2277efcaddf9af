import { isNode } from "../ir/graph.ts";
import { contract } from "../op/contract.ts";
import { expand, rename } from "../op/move.ts";
import { OPS } from "../op/table.ts";
import type { Value } from "../plan/value.ts";

const OP_NAMES: ReadonlySet<string> = new Set([...OPS.map(({ name }) => name), "c"]);

/**
 * A value as its user would call it: its name, else what it is made of; what it is made of may be the gradient of an equation, `d(cell.i)`.
 */
export function describeValue(value: Value, isPrimal: (value: Value) => boolean, depth = 2): string {
  const { definition } = value;
  const name = plainName(value.name);
  if (name !== undefined) return name;
  if (definition.kind === "entry") return describeValue(definition.of, isPrimal, depth);
  if (definition.kind === "collected" || definition.kind === "final" || definition.kind === "carry") {
    const { loop, index, kind } = definition;
    const inside = kind === "collected" ? loop.ys[index] : loop.next[index];
    return inside === undefined || depth === 0 ? value.name : describeValue(inside, isPrimal, depth - 1);
  }
  if (definition.kind !== "node") return value.name;
  const { node, inputs } = definition;
  const [first] = inputs;
  if ((isNode(node, rename) || isNode(node, expand)) && first !== undefined)
    return describeValue(first, isPrimal, depth);
  if (depth < 2 && node.origin !== undefined && !isPrimal(value)) return `d(${node.origin.name})`;
  if (depth === 0) return node.op.name;
  const parts = inputs.map((input) => describeValue(input, isPrimal, depth - 1));
  return isNode(node, contract) ? parts.join(" @ ") : `${node.op.name}(${parts.join(", ")})`;
}

/** A name that says more than the op, without what schedule and passes put behind it. */
function plainName(name: string): string | undefined {
  const plain = name.replace(/((\.(in|before|last|start|end|first))|_\d+)+$/, "");
  const base = plain.replace(/^d\./, "").replace(/((\.packed)|_\d+)+$/, "");
  return OP_NAMES.has(base) ? undefined : plain;
}
