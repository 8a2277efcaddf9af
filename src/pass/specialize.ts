import type { Attribute, Attributes, AxisRange, Graph, Value } from "../ir/graph.ts";
import { constantSize, type Size, substituteSize } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";

/** The graph with names in sizes replaced by numbers: in types, and wherever an attribute says a size. */
export function specialize(graph: Graph, numbers: ReadonlyMap<string, number>): Graph {
  if (numbers.size === 0) return graph;
  const values = new Map([...numbers].map(([name, number]) => [name, constantSize(number)] as const));
  const cache = new Map<string, Size>();
  const sizeOf = (size: Size): Size => {
    const known = cache.get(size.text) ?? substituteSize(size, values);
    cache.set(size.text, known);
    return known;
  };
  return replaced(graph, sizeOf);
}

type Replace = (size: Size) => Size;

function replaced(graph: Graph, sizeOf: Replace): Graph {
  const axis = (own: Axis): Axis => ({ id: own.id, size: sizeOf(own.size) });
  const type = (own: Type): Type => ({ dtype: own.dtype, axes: own.axes.map(axis) });
  const value = (own: Value): Value => ({ id: own.id, type: type(own.type) });
  const item = (own: string | Axis | AxisRange) => (typeof own === "object" && "id" in own ? axis(own) : own);
  const attribute = (own: Attribute): Attribute => {
    if (typeof own !== "object") return own;
    if (isList(own)) return own.map(item) as typeof own;
    if ("nodes" in own) return replaced(own, sizeOf);
    return "kind" in own ? sizeOf(own) : axis(own);
  };
  const attributes = (own: Attributes): Attributes =>
    Object.fromEntries(Object.entries(own).map(([name, entry]) => [name, attribute(entry)]));
  return {
    name: graph.name,
    params: graph.params.map(value),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: attributes(node.attributes),
      outputs: node.outputs.map(value),
    })),
    results: graph.results,
  };
}

type List = readonly string[] | readonly Axis[] | readonly AxisRange[];

function isList(value: object): value is List {
  return Array.isArray(value);
}
