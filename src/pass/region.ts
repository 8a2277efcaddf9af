import type { Attribute, Attributes, Graph, Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { scan } from "../op/region.ts";

/** Whether an attribute is the body of a region. */
export function isBody(attribute: Attribute): attribute is Graph {
  return typeof attribute === "object" && "nodes" in attribute;
}

/** Applies a rewrite that keeps params and results to the bodies of a node, if it has any; the same node where nothing changes. */
export function mapBodies(node: Node, rewrite: (body: Graph) => Graph): Node {
  if (node.op.form !== "region") return node;
  let changed = false;
  const attributes: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(node.attributes)) {
    const next = isBody(value) ? rewrite(value) : value;
    changed ||= next !== value;
    attributes[name] = next;
  }
  return changed ? { ...node, attributes: attributes satisfies Attributes } : node;
}

/** The scans of a graph, nested ones behind those that hold them. */
export function allScans(graph: Graph): readonly Node[] {
  return graph.nodes.flatMap((node) => (isNode(node, scan) ? [node, ...allScans(node.attributes.body)] : []));
}
