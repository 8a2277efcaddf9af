import type { Program } from "../build/program.ts";
import { definitions, type Graph } from "../ir/graph.ts";

/** The program with only these results, without what they do not need. */
export function pruned(program: Program, isWanted: (result: string) => boolean): Program {
  const results = program.graph.results.filter(({ name }) => isWanted(name));
  const needed = reachable(
    program.graph,
    results.map(({ id }) => id),
  );
  const graph: Graph = {
    ...program.graph,
    params: program.graph.params.filter(({ id }) => needed.has(id)),
    nodes: program.graph.nodes.filter((node) => node.outputs.some(({ id }) => needed.has(id))),
    results,
  };
  return {
    ...program,
    graph,
    params: new Map([...program.params].filter(([id]) => needed.has(id))),
    results: new Map([...program.results].filter(([name]) => isWanted(name))),
  };
}

/** The results that depend on a param. */
export function resultsOf(program: Program, param: string): ReadonlySet<string> {
  const found = program.graph.results.filter(({ id }) => reachable(program.graph, [id]).has(param));
  return new Set(found.map(({ name }) => name));
}

function reachable(graph: Graph, from: readonly string[]): ReadonlySet<string> {
  const defined = definitions(graph);
  const seen = new Set(from);
  for (const id of seen) for (const input of defined.get(id)?.inputs ?? []) seen.add(input);
  return seen;
}
