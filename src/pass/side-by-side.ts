import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { equalSizes } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import { rename } from "../op/move.ts";
import { scan } from "../op/region.ts";
import { copyLoop } from "./copy-body.ts";
import { createDraft, type Draft, type Tools, toolsOf } from "./draft.ts";
import { closeLoop, type Loop, openLoop } from "./loop.ts";
import type { Pass } from "./pass.ts";
import { mapBodies } from "./region.ts";

/**
 * Loops of equal length and direction that do not need one another become one loop, so that their steps share what the
 * other passes and the targets can share. Loops over axes of different names are renamed to the first one's.
 */
export const sideBySide: Pass = (graph, options) => mergeRegion(graph, toolsOf(graph, options));

function mergeRegion(graph: Graph, tools: Tools): Graph {
  if (!graph.nodes.some((node) => node.op.form === "region")) return graph;
  const draft = createDraft(graph, tools);
  const nodes = graph.nodes.map((node) => mapBodies(node, (body) => mergeRegion(body, tools)));
  const groups = groupLoops(nodes);
  const leaders = new Map(groups.map((group) => [group[0], group] as const));
  const followers = new Set(groups.flatMap((group) => group.slice(1)));
  for (const node of nodes) {
    const group = leaders.get(node);
    if (group !== undefined) draft.keep(mergeLoops(group, draft));
    else if (!followers.has(node)) draft.keep(node);
  }
  return draft.finishSorted();
}

/**
 * Loops of one depth (how many loops lie before them on any path) do not need one another, and merging within depths closes no
 * circle.
 */
function groupLoops(nodes: readonly Node[]): readonly (readonly Node[])[] {
  const depths = new Map<string, number>();
  const groups = new Map<string, Node[]>();
  for (const node of nodes) {
    let depth = 0;
    for (const input of node.inputs) depth = Math.max(depth, depths.get(input) ?? 0);
    if (isNode(node, scan)) {
      const { axis, reverse } = node.attributes;
      const key = `${depth} ${axis.size.text} ${reverse}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [node]);
      else if (group.every((member) => fits(member, node))) group.push(node);
      depth++;
    }
    for (const output of node.outputs) depths.set(output.id, depth);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Whether a loop can run along the axis of the first one of its group. */
function fits(first: Node | undefined, node: Node): boolean {
  if (!isNode(first, scan) || !isNode(node, scan)) return false;
  const { axis } = first.attributes;
  const own = node.attributes.axis;
  if (own.id === axis.id) return equalSizes(own.size, axis.size) && agree(first.attributes.body, node.attributes.body);
  const { body } = node.attributes;
  return !mentions(body, axis.id) && !mentions(first.attributes.body, own.id) && agree(first.attributes.body, body);
}

/** Whether no axis has another size in the other body. */
function agree(a: Graph, b: Graph): boolean {
  const sizes = new Map(axesOf(a).map((axis) => [axis.id, axis.size.text]));
  return axesOf(b).every((axis) => (sizes.get(axis.id) ?? axis.size.text) === axis.size.text);
}

function mentions(body: Graph, id: string): boolean {
  return axesOf(body).some((axis) => axis.id === id);
}

function axesOf(body: Graph): readonly Axis[] {
  return [...body.params, ...body.nodes.flatMap((node) => node.outputs)].flatMap((value) => value.type.axes);
}

function mergeLoops(group: readonly Node[], draft: Draft): Node {
  const [first, ...others] = group.flatMap((node) => (isNode(node, scan) ? [openLoop(node)] : []));
  if (first === undefined) throw new Error("internal: a group of no loops");
  draft.note("side-by-side", group, first.axis.id);
  return closeLoop(
    others.reduce((merged, loop) => join(merged, apart(onAxis(loop, first.axis, draft), merged, draft)), first),
  );
}

/** The loop under other names, where its body shares some with another one's. */
function apart(loop: Loop, other: Loop, draft: Draft): Loop {
  const taken = new Set(namesOf(other));
  if (!namesOf(loop).some((id) => taken.has(id))) return loop;
  return copyLoop(loop, draft.fresh);
}

function namesOf({ consts, carries, xs, nodes }: Loop): readonly string[] {
  return [
    ...[...consts, ...carries, ...xs].map((passed) => passed.param.id),
    ...nodes.flatMap((node) => node.outputs.map((output) => output.id)),
  ];
}

function join(a: Loop, b: Loop): Loop {
  return {
    ...a,
    consts: [...a.consts, ...b.consts],
    carries: [...a.carries, ...b.carries],
    xs: [...a.xs, ...b.xs],
    ys: [...a.ys, ...b.ys],
    nodes: [...a.nodes, ...b.nodes],
  };
}

/** The loop along another axis of equal size: xs are renamed before it, ys behind it. */
function onAxis(loop: Loop, axis: Axis, draft: Draft): Loop {
  if (loop.axis.id === axis.id) return loop;
  const own = loop.axis;
  const renamed = (type: Type): Type => ({
    dtype: type.dtype,
    axes: type.axes.map((other) => (other.id === own.id ? axis : other)),
  });
  const attributes = { from: [own.id], to: [axis] };
  const xs = loop.xs.map((x) => ({ ...x, outside: draft.add(rename, [x.outside], attributes) }));
  const ys = loop.ys.map((y) => {
    const id = draft.fresh.value(`${y.output.id}.${axis.id}`);
    draft.define(y.output, rename, [id], { from: [axis.id], to: [own] });
    return { ...y, output: { id, type: renamed(y.output.type) } };
  });
  return { ...loop, axis, xs, ys };
}
