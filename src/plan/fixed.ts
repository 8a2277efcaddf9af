import { isNode } from "../ir/graph.ts";
import { sizeConstant } from "../ir/size.ts";
import { random } from "../op/source.ts";
import type { Item, Value, ValueGraph } from "./value.ts";

/**
 * Values of fixed size outside of loops that depend on nothing but params of fixed size that no result replaces, which are weights as a
 * rule: they are computed once and kept, not in every run.
 */
export function fixedValues(graph: ValueGraph, replaced: ReadonlySet<Value>): ReadonlySet<Value> {
  const fixed = new Set(
    graph.params.filter((param) => param.axes.length > 0 && isSized(param) && !replaced.has(param)),
  );
  const visit = (item: Item): void => {
    if (item.kind !== "value" || item.value.definition.kind !== "node" || !isSized(item.value)) return;
    const { node, inputs } = item.value.definition;
    const known = (input: Value): boolean => fixed.has(input) || isSource(input);
    if (!isNode(node, random) && inputs.every(known) && inputs.some((input) => fixed.has(input))) {
      fixed.add(item.value);
      inputs.forEach(keep);
    }
  };
  // A constant is no reason to keep anything, but is kept for what is.
  const keep = (source: Value): void => {
    if (fixed.has(source) || source.definition.kind !== "node") return;
    fixed.add(source);
    source.definition.inputs.forEach(keep);
  };
  graph.items.forEach(visit);
  return fixed;
}

/** Whether no axis of a value depends on what is bound later. */
export function isSized(value: Value): boolean {
  return value.axes.every((axis) => sizeConstant(axis.size) !== undefined);
}

/** A constant, a position or a size. */
function isSource(value: Value): boolean {
  return value.definition.kind === "node" && isSized(value) && value.definition.inputs.every(isSource);
}
