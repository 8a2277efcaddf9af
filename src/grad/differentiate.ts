import { createBuilder } from "../ir/builder.ts";
import { copyGraph } from "../ir/copy.ts";
import type { Graph } from "../ir/graph.ts";
import { gradients } from "./gradients.ts";

/**
 * The equation graph with the gradients of a scalar value as further results, named `d.<id>` for each id in `wrt`
 * (params or any other values), before scheduling. Apply it again for second derivatives.
 */
export function differentiate(graph: Graph, loss: string, wrt: readonly string[]): Graph {
  const builder = createBuilder(graph.name);
  const ids = copyGraph(builder, graph);
  const find = (id: string): string => {
    const found = ids.get(id);
    if (found === undefined) throw new Error(`internal: no value %${id} in graph ${graph.name}`);
    return found;
  };
  const cotangents = gradients(builder, find(loss), wrt.map(find));
  const results = graph.results.map((result) => ({ name: result.name, id: find(result.id) }));
  return builder.finish([...results, ...wrt.map((id, index) => ({ name: `d.${id}`, id: cotangents[index] ?? "" }))]);
}
