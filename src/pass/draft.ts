import type { Attributes, Graph, Node, Origin, Value } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import { sameAxes, type Type } from "../ir/type.ts";
import type { Fresh } from "./fresh.ts";
import { neededNodes, sortNodes } from "./order.ts";

/** One region while a pass rewrites it: the nodes of the result so far, and what old values have become. */
export interface Draft {
  readonly fresh: Fresh;
  /** Adds a node with one output of the type that its op infers. */
  add<A extends Attributes>(op: Op<A>, inputs: readonly string[], attributes: A, name?: string): string;
  /** Adds a node with one output that keeps its id and layout. */
  define<A extends Attributes>(output: Value, op: Op<A>, inputs: readonly string[], attributes: A): string;
  /** Adds a node as it is. */
  keep(node: Node): void;
  /** Makes a further param known, as a loop's body gets one; `finish` does not add it. */
  param(value: Value): string;
  /** Takes `id` for the one output of `node`; keeps the node where that would change the layout of a result. */
  replace(node: Node, id: string): void;
  /** From now on `from` is `to`. */
  alias(from: string, to: string): void;
  /** Puts another node in the place of the one that defines a value. */
  swap(id: string, node: Node): void;
  /** A node with its inputs as they are called now; the same object where nothing has changed. */
  current(node: Node): Node;
  resolve(id: string): string;
  /** The type of any value of the region, those that are still to come included. */
  type(id: string): Type;
  /** The node added so far that defines a value; undefined for params. */
  definition(id: string): Node | undefined;
  /** Whether a value is a result of the region, so that its layout is fixed. */
  isResult(id: string): boolean;
  /** New nodes belong to this equation. */
  within(origin: Origin | undefined): void;
  /** The graph; nodes that no result needs are gone, and others are put behind their inputs. The graph itself where nothing has changed. */
  finish(): Graph;
}

export function createDraft(graph: Graph, fresh: Fresh): Draft {
  const types = new Map<string, Type>();
  for (const param of graph.params) types.set(param.id, param.type);
  for (const node of graph.nodes) for (const output of node.outputs) types.set(output.id, output.type);
  const results = new Set(graph.results.map((result) => result.id));
  const nodes: Node[] = [];
  const places = new Map<string, number>();
  const aliases = new Map<string, string>();
  let origin: Origin | undefined;

  const resolve = (id: string): string => {
    let at = id;
    for (let next = aliases.get(at); next !== undefined; next = aliases.get(at)) at = next;
    return at;
  };
  const type = (id: string): Type => {
    const found = types.get(resolve(id));
    if (found === undefined) throw new Error(`internal: no value %${id} in graph ${graph.name}`);
    return found;
  };
  const keep = (node: Node): void => {
    for (const output of node.outputs) {
      types.set(output.id, output.type);
      places.set(output.id, nodes.length);
    }
    nodes.push(node);
  };
  const inferred = (op: Op, inputs: readonly string[], attributes: Attributes): Type => {
    const found = op.infer(inputs.map(type), attributes);
    if (typeof found === "string" || found[0] === undefined) {
      throw new Error(`internal: ${op.name}(${inputs.map((input) => `%${input}`).join(", ")}): ${found}`);
    }
    return found[0];
  };
  const define = <A extends Attributes>(
    output: Value,
    op: Op<A>,
    inputs: readonly string[],
    attributes: A,
  ): string => {
    keep({ op, attributes, inputs: inputs.map(resolve), outputs: [output], origin });
    return output.id;
  };
  const alias = (from: string, to: string): void => {
    const target = resolve(to);
    if (from !== target) aliases.set(from, target);
  };

  return {
    fresh,
    add: (op, inputs, attributes, name) => {
      const id = fresh.value(name ?? op.name);
      return define({ id, type: inferred(op, inputs, attributes) }, op, inputs, attributes);
    },
    define,
    keep,
    param: ({ id, type: own }) => {
      types.set(id, own);
      return id;
    },
    alias,
    replace: (node, id) => {
      const output = node.outputs[0];
      if (output === undefined) return;
      const isFixed = results.has(output.id) && !sameLayout(type(id), output.type);
      if (isFixed) keep(node);
      else alias(output.id, id);
    },
    swap: (id, node) => {
      const place = places.get(resolve(id));
      if (place === undefined) throw new Error(`internal: no node defines %${id}`);
      nodes[place] = node;
      for (const output of node.outputs) {
        types.set(output.id, output.type);
        places.set(output.id, place);
      }
    },
    current: (node) => {
      if (aliases.size === 0 || !node.inputs.some((input) => aliases.has(input))) return node;
      return { ...node, inputs: node.inputs.map(resolve) };
    },
    resolve,
    type,
    definition: (id) => {
      const place = places.get(resolve(id));
      return place === undefined ? undefined : nodes[place];
    },
    isResult: (id) => results.has(id),
    within: (next) => {
      origin = next;
    },
    finish: () => {
      // What was kept may have been renamed since.
      const renamed =
        aliases.size === 0
          ? nodes
          : nodes.map((node) =>
              node.inputs.some((input) => aliases.has(input)) ? { ...node, inputs: node.inputs.map(resolve) } : node,
            );
      const ends = graph.results.map((result) => {
        const id = resolve(result.id);
        return id === result.id ? result : { ...result, id };
      });
      const kept = sortNodes(
        neededNodes(
          renamed,
          ends.map((end) => end.id),
        ),
      );
      const isSame =
        kept.length === graph.nodes.length &&
        kept.every((node, index) => node === graph.nodes[index]) &&
        ends.every((end, index) => end === graph.results[index]);
      return isSame ? graph : { ...graph, nodes: kept, results: ends };
    },
  };
}

/** The same axes in the same order, and the same dtype. */
export function sameLayout(a: Type, b: Type): boolean {
  return (
    a === b ||
    (a.dtype === b.dtype && a.axes.length === b.axes.length && a.axes.every((axis, at) => axis.id === b.axes[at]?.id))
  );
}

/** The same axes in any order, and the same dtype. */
export function sameType(a: Type, b: Type): boolean {
  return a.dtype === b.dtype && sameAxes(a.axes, b.axes);
}
