import { attributeKey, type KeyRules } from "../ir/attribute-key.ts";
import type { Attributes, Node } from "../ir/graph.ts";

/** A text that equal computations share: op, inputs (in any order where that is the same), attributes. Bodies have none. */
export function nodeKey(node: Node): string {
  return callKey(node.op.name, node.inputs, node.attributes);
}

export function callKey(op: string, inputs: readonly string[], attributes: Attributes): string {
  const ordered = COMMUTATIVE.has(op) && inputs.length === 2 && inputs[0]! > inputs[1]! ? inputs.toReversed() : inputs;
  return `${op}(${ordered.join(",")})${attributeKey(attributes, RULES)}`;
}

/** Ops of two operands that can change places. */
const COMMUTATIVE: ReadonlySet<string> = new Set([
  "add",
  "mul",
  "maximum",
  "minimum",
  "eq",
  "ne",
  "and",
  "or",
  "contract",
]);

const RULES: KeyRules = { call: callKey, sets: new Set(["over", "sum"]) };
