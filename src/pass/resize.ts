import type { Attribute, Graph, Node, Value } from "../ir/graph.ts";
import type { Size } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import { isBody } from "./region.ts";

/** The node with another size for an axis, wherever it says it: in its types, its attributes and its bodies. Sizes as numbers stay. */
export function resizeNode(node: Node, id: string, size: Size): Node {
  const axis = (own: Axis): Axis => (own.id === id ? { id, size } : own);
  const type = (own: Type): Type => ({ dtype: own.dtype, axes: own.axes.map(axis) });
  const value = (own: Value): Value => ({ id: own.id, type: type(own.type) });
  const graph = (own: Graph): Graph => ({
    ...own,
    params: own.params.map(value),
    nodes: own.nodes.map((inner) => resizeNode(inner, id, size)),
  });
  const attribute = (own: Attribute): Attribute => {
    if (typeof own !== "object") return own;
    if (isBody(own)) return graph(own);
    if (isAxes(own)) return own.map(axis);
    return "id" in own ? axis(own) : own;
  };
  const attributes = Object.fromEntries(Object.entries(node.attributes).map(([name, own]) => [name, attribute(own)]));
  return { ...node, attributes, outputs: node.outputs.map(value) };
}

function isAxes(attribute: object): attribute is readonly Axis[] {
  return Array.isArray(attribute) && attribute.every((item) => typeof item === "object" && "id" in item);
}
