import { components } from "./components.ts";
import { definitions, type Graph, type Node } from "./graph.ts";

/** Groups of nodes that need each other: the recurrences of an equation graph. */
export function circles(graph: Graph): readonly (readonly Node[])[] {
  const defined = definitions(graph);
  const place = new Map(graph.nodes.map((node, index) => [node, index]));
  const groups = components(graph.nodes.length, (vertex) =>
    (graph.nodes[vertex]?.inputs ?? []).flatMap((input) => {
      const node = defined.get(input);
      return node === undefined ? [] : (place.get(node) ?? []);
    }),
  );
  return groups
    .filter((group) => group.length > 1)
    .map((group) => group.flatMap((vertex) => graph.nodes[vertex] ?? []));
}
