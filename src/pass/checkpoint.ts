import { type Graph, isNode, type Node } from "../ir/graph.ts";
import type { Axis } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import { scan } from "../op/region.ts";
import { walkChunks } from "./chunks.ts";
import { createDraft, toolsOf } from "./draft.ts";
import { createEstimate, type Estimate } from "./estimate.ts";
import type { Pass } from "./pass.ts";
import { planSweeps, type Sweeps } from "./sweeps.ts";

/**
 * Keeps a loop's state only at the ends of chunks of its axis, and computes what is between again where a later loop reads it, chunk by
 * chunk: one walk forward, one backward (Chen et al. 2016, "Training deep nets with sublinear memory cost"). Whatever else has the axis is
 * computed chunk by chunk too, so nothing of its length stays but what is given. Where more than `memory` bytes would be kept.
 */
export const checkpoint: Pass = (graph, options) => {
  const { memory, chunk } = options;
  if (memory === undefined) return graph;
  const tools = toolsOf(graph, options);
  const estimate = createEstimate(options);
  let current = graph;
  for (const axis of loopAxes(graph)) {
    const draft = createDraft(current, tools);
    const sweeps = planSweeps(current, axis.id, draft.type);
    if (sweeps === undefined || keptBytes(sweeps, estimate) <= memory) continue;
    const loops = sweeps.parts.filter(({ kind }) => kind === "steps").map(({ node }) => node);
    draft.note("checkpoint", loops, axis.id);
    current = walkChunks(current, axis, chunk, sweeps, draft);
  }
  return current;
};

/** The axes of a region's loops whose length is not fixed, each once. */
function loopAxes(graph: Graph): readonly Axis[] {
  const axes = graph.nodes.flatMap((node) => (isNode(node, scan) ? [node.attributes.axis] : []));
  return [...new Map(axes.map((axis) => [axis.id, axis])).values()];
}

/** What is kept for all positions: what loops and products give. */
function keptBytes({ parts }: Sweeps, estimate: Estimate): number {
  const isKept = ({ node }: { readonly node: Node }): boolean => isNode(node, scan) || isNode(node, contract);
  const values = parts.filter(isKept).flatMap(({ node }) => node.outputs);
  return 4 * values.reduce((sum, { type }) => sum + estimate.elements(type), 0);
}
