import { type Graph, isNode, type Node, type Value } from "../ir/graph.ts";
import { addSizes, constantSize, type Size } from "../ir/size.ts";
import { withoutAxes } from "../ir/type.ts";
import { type ConcatAttributes, concat, slice } from "../op/move.ts";
import { scan } from "../op/region.ts";
import { createDraft, type Draft, type Tools, toolsOf } from "./draft.ts";
import { closeLoop, type Loop, openLoop } from "./loop.ts";
import { loopOf } from "./packs.ts";
import type { Pass } from "./pass.ts";
import { mapBodies } from "./region.ts";

/**
 * Values that a loop gives and that are put together behind it are put together in it, step by step: the loop writes them where
 * they belong. Whoever else needs one takes its part.
 */
export const packOutputs: Pass = (graph, options) => packRegion(graph, toolsOf(graph, options));

function packRegion(graph: Graph, tools: Tools): Graph {
  const draft = createDraft(graph, tools);
  for (const node of graph.nodes) {
    const current = mapBodies(draft.current(node), (body) => packRegion(body, tools));
    const parts = isNode(current, concat)
      ? current.inputs.map((id, index) => ({ id, axis: current.attributes.axes[index] ?? "" }))
      : [];
    const maker = parts.length > 1 ? loopOf(parts, draft.definition) : undefined;
    if (maker === undefined || !isNode(current, concat)) draft.keep(current);
    else packInLoop(maker, current, draft);
  }
  return draft.finishSorted();
}

function packInLoop(maker: Node, whole: Node<ConcatAttributes>, draft: Draft): void {
  if (!isNode(maker, scan)) return;
  const loop = openLoop(maker);
  const insides = whole.inputs.map((id) => loop.ys.find((y) => y.output.id === id)?.inside ?? "");
  const [output] = whole.outputs;
  if (output === undefined) return;
  const made = insides.flatMap((id) => loop.nodes.filter((node) => node.outputs.some((value) => value.id === id)));
  draft.note("pack-outputs", made, loop.axis.id);
  const { nodes, inside } = packedInBody(loop, insides, whole, output, draft);
  const gone = new Set(whole.inputs);
  const ys = [...loop.ys.filter((y) => !gone.has(y.output.id)), { inside, output }];
  const place = (loop.ys.find((y) => !gone.has(y.output.id)) ?? loop.ys[0])?.output.id ?? "";
  draft.swap(place, closeLoop({ ...loop, nodes, ys }));
  const { to } = whole.attributes;
  let start: Size = constantSize(0);
  const seen = new Set<string>();
  whole.inputs.forEach((id, index) => {
    const y = loop.ys.find((candidate) => candidate.output.id === id);
    const own = y?.output.type.axes.find((axis) => axis.id === whole.attributes.axes[index]);
    if (y === undefined || own === undefined) return;
    if (!seen.has(id)) draft.define(y.output, slice, [output.id], { axis: to.id, to: own, start });
    seen.add(id);
    start = addSizes(start, own.size);
  });
}

/** The body with the values put together, which it may do already. */
function packedInBody(
  loop: Loop,
  insides: readonly string[],
  { attributes }: Node<ConcatAttributes>,
  output: Value,
  draft: Draft,
): { readonly nodes: readonly Node[]; readonly inside: string } {
  const { axes, to } = attributes;
  const same = loop.nodes.find(
    (node) =>
      isNode(node, concat) &&
      node.attributes.to.id === to.id &&
      node.inputs.length === insides.length &&
      node.inputs.every((id, index) => id === insides[index] && node.attributes.axes[index] === axes[index]),
  );
  if (same?.outputs[0] !== undefined) return { nodes: loop.nodes, inside: same.outputs[0].id };
  const id = draft.fresh.value(`${output.id}.in`);
  const type = { dtype: output.type.dtype, axes: withoutAxes(output.type.axes, [loop.axis.id]) };
  const made: Node = { op: concat, attributes, inputs: insides, outputs: [{ id, type }], origin: loop.origin };
  return { nodes: [...loop.nodes, made], inside: id };
}
