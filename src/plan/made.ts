import type { Node } from "../ir/graph.ts";
import type { Value } from "./value.ts";

/** The op that makes a value, and what it reads. */
interface Made {
  readonly node: Node;
  readonly inputs: readonly Value[];
}

export function madeBy(output: Value): Made {
  if (output.definition.kind !== "node") throw new Error(`internal: %${output.name} is no op's value`);
  return output.definition;
}

export function operand(inputs: readonly Value[], index: number): Value {
  const found = inputs[index];
  if (found === undefined) throw new Error(`internal: an op lacks operand ${index}`);
  return found;
}
