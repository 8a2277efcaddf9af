import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { hasAxis } from "../ir/type.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import { coneBelow, createTransplant, localCost } from "./cone.ts";
import { createDraft, type Draft, type Tools, toolsOf } from "./draft.ts";
import { createEstimate, type Estimate } from "./estimate.ts";
import { closeLoop, openLoop, type Passed } from "./loop.ts";
import type { Pass, PassOptions } from "./pass.ts";
import { recompute } from "./recompute.ts";
import { mapBodies } from "./region.ts";

/**
 * Store or recompute. Cheap values that only loops read, step by step, go back into these loops: masks, 1 - h², parts of packed
 * products. They do where a loop then reads no more than before; nothing is written for it. What a loop gives for other loops
 * and what these can compute themselves is not kept either: cheap values always, costly ones under a memory budget.
 */
export const sink: Pass = (graph, options) =>
  sinkRegion(graph, options, createEstimate(options), toolsOf(graph, options));

/** Additions for one number, up to which computing it twice costs less than writing and reading it. */
const CHEAP = 8;

function sinkRegion(graph: Graph, options: PassOptions, estimate: Estimate, tools: Tools): Graph {
  if (!graph.nodes.some((node) => isNode(node, scan))) return graph;
  const inner = graph.nodes.map((node) => mapBodies(node, (body) => sinkRegion(body, options, estimate, tools)));
  let region: Graph = inner.every((node, index) => node === graph.nodes[index]) ? graph : { ...graph, nodes: inner };
  const axes = new Set(region.nodes.flatMap((node) => (isNode(node, scan) ? [node.attributes.axis.id] : [])));
  for (const axis of axes) region = sinkAlong(axis, region, estimate, tools);
  return recompute(region, CHEAP, options.memory, estimate, tools);
}

function sinkAlong(axis: string, graph: Graph, estimate: Estimate, tools: Tools): Graph {
  const draft = createDraft(graph, tools);
  const cone = cheapCone(axis, graph, draft);
  const loops = graph.nodes.filter(
    (node): node is Node<ScanAttributes> => isNode(node, scan) && node.attributes.axis.id === axis,
  );
  const chosen = chooseSunk(loops, cone, axis, draft, estimate);
  if (chosen.size === 0) return graph;
  for (const id of chosen)
    draft.note(
      "sink",
      [cone.get(id)].filter((node) => node !== undefined),
      axis,
    );
  for (const node of graph.nodes) {
    draft.keep(isNode(node, scan) && node.attributes.axis.id === axis ? sinkInto(node, cone, chosen, draft) : node);
  }
  return draft.finish();
}

/** Cheap nodes whose values only loops along the axis read, as xs, or other such nodes. */
function cheapCone(axis: string, graph: Graph, draft: Draft): ReadonlyMap<string, Node> {
  const cone = new Map<string, Node>();
  const blocked = new Set(graph.results.map((result) => result.id));
  const costs = new Map<string, number>();
  const read = new Set<string>();
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index]!;
    const [output] = node.outputs;
    const isLoop = isNode(node, scan) && node.attributes.axis.id === axis;
    const isWanted = output !== undefined && read.has(output.id) && !blocked.has(output.id);
    const cost = isWanted ? localCost(node, axis, draft.type) : undefined;
    if (isWanted && cost !== undefined) {
      cone.set(output.id, node);
      costs.set(output.id, cost);
      for (const input of node.inputs) read.add(input);
      continue;
    }
    const entries = isLoop ? node.attributes.consts + node.attributes.carries : Number.POSITIVE_INFINITY;
    node.inputs.forEach((input, at) => {
      if (at < entries) blocked.add(input);
      else read.add(input);
    });
  }
  // What is costly all the way down is no cone.
  const total = new Map<string, number>();
  for (const [id, node] of [...cone].reverse()) {
    const cost = node.inputs.reduce((sum, input) => sum + (total.get(input) ?? 0), costs.get(id) ?? 0);
    if (cost > CHEAP) cone.delete(id);
    else total.set(id, cost);
  }
  return cone;
}

/** The values to compute in the loops: connected ones together, or where that does not pay each alone. */
function chooseSunk(
  loops: readonly Node<ScanAttributes>[],
  cone: ReadonlyMap<string, Node>,
  axis: string,
  draft: Draft,
  estimate: Estimate,
): ReadonlySet<string> {
  const entries = loops.map((loop) => openLoop(loop).xs.map((x) => x.outside));
  const candidates = [...new Set(entries.flat())].filter((id) => cone.has(id));
  const leaves = new Map(
    candidates.map(
      (id) => [id, [...coneBelow(id, cone).leaves].filter((leaf) => hasAxis(draft.type(leaf), axis))] as const,
    ),
  );
  const elements = (ids: Iterable<string>): number =>
    [...ids].reduce((sum, id) => sum + estimate.elements(draft.type(id)), 0);
  const pays = (group: ReadonlySet<string>, chosen: ReadonlySet<string>): boolean =>
    entries.every((xs) => {
      const sunk = xs.filter((id) => group.has(id));
      if (sunk.length === 0) return true;
      const there = new Set(xs.filter((id) => !group.has(id) && !chosen.has(id)));
      for (const id of xs) if (chosen.has(id)) for (const leaf of leaves.get(id) ?? []) there.add(leaf);
      const added = new Set(sunk.flatMap((id) => leaves.get(id) ?? []).filter((leaf) => !there.has(leaf)));
      return elements(added) <= elements(sunk);
    });
  const chosen = new Set<string>();
  for (const group of connected(candidates, leaves)) {
    if (pays(group, chosen)) for (const id of group) chosen.add(id);
    else for (const id of group) if (pays(new Set([id]), chosen)) chosen.add(id);
  }
  return chosen;
}

/** Groups of values that share what they are computed from. */
function connected(
  ids: readonly string[],
  leaves: ReadonlyMap<string, readonly string[]>,
): readonly ReadonlySet<string>[] {
  const groups: { ids: Set<string>; leaves: Set<string> }[] = [];
  for (const id of ids) {
    const own = leaves.get(id) ?? [];
    const touching = groups.filter((group) => own.some((leaf) => group.leaves.has(leaf)));
    const merged = { ids: new Set([id]), leaves: new Set(own) };
    for (const group of touching) {
      for (const other of group.ids) merged.ids.add(other);
      for (const leaf of group.leaves) merged.leaves.add(leaf);
      groups.splice(groups.indexOf(group), 1);
    }
    groups.push(merged);
  }
  return groups.map((group) => group.ids);
}

function sinkInto(
  node: Node<ScanAttributes>,
  cone: ReadonlyMap<string, Node>,
  chosen: ReadonlySet<string>,
  draft: Draft,
): Node {
  const loop = openLoop(node);
  const sunk: readonly Passed[] = loop.xs.filter((x) => chosen.has(x.outside));
  if (sunk.length === 0) return node;
  const transplant = createTransplant(loop, cone, draft);
  for (const { outside, param } of sunk) transplant.define(param, outside);
  return closeLoop(transplant.finish());
}
