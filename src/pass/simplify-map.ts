import { isNode } from "../ir/graph.ts";
import { type Type, unionAxes, withoutAxes } from "../ir/type.ts";
import { orelse } from "../op/map.ts";
import { expand } from "../op/move.ts";
import type { Call, Simplifier } from "./simplify-rule.ts";

/**
 * Repetition sinks: an elementwise op works on what is repeated, and its value is repeated. Where another operand has the
 * axis, nothing is left to repeat.
 */
export function simplifyMap(call: Call, { draft, make }: Simplifier): string | undefined {
  const sources = call.inputs.map((id) => {
    const node = draft.definition(id);
    return isNode(node, expand) ? (node.inputs[0] ?? id) : id;
  });
  if (sources.every((source, index) => source === call.inputs[index])) return undefined;
  const types: readonly Type[] = sources.map(draft.type);
  const axes = unionAxes(...types.map((type) => type.axes));
  const missing = withoutAxes(
    call.type.axes,
    axes.map((axis) => axis.id),
  );
  if (missing.length === 0) return make(call.op, sources, call.attributes);
  // `ranges` name axes of the whole value.
  if (call.op.name === orelse.name) return undefined;
  return make(expand, [make(call.op, sources, call.attributes)], { axes: missing });
}
