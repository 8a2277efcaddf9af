import type { Builder } from "../ir/builder.ts";
import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import type { Axis } from "../ir/type.ts";
import { hasAxis, unionAxes } from "../ir/type.ts";
import { prefix, suffix } from "../op/window.ts";

/**
 * `k[:t]` is laid out whole, without an axis t; so are values made of nothing else. Inside a recurrence their cotangents
 * must keep the axis t all the same (a sum over t would need the whole recurrence at once), until the adjoint of the read
 * collects them. This finds, for each value of a cycle, the axes that its cotangent has beyond its own.
 * `nodes`: those of the cycle, each after what it needs at the same position.
 */
export function partAxes(builder: Builder, nodes: readonly Node[]): ReadonlyMap<string, readonly Axis[]> {
  const found = new Map<string, readonly Axis[]>();
  for (const node of nodes) {
    const inherited = node.inputs.map((input) => found.get(builder.resolve(input)) ?? []);
    const axes = unionAxes(...inherited, ownPart(builder, node));
    for (const output of node.outputs) {
      const beyond = axes.filter((axis) => !hasAxis(output.type, axis.id));
      if (beyond.length > 0) found.set(output.id, beyond);
    }
  }
  return found;
}

function ownPart(builder: Builder, node: Node): readonly Axis[] {
  if (!isNode(node, prefix) && !isNode(node, suffix)) return [];
  return builder.type(node.inputs[0] ?? "").axes.filter((axis) => axis.id === node.attributes.axis);
}
