import { type Graph, isNode } from "../ir/graph.ts";
import { addSizes, constantSize } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import { scan } from "../op/region.ts";
import { copyLoop } from "./copy-body.ts";
import { createDraft, type Draft, type Tools, toolsOf } from "./draft.ts";
import { createEstimate, type Estimate } from "./estimate.ts";
import { closeLoop, openLoop } from "./loop.ts";
import type { Pass, PassOptions } from "./pass.ts";
import { mapBodies } from "./region.ts";
import { type Common, createStaggered } from "./stagger-body.ts";
import { type Chain, chainsOf } from "./stagger-chains.ts";

/**
 * Layers of loops, each of which reads position by position what the one below gives, become one loop in which each is a step behind the one
 * below: then all of a step needs only what the step before has left, and shares what steps share. What lies between them, the product with a
 * layer's input above all, is computed in the step. Where a step is a call of its own this halves the calls of two layers; where it is not,
 * the product over all positions at once is worth more.
 */
export const stagger: Pass = (graph, options) =>
  staggerRegion(graph, createEstimate(options), options, toolsOf(graph, options));

function staggerRegion(graph: Graph, estimate: Estimate, options: PassOptions, tools: Tools): Graph {
  if (!graph.nodes.some((node) => isNode(node, scan))) return graph;
  const draft = createDraft(graph, tools);
  const nodes = graph.nodes.map((node) => mapBodies(node, (body) => staggerRegion(body, estimate, options, tools)));
  const chains = chainsOf(nodes, draft, estimate, options.stagger);
  const moved = new Map(chains.flatMap((chain) => chain.map((one) => [one.node, { ...one, axis: axisOf(chain) }])));
  const kept = nodes.filter((node) => !moved.has(node));
  const read = new Set([
    ...[...graph.results.map(({ id }) => id), ...kept.flatMap(({ inputs }) => inputs)],
    ...chains.flatMap(readOutside),
  ]);
  // What others read in another layout than the loop gives it in is computed outside as well.
  for (const node of nodes.toReversed()) {
    const { entry, axis } = moved.get(node) ?? {};
    const [output] = node.outputs;
    if (entry === undefined || axis === undefined || output === undefined || !read.has(output.id)) continue;
    if (isStacked(output.type, entry, axis)) continue;
    read.delete(output.id);
    kept.push(node);
    for (const input of node.inputs) read.add(input);
  }
  for (const node of kept) draft.keep(node);
  for (const chain of chains) runTogether(chain, read, draft);
  return draft.finishSorted();
}

/** What a chain reads that is not its own. */
function readOutside(chain: Chain): readonly string[] {
  const own = new Set(chain.flatMap(({ node }) => node.outputs.map(({ id }) => id)));
  return chain.flatMap(({ node }) => node.inputs.filter((input) => !own.has(input)));
}

/** The axis of a chain's loops. */
function axisOf([first]: Chain): Axis | undefined {
  return first !== undefined && isNode(first.node, scan) ? first.node.attributes.axis : undefined;
}

/** Whether entries make a type with its axes in this order. */
function isStacked(type: Type, entry: Type, axis: Axis): boolean {
  const order = [axis, ...entry.axes];
  return type.axes.length === order.length && type.axes.every(({ id }, at) => id === order[at]?.id);
}

/** One loop of a chain's; `read` is what is read outside of it. */
function runTogether(chain: Chain, read: ReadonlySet<string>, draft: Draft): void {
  const [first] = chain;
  if (first === undefined || !isNode(first.node, scan)) return;
  const { axis, reverse, body: model } = first.node.attributes;
  const most = Math.max(...chain.map(({ lag }) => lag));
  const common: Common = {
    axis,
    late: draft.fresh.axis(`${axis.id}_late`, addSizes(axis.size, constantSize(most))),
    offset: (lag) => constantSize(reverse ? most - lag : lag),
  };
  const body = createStaggered(common, draft);
  for (const { node, lag, entry } of chain) {
    draft.within(node.origin);
    if (isNode(node, scan)) body.loop(copyLoop(openLoop(node), draft.fresh), lag, read);
    else if (entry !== undefined) body.node(node, entry, lag, read);
  }
  draft.note(
    "stagger",
    chain.map(({ node }) => node).filter((node) => isNode(node, scan)),
    axis.id,
  );
  draft.keep(closeLoop({ ...body.finish(), axis: common.late, reverse, name: model.name, origin: first.node.origin }));
}
