import { type Builder, createBuilder } from "./builder.ts";
import type { Attribute, Attributes, Graph, Node } from "./graph.ts";

export interface Visit {
  /** Where the new graph is built. */
  readonly builder: Builder;
  /** The node to keep or replace, its bodies already rewritten. */
  readonly node: Node;
  /** The values of the new graph that stand for its inputs. */
  readonly inputs: readonly string[];
}

/**
 * A scheduled graph, and the bodies in it, with nodes replaced: `visit` gives the values of the new graph that stand for a node's
 * outputs, of the same types, or undefined to keep the node. Names and origins stay; equal nodes become one; what nothing needs any more
 * is gone.
 */
export function rewrite(graph: Graph, visit: (visit: Visit) => readonly string[] | undefined): Graph {
  const builder = createBuilder(graph.name);
  const values = new Map(graph.params.map((param) => [param.id, builder.param(param.id, param.type)]));
  const newValue = (id: string): string => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`internal: %${id} of graph ${graph.name} is used before it is defined`);
    return value;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(newValue);
    const inner = { ...node, attributes: mapBodies(node.attributes, (body) => rewrite(body, visit)) };
    const build = () => visit({ builder, node: inner, inputs }) ?? keepNode(builder, inner, inputs);
    const outputs = node.origin === undefined ? build() : builder.within(node.origin, build);
    node.outputs.forEach((output, index) => {
      const value = outputs[index];
      if (value !== undefined) values.set(output.id, value);
    });
  }
  return builder.finish(graph.results.map((result) => ({ name: result.name, id: newValue(result.id) })));
}

/** Adds a node with new inputs and its old names. */
export function keepNode(builder: Builder, node: Node, inputs: readonly string[]): readonly string[] {
  return builder.addAll(
    node.op,
    inputs,
    node.attributes,
    node.outputs.map((output) => output.id),
  );
}

/** Attributes with every graph among them replaced. */
export function mapBodies<A extends Attributes>(attributes: A, replace: (body: Graph) => Graph): A {
  const bodies = Object.entries(attributes).filter((entry): entry is [string, Graph] => isGraph(entry[1]));
  if (bodies.length === 0) return attributes;
  return { ...attributes, ...Object.fromEntries(bodies.map(([name, body]) => [name, replace(body)])) };
}

/** Whether an attribute is a region's body. */
export function isGraph(attribute: Attribute): attribute is Graph {
  return typeof attribute === "object" && "nodes" in attribute;
}
