import type { Attribute, Attributes, Graph, Node, Value } from "../ir/graph.ts";
import type { Fresh } from "./fresh.ts";
import { bodyOf, type Loop, withBody } from "./loop.ts";
import { isBody } from "./region.ts";

/**
 * Copies of nodes under new names, bodies of regions included. `values` says what the values that they need are called in the copy;
 * it learns the names of what they define.
 */
export function copyNodes(nodes: readonly Node[], values: Map<string, string>, fresh: Fresh): readonly Node[] {
  const name = (id: string): string => values.get(id) ?? id;
  return nodes.map((node) => {
    const inputs = node.inputs.map(name);
    const outputs = node.outputs.map((output) => {
      const id = fresh.value(output.id);
      values.set(output.id, id);
      return { ...output, id };
    });
    return { ...node, attributes: copyAttributes(node.attributes, fresh), inputs, outputs };
  });
}

function copyAttributes(attributes: Attributes, fresh: Fresh): Attributes {
  const copied: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(attributes))
    copied[name] = isBody(value) ? copyGraph(value, fresh) : value;
  return copied;
}

/** A graph of the same computation whose values all have new names. */
export function copyGraph(graph: Graph, fresh: Fresh): Graph {
  const values = new Map<string, string>();
  const params = graph.params.map((param) => {
    const id = fresh.value(param.id);
    values.set(param.id, id);
    return { ...param, id };
  });
  const nodes = copyNodes(graph.nodes, values, fresh);
  const results = graph.results.map((result) => ({ ...result, id: values.get(result.id) ?? result.id }));
  return { ...graph, params, nodes, results };
}

/** A loop whose body's values all have new names. */
export function copyLoop(loop: Loop, fresh: Fresh): Loop {
  const body = copyGraph(bodyOf(loop), fresh);
  const params = [...body.params];
  const next = (): Value => params.shift() ?? { id: "", type: { dtype: "float", axes: [] } };
  const renamed: Loop = {
    ...loop,
    consts: loop.consts.map((passed) => ({ ...passed, param: next() })),
    carries: loop.carries.map((carry) => ({ ...carry, param: next() })),
    xs: loop.xs.map((passed) => ({ ...passed, param: next() })),
  };
  return withBody(renamed, body);
}
