import type { Graph, Node, Value } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { expand } from "../op/move.ts";
import { scan } from "../op/region.ts";
import { constant, extent, iota } from "../op/source.ts";
import { createDraft, type Draft, type Tools, toolsOf } from "./draft.ts";
import { closeLoop, type Loop, openLoop, withBody } from "./loop.ts";
import { countUses } from "./order.ts";
import type { Pass } from "./pass.ts";

/**
 * What a loop computes from consts alone is computed once, before it. Constants, positions and repetitions stay: they cost
 * less inside than a value that is kept for them.
 */
export const hoist: Pass = (graph, options) => hoistRegion(graph, toolsOf(graph, options));

function hoistRegion(graph: Graph, tools: Tools): Graph {
  if (!graph.nodes.some((node) => isNode(node, scan))) return graph;
  const draft = createDraft(graph, tools);
  for (const node of graph.nodes) {
    const current = draft.current(node);
    draft.within(node.origin);
    if (isNode(current, scan)) draft.keep(hoistLoop(current, draft));
    else draft.keep(current);
  }
  return draft.finish();
}

function hoistLoop(node: Node, draft: Draft): Node {
  if (!isNode(node, scan)) return node;
  const opened = openLoop(node);
  const inner = hoistRegion(node.attributes.body, draft);
  const loop = inner === node.attributes.body ? opened : withBody(opened, inner);
  const hoisted = hoistFixed(loop, draft);
  return hoisted === opened ? node : closeLoop(hoisted);
}

/** Ops that are cheaper made in the loop than brought into it. */
function staysInside(node: Node): boolean {
  return isNode(node, constant) || isNode(node, iota) || isNode(node, extent) || isNode(node, expand);
}

function hoistFixed(loop: Loop, draft: Draft): Loop {
  /** Body values that do not change from step to step; those that have a value outside already, with it. */
  const outside = new Map<string, string>(loop.consts.map((passed) => [passed.param.id, passed.outside]));
  const inside = new Map<string, Node>();
  const moved: Value[] = [];
  const nodes: Node[] = [];
  const bring = (id: string): string => {
    const known = outside.get(id);
    if (known !== undefined) return known;
    const node = inside.get(id);
    const output = node?.outputs[0];
    if (node === undefined || output === undefined)
      throw new Error(`internal: %${id} does not stay the same in its loop`);
    const made = draft.define(
      { ...output, id: draft.fresh.value(id) },
      node.op,
      node.inputs.map(bring),
      node.attributes,
    );
    outside.set(id, made);
    return made;
  };
  for (const node of loop.nodes) {
    const isFixed = node.inputs.every((input) => outside.has(input) || inside.has(input));
    if (!isFixed) {
      nodes.push(node);
      continue;
    }
    const usesConst = node.inputs.some((input) => outside.has(input));
    const isCheap = node.op.form === "map" || node.op.form === "move" || node.op.form === "source";
    if (staysInside(node) || (!usesConst && isCheap)) {
      for (const output of node.outputs) inside.set(output.id, node);
      nodes.push(node);
      continue;
    }
    draft.within(node.origin);
    draft.note("hoist", [node], loop.axis.id);
    const inputs = node.inputs.map(bring);
    const outputs = node.outputs.map((output) => ({ ...output, id: draft.fresh.value(output.id) }));
    draft.keep({ ...node, inputs, outputs });
    node.outputs.forEach((output, index) => {
      outside.set(output.id, outputs[index]?.id ?? "");
      moved.push(output);
    });
  }
  if (moved.length === 0) return loop;
  const used = countUses(nodes, [...loop.carries.map((carry) => carry.next), ...loop.ys.map((y) => y.inside)]);
  const consts = moved
    .filter((value) => used.has(value.id))
    .map((param) => ({ outside: outside.get(param.id) ?? "", param }));
  return { ...loop, consts: [...loop.consts, ...consts], nodes };
}
