import type { Graph } from "../ir/graph.ts";

/** Gives ids that no other value of the whole program has, bodies of loops included. */
export interface Names {
  fresh(wanted: string): string;
}

export function createNames(graph: Graph): Names {
  const taken = new Set<string>();
  const next = new Map<string, number>();
  collect(graph, taken);
  return {
    fresh: (wanted) => {
      let id = wanted;
      if (taken.has(id)) {
        let count = next.get(wanted) ?? 1;
        while (taken.has(`${wanted}_${count}`)) count++;
        next.set(wanted, count + 1);
        id = `${wanted}_${count}`;
      }
      taken.add(id);
      return id;
    },
  };
}

function collect(graph: Graph, taken: Set<string>): void {
  for (const param of graph.params) taken.add(param.id);
  for (const node of graph.nodes) {
    for (const output of node.outputs) taken.add(output.id);
    for (const attribute of Object.values(node.attributes)) if (isGraph(attribute)) collect(attribute, taken);
  }
}

function isGraph(attribute: Graph["nodes"][number]["attributes"][string]): attribute is Graph {
  return typeof attribute === "object" && "nodes" in attribute;
}
