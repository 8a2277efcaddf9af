import {
  type Attributes,
  definitions,
  type Graph,
  type Node,
  type Origin,
  type Result,
  type Value,
} from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import type { Type } from "../ir/type.ts";
import { createFresh, type Fresh } from "./fresh.ts";
import { type NoteDown, SILENT } from "./note.ts";
import { neededNodes, sortNodes } from "./order.ts";

/** One region while a pass rewrites it: the nodes of the result so far, and what old values have become. */
export interface Draft {
  readonly fresh: Fresh;
  readonly note: NoteDown;
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
  /** The node that defined a value before the pass. */
  original(id: string): Node | undefined;
  /** Whether a value is a result of the region, so that its layout is fixed. */
  isResult(id: string): boolean;
  /** New nodes belong to this equation. */
  within(origin: Origin | undefined): void;
  /** The graph, with its results or others, without nodes that none of them needs. The graph itself where nothing has changed. */
  finish(results?: readonly Result[]): Graph;
  /** The same where nodes may have been added before their inputs: each is put behind them. */
  finishSorted(): Graph;
}

/** What passes make drafts with; a draft has it for the drafts of its loops' bodies. */
export interface Tools {
  readonly fresh: Fresh;
  readonly note?: NoteDown;
}

/** The tools that a pass is given, or its own. */
export function toolsOf(graph: Graph, { fresh = createFresh(graph), note = SILENT }: Partial<Tools>): Required<Tools> {
  return { fresh, note };
}

export function createDraft(graph: Graph, { fresh, note = SILENT }: Tools): Draft {
  const params = new Map<string, Type>();
  for (const param of graph.params) params.set(param.id, param.type);
  const nodes: Node[] = [];
  const aliases = new Map<string, string>();
  // Where values are defined, looked up only by passes that ask: of the nodes so far, up to `indexed`, and of the graph before.
  const places = new Map<string, number>();
  let indexed = 0;
  let before: ReadonlyMap<string, Node> | undefined;
  let results: ReadonlySet<string> | undefined;
  let origin: Origin | undefined;

  const resolve = (id: string): string => {
    let at = id;
    for (let next = aliases.get(at); next !== undefined; next = aliases.get(at)) at = next;
    return at;
  };
  const placeOf = (id: string): number | undefined => {
    for (; indexed < nodes.length; indexed++) {
      for (const output of nodes[indexed]!.outputs) places.set(output.id, indexed);
    }
    return places.get(id);
  };
  const original = (id: string): Node | undefined => {
    before ??= definitions(graph);
    return before.get(id);
  };
  const isResult = (id: string): boolean => {
    results ??= new Set(graph.results.map((result) => result.id));
    return results.has(id);
  };
  const type = (wanted: string): Type => {
    const id = resolve(wanted);
    const param = params.get(id);
    if (param !== undefined) return param;
    // A value keeps its type: where the nodes of before are indexed already, those so far need not be.
    const known = before?.get(id);
    const place = known === undefined ? placeOf(id) : undefined;
    const node = known ?? (place === undefined ? original(id) : nodes[place]);
    const found = node?.outputs.find((output) => output.id === id)?.type;
    if (found === undefined) throw new Error(`internal: no value %${id} in graph ${graph.name}`);
    return found;
  };
  const keep = (node: Node): void => {
    nodes.push(node);
  };
  const inferred = (op: Op, inputs: readonly string[], attributes: Attributes): Type => {
    const found = op.infer(inputs.map(type), attributes);
    if (typeof found === "string" || found[0] === undefined) {
      throw new Error(`internal: ${op.name}(${inputs.map((input) => `%${input}`).join(", ")}): ${found}`);
    }
    return found[0];
  };
  const define = <A extends Attributes>(output: Value, op: Op<A>, inputs: readonly string[], attributes: A): string => {
    keep({ op, attributes, inputs: inputs.map(resolve), outputs: [output], origin });
    return output.id;
  };
  const alias = (from: string, to: string): void => {
    const target = resolve(to);
    if (from !== target) aliases.set(from, target);
  };
  const isRenamed = (node: Node): boolean => aliases.size > 0 && node.inputs.some((input) => aliases.has(input));
  const current = (node: Node): Node => (isRenamed(node) ? { ...node, inputs: node.inputs.map(resolve) } : node);
  const finish = (given: readonly Result[], order: (all: readonly Node[]) => readonly Node[]): Graph => {
    const isSame =
      given === graph.results &&
      aliases.size === 0 &&
      nodes.length === graph.nodes.length &&
      nodes.every((node, index) => node === graph.nodes[index]);
    if (isSame) return graph;
    const ends = aliases.size === 0 ? given : given.map((end) => ({ name: end.name, id: resolve(end.id) }));
    const kept = neededNodes(
      order(aliases.size === 0 ? nodes : nodes.map(current)),
      ends.map((end) => end.id),
    );
    return { ...graph, nodes: kept, results: ends };
  };

  return {
    fresh,
    note,
    add: (op, inputs, attributes, name) => {
      const id = fresh.value(name ?? op.name);
      return define({ id, type: inferred(op, inputs, attributes) }, op, inputs, attributes);
    },
    define,
    keep,
    param: ({ id, type: own }) => {
      params.set(id, own);
      return id;
    },
    alias,
    replace: (node, id) => {
      const output = node.outputs[0];
      if (output === undefined) return;
      const isFixed = isResult(output.id) && !sameLayout(type(id), output.type);
      if (isFixed) keep(node);
      else alias(output.id, id);
    },
    swap: (id, node) => {
      const place = placeOf(resolve(id));
      if (place === undefined) throw new Error(`internal: no node defines %${id}`);
      nodes[place] = node;
      for (const output of node.outputs) places.set(output.id, place);
    },
    current,
    resolve,
    type,
    definition: (id) => {
      const place = placeOf(resolve(id));
      return place === undefined ? undefined : nodes[place];
    },
    original,
    isResult,
    within: (next) => {
      origin = next;
    },
    finish: (given = graph.results) => finish(given, (all) => all),
    finishSorted: () => finish(graph.results, sortNodes),
  };
}

/** The same axes in the same order, and the same dtype. */
function sameLayout(a: Type, b: Type): boolean {
  return (
    a === b ||
    (a.dtype === b.dtype && a.axes.length === b.axes.length && a.axes.every((axis, at) => axis.id === b.axes[at]?.id))
  );
}
