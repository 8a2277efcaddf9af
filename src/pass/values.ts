import { isNode, type Node } from "../ir/graph.ts";
import { type DType, hasAxis, type Type } from "../ir/type.ts";
import { toFloat } from "../op/map.ts";
import { expand } from "../op/move.ts";
import { constant } from "../op/source.ts";
import type { Draft } from "./draft.ts";

/** The number that a value is at every position, where that is known. */
export function uniformValue(draft: Draft, id: string): number | undefined {
  for (let node = draft.definition(id); ; node = draft.definition(node.inputs[0] ?? "")) {
    if (isNode(node, constant)) return node.attributes.value;
    if (!isNode(node, expand)) return undefined;
  }
}

/** The same number everywhere in a type. */
export function uniform(draft: Draft, value: number, type: Type): string {
  return asType(draft, draft.add(constant, [], { value, dtype: type.dtype }, "c"), type);
}

export function scalar(draft: Draft, value: number, dtype: DType): string {
  return draft.add(constant, [], { value, dtype }, "c");
}

/** A value promoted and repeated where a type asks for it. */
export function asType(draft: Draft, id: string, type: Type): string {
  const own = draft.type(id);
  const promoted = type.dtype === "float" && own.dtype !== "float" ? draft.add(toFloat, [id], {}) : id;
  const missing = type.axes.filter((axis) => !hasAxis(own, axis.id));
  return missing.length === 0 ? promoted : draft.add(expand, [promoted], { axes: missing });
}

/** The node behind repetitions. */
export function behindExpand(draft: Draft, id: string): { readonly id: string; readonly node: Node | undefined } {
  let at = draft.resolve(id);
  let node = draft.definition(at);
  while (isNode(node, expand)) {
    at = draft.resolve(node.inputs[0] ?? "");
    node = draft.definition(at);
  }
  return { id: at, node };
}
