import type { Budget } from "../base/budget.ts";
import { attributeKey } from "./attribute-key.ts";
import type { Attributes, Graph, Node, Origin, Result } from "./graph.ts";
import type { Op } from "./op.ts";
import type { Axis, Type } from "./type.ts";

/**
 * Builds one graph. Equal nodes (same op, inputs and attributes) are made once.
 * `forward` reserves a value that is defined later: this is how a recurrence closes.
 */
export interface Builder {
  param(name: string, type: Type): string;
  /** Adds a node with one output and returns its id; throws an internal error where the op refuses its inputs. */
  add<A extends Attributes>(op: Op<A>, inputs: readonly string[], attributes: A, name?: string): string;
  /** The same for an op with any number of outputs. */
  addAll<A extends Attributes>(
    op: Op<A>,
    inputs: readonly string[],
    attributes: A,
    names: readonly string[],
  ): readonly string[];
  /** A value that `close` defines later. */
  forward(name: string, type: Type): string;
  /** Says that the reserved value is `value`, which must have its axes. */
  close(reserved: string, value: string): void;
  type(id: string): Type;
  /** The id that a value has in the finished graph: a closed reservation is the value it was closed with. */
  resolve(id: string): string;
  /** The nodes so far that read a value directly. */
  readers(id: string): readonly Node[];
  /** The node that defines a value; undefined for params and values still reserved. */
  definition(id: string): Node | undefined;
  /** All nodes added while `run` works belong to this equation, unless they already exist. */
  within<T>(origin: Origin, run: () => T): T;
  /** Wishes a name for a value in the finished graph: the user's name for it. The first wish wins. */
  label(id: string, name: string): void;
  /** Nodes in dependency order where there is one; unreachable ones dropped; reserved values replaced by their definitions. */
  finish(results: readonly Result[]): Graph;
}

/** @param budget counts every param and every node that is new */
export function createBuilder(name: string, budget?: Budget): Builder {
  const params: { id: string; type: Type }[] = [];
  const nodes: Node[] = [];
  const types = new Map<string, Type>();
  const defined = new Map<string, Node>();
  const known = new Map<string, readonly string[]>();
  const aliases = new Map<string, string>();
  const taken = new Map<string, number>();
  const wishes = new Map<string, string>();
  const labels = new Map<string, string>();
  let origin: Origin | undefined;

  const unique = (wanted: string): string => {
    const base = wanted.replace(/[^\w.']/g, "_") || "v";
    const count = taken.get(base);
    if (count === undefined && !types.has(base)) {
      taken.set(base, 1);
      return base;
    }
    let next = count ?? 1;
    while (types.has(`${base}_${next}`)) next++;
    taken.set(base, next + 1);
    return `${base}_${next}`;
  };
  const declare = (wanted: string, type: Type): string => {
    const id = unique(wanted);
    types.set(id, type);
    wishes.set(id, wanted);
    return id;
  };
  const resolve = (id: string): string => {
    let at = id;
    for (let next = aliases.get(at); next !== undefined; next = aliases.get(at)) at = next;
    return at;
  };
  const typeOf = (id: string): Type => {
    const type = types.get(id);
    if (type === undefined) throw new Error(`internal: no value %${id} in graph ${name}`);
    return type;
  };

  const addAll = <A extends Attributes>(
    op: Op<A>,
    inputs: readonly string[],
    attributes: A,
    names: readonly string[],
  ): readonly string[] => {
    const resolved = inputs.map(resolve);
    const key = `${op.name}(${resolved.join(",")})${attributeKey(attributes)}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    budget?.spend();
    const inferred = op.infer(resolved.map(typeOf), attributes);
    if (typeof inferred === "string") {
      throw new Error(`internal: ${op.name}(${resolved.map((id) => `%${id}`).join(", ")}): ${inferred}`);
    }
    const outputs = inferred.map((type, index) => ({ id: declare(names[index] ?? op.name, type), type }));
    const node: Node = { op, attributes, inputs: resolved, outputs, origin };
    nodes.push(node);
    for (const output of outputs) defined.set(output.id, node);
    const ids = outputs.map((output) => output.id);
    known.set(key, ids);
    return ids;
  };

  return {
    param: (wanted, type) => {
      budget?.spend();
      const id = declare(wanted, type);
      params.push({ id, type });
      return id;
    },
    addAll,
    add: (op, inputs, attributes, wanted) => addAll(op, inputs, attributes, [wanted ?? op.name])[0] ?? "",
    forward: (wanted, type) => declare(wanted, type),
    close: (reserved, value) => {
      if (resolve(value) === reserved) throw new Error(`internal: %${reserved} is defined as itself`);
      aliases.set(reserved, resolve(value));
    },
    type: (id) => typeOf(resolve(id)),
    resolve,
    readers: (id) => nodes.filter((node) => node.inputs.includes(id)),
    definition: (id) => defined.get(resolve(id)),
    within: (next, run) => {
      const before = origin;
      origin = next;
      try {
        return run();
      } finally {
        origin = before;
      }
    },
    finish: (results) => {
      const resolved = nodes.map((node) => ({ ...node, inputs: node.inputs.map(resolve) }));
      const ends = results.map((result) => ({ name: result.name, id: resolve(result.id) }));
      const wish = (id: string): string => labels.get(id) ?? wishes.get(id) ?? id;
      return renamed({ name, params, nodes: orderNodes(resolved, ends), results: ends }, wish);
    },
    label: (id, wanted) => {
      const value = resolve(id);
      if (!labels.has(value)) labels.set(value, wanted);
    },
  };
}

/** Gives every value that a node defines the name it wishes for, numbered where several wish for the same. */
function renamed(graph: Graph, wish: (id: string) => string): Graph {
  const taken = new Set(graph.params.map((param) => param.id));
  const counts = new Map<string, number>();
  const names = new Map<string, string>();
  for (const node of graph.nodes) {
    for (const { id } of node.outputs) {
      const base = wish(id).replace(/[^\w.']/g, "_") || "v";
      let count = counts.get(base) ?? 0;
      let name = base;
      for (; taken.has(name); name = `${base}_${count}`) count++;
      counts.set(base, count);
      taken.add(name);
      names.set(id, name);
    }
  }
  const find = (id: string): string => names.get(id) ?? id;
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(find),
    outputs: node.outputs.map((output) => ({ ...output, id: find(output.id) })),
  }));
  return { ...graph, nodes, results: graph.results.map((result) => ({ name: result.name, id: find(result.id) })) };
}

/** The nodes that the results need, each after its inputs except where a cycle closes. */
export function orderNodes(nodes: readonly Node[], results: readonly Result[]): readonly Node[] {
  const byValue = new Map<string, Node>();
  for (const node of nodes) for (const output of node.outputs) byValue.set(output.id, node);
  const seen = new Set<Node>();
  const ordered: Node[] = [];
  for (const result of results) {
    const start = byValue.get(result.id);
    if (start === undefined || seen.has(start)) continue;
    seen.add(start);
    const stack: { node: Node; next: number }[] = [{ node: start, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        ordered.push(top.node);
        stack.pop();
        continue;
      }
      const node = byValue.get(input);
      if (node !== undefined && !seen.has(node)) {
        seen.add(node);
        stack.push({ node, next: 0 });
      }
    }
  }
  return ordered;
}

export function axisIds(axes: readonly Axis[]): readonly string[] {
  return axes.map((axis) => axis.id);
}
