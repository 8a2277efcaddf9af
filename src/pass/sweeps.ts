import { type Graph, isNode, type Node, valueTypes } from "../ir/graph.ts";
import { hasAxis, type Type } from "../ir/type.ts";
import { type ContractAttributes, contract } from "../op/contract.ts";
import { expand, scatter } from "../op/move.ts";
import { type ReduceKind, reduce } from "../op/reduce.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import { isBody } from "./region.ts";

/**
 * What a node is to an axis that is walked chunk by chunk. `steps`: a loop along it. `same`: each position needs its own position only.
 * `join`: makes one of all positions, which can be done part by part. `outside`: needs whole values or none.
 */
export type Part =
  | { readonly kind: "steps"; readonly node: Node<ScanAttributes> }
  | { readonly kind: "same" | "outside"; readonly node: Node }
  | { readonly kind: "join"; readonly node: Node; readonly by: ReduceKind };

/**
 * A way to compute a region by walks over the chunks of an axis, even ones forward and odd ones backward. What a walk needs of an earlier one
 * it computes again from the states that were kept at the chunks' ends.
 */
export interface Sweeps {
  readonly count: number;
  /** In the region's order; nodes that are computed outside of walks are left out. */
  readonly parts: readonly Part[];
  /** The walk in which a loop is run for good, or a `join` is made. */
  readonly of: ReadonlyMap<Node, number>;
  /** Values with the axis that are wanted whole, and the walk that gives them. */
  readonly whole: ReadonlyMap<string, number>;
}

/** Undefined where no loop goes along the axis. */
export function planSweeps(graph: Graph, axis: string, type: (id: string) => Type): Sweeps | undefined {
  const has = (id: string): boolean => hasAxis(type(id), axis);
  const parts = graph.nodes.map((node) => partOf(node, axis, type));
  if (!parts.some(({ kind }) => kind === "steps")) return undefined;
  // The first walk in which a value can be had: a part of one that walks compute, all of any other.
  const since = new Map<string, number>();
  const chunked = new Set<string>();
  const whole = new Map<string, number>();
  const of = new Map<Node, number>();
  const wantWhole = (id: string): number => {
    const first = since.get(id) ?? 0;
    if (!chunked.has(id)) return first;
    whole.set(id, first);
    return first + 1;
  };
  for (const part of parts) {
    const { node, kind } = part;
    const first = Math.max(0, ...node.inputs.map((id) => (kind === "outside" ? wantWhole(id) : (since.get(id) ?? 0))));
    const walk = kind === "steps" && (first % 2 === 1) !== part.node.attributes.reverse ? first + 1 : first;
    if (kind === "steps" || kind === "join") of.set(node, walk);
    for (const { id } of node.outputs) {
      const isChunked = kind !== "outside" && has(id);
      if (isChunked) chunked.add(id);
      since.set(id, isChunked || kind === "outside" ? walk : walk + 1);
    }
  }
  for (const { id } of graph.results) wantWhole(id);
  const count = 1 + Math.max(0, ...of.values(), ...whole.values());
  const sweeps: Sweeps = { count, of, whole, parts: parts.filter(({ kind }) => kind !== "outside") };
  return { ...sweeps, of: putOff(graph, parts, sweeps, since) };
}

function partOf(node: Node, axis: string, type: (id: string) => Type): Part {
  const has = (id: string): boolean => hasAxis(type(id), axis);
  const with_ = node.inputs.filter(has);
  const isGiven = node.outputs.every(({ type: own }) => hasAxis(own, axis));
  if (isNode(node, scan) && node.attributes.axis.id === axis) return { kind: "steps", node };
  if (isGiven && with_.length === 0) return { kind: isNode(node, expand) ? "same" : "outside", node };
  const isSame = (id: string, index: number): boolean =>
    !has(id) || node.op.reads(node, index, axis, type(id)).kind === "same";
  if (isGiven && node.inputs.every(isSame) && !countsInside(node, axis)) return { kind: "same", node };
  const by = with_.length > 0 && !node.outputs.some(({ id }) => has(id)) ? joinOf(node, axis) : undefined;
  return by === undefined ? { kind: "outside", node } : { kind: "join", node, by };
}

/** Whether a body inside makes values by their position along the axis, which is another one in a chunk. */
function countsInside(node: Node, axis: string): boolean {
  return Object.values(node.attributes).some((body) => {
    if (!isBody(body)) return false;
    const types = valueTypes(body);
    return body.nodes.some((inner) => {
      const has = (own: Type | undefined): boolean => own !== undefined && hasAxis(own, axis);
      const isMade = inner.outputs.some(({ type }) => has(type)) && !inner.inputs.some((id) => has(types.get(id)));
      return (isMade && !isNode(inner, expand)) || countsInside(inner, axis);
    });
  });
}

function joinOf(node: Node, axis: string): ReduceKind | undefined {
  if (isNode(node, reduce) && node.attributes.axes.includes(axis)) return node.attributes.kind;
  if (isNode<ContractAttributes>(node, contract) && node.attributes.over.includes(axis)) return "sum";
  return isNode(node, scatter) && node.attributes.sum.includes(axis) ? "sum" : undefined;
}

/**
 * Joins that no walk waits for are made in the last one that has what they need anyway: the loss where the gradient's walk computes its terms
 * again.
 */
function putOff(
  graph: Graph,
  parts: readonly Part[],
  { count, of }: Sweeps,
  since: ReadonlyMap<string, number>,
): ReadonlyMap<Node, number> {
  const makers = new Map(parts.flatMap((part) => part.node.outputs.map(({ id }) => [id, part] as const)));
  const later = new Map(of);
  const due = new Map<string, number>(graph.results.map(({ id }) => [id, count]));
  const costly: readonly Set<Node>[] = Array.from({ length: count }, () => new Set<Node>());
  const costlyBelow = (node: Node, found = new Set<Node>()): ReadonlySet<Node> => {
    for (const id of node.inputs) {
      const part = makers.get(id);
      if (part === undefined || part.kind === "outside" || part.kind === "join" || found.has(part.node)) continue;
      found.add(part.node);
      costlyBelow(part.node, found);
    }
    return found;
  };
  const isCostly = (node: Node): boolean => isNode(node, scan) || isNode(node, contract);
  const settle = (node: Node, walk: number): void => {
    later.set(node, walk);
    for (const below of costlyBelow(node)) if (isCostly(below)) costly[walk]?.add(below);
  };
  for (const { kind, node } of parts) if (kind === "steps") settle(node, of.get(node) ?? 0);
  for (const { kind, node } of parts.toReversed()) {
    const limit = Math.min(count, ...node.outputs.map(({ id }) => due.get(id) ?? count));
    let use = kind === "outside" ? limit : Math.max(0, ...node.inputs.map((id) => since.get(id) ?? 0));
    if (kind === "steps" || kind === "join") use = of.get(node) ?? 0;
    if (kind === "join") {
      const needed = [...costlyBelow(node)].filter(isCostly);
      for (let walk = limit - 1; walk > use; walk--) {
        if (needed.every((each) => costly[walk]?.has(each))) use = walk;
      }
      settle(node, use);
    }
    for (const id of node.inputs) due.set(id, Math.min(due.get(id) ?? count, use));
  }
  return later;
}
