import type { Builder } from "./builder.ts";
import type { Graph } from "./graph.ts";

/**
 * Adds a graph, cycles included, to a builder and returns the new id of each of its values.
 * Params given in `values` are replaced by those values of the builder; the others become params there.
 */
export function copyGraph(
  builder: Builder,
  graph: Graph,
  values: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const ids = new Map<string, string>(values);
  for (const param of graph.params) {
    if (!ids.has(param.id)) ids.set(param.id, builder.param(param.id, param.type));
  }
  const types = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output.id, output.type] as const)));
  const reserved = new Map<string, string>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => {
      const known = ids.get(input);
      if (known !== undefined) return known;
      const type = types.get(input);
      if (type === undefined) throw new Error(`internal: no value %${input} in graph ${graph.name}`);
      const ahead = builder.forward(`${input}.ahead`, type);
      reserved.set(input, ahead);
      ids.set(input, ahead);
      return ahead;
    });
    const names = node.outputs.map((output) => output.id);
    const add = () => builder.addAll(node.op, inputs, node.attributes, names);
    const outputs = node.origin === undefined ? add() : builder.within(node.origin, add);
    for (const [index, name] of names.entries()) {
      const id = outputs[index] ?? "";
      ids.set(name, id);
      const ahead = reserved.get(name);
      if (ahead !== undefined) builder.close(ahead, id);
    }
  }
  return ids;
}
