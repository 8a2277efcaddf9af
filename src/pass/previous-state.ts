import type { Graph, Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { type OrelseAttributes, orelse } from "../op/map.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import { constant } from "../op/source.ts";
import { shift } from "../op/window.ts";
import { createDraft, type Draft } from "./draft.ts";
import { createFresh, type Fresh } from "./fresh.ts";
import { closeLoop, openLoop, stackedType } from "./loop.ts";
import type { Pass } from "./pass.ts";
import { mapBodies } from "./region.ts";
import { behindExpand } from "./values.ts";

/**
 * `h[t-1] else h0` behind a loop over h that starts at h0 is the state as the loop read it: the loop gives it, and nothing shifts
 * and masks a copy of all states. Gradients of recurrent weights read it.
 */
export const previousState: Pass = (graph, { fresh = createFresh(graph) }) => rewrite(graph, fresh);

function rewrite(graph: Graph, fresh: Fresh): Graph {
  const draft = createDraft(graph, { fresh });
  for (const node of graph.nodes) {
    const current = mapBodies(draft.current(node), (body) => rewrite(body, fresh));
    const found = isNode(current, orelse) ? stateBefore(current, draft) : undefined;
    if (found === undefined) draft.keep(current);
    else draft.replace(current, found);
  }
  return draft.finish();
}

function stateBefore(node: Node<OrelseAttributes>, draft: Draft): string | undefined {
  const [value = "", otherwise = ""] = node.inputs;
  const { ranges, ragged } = node.attributes;
  const [range, ...more] = ranges;
  const moved = draft.definition(value);
  if (ragged || range === undefined || more.length > 0 || !isNode(moved, shift)) return undefined;
  const { axis, offset } = moved.attributes;
  const [source = ""] = moved.inputs;
  const maker = draft.definition(source);
  if (!isNode(maker, scan) || maker.attributes.axis.id !== axis || range.axis !== axis) return undefined;
  const [low, high] = maker.attributes.reverse ? [0, 1] : [1, 0];
  if (offset !== high - low || range.low !== low || range.high !== high) return undefined;
  return giveState(maker, source, otherwise, draft);
}

/** The y that is the state before each step, of the carry whose next value `source` is and that starts as `start`. */
function giveState(maker: Node<ScanAttributes>, source: string, start: string, draft: Draft): string | undefined {
  const loop = openLoop(maker);
  const inside = loop.ys.find((y) => y.output.id === source)?.inside;
  const carry = loop.carries.find((candidate) => candidate.next === inside && isSame(candidate.start, start, draft));
  if (inside === undefined || carry === undefined) return undefined;
  const given = loop.ys.find((y) => y.inside === carry.param.id);
  if (given !== undefined) return given.output.id;
  const output = {
    id: draft.fresh.value(`${source}.before`),
    type: stackedType(carry.param.type, loop.axis),
  };
  draft.swap(source, closeLoop({ ...loop, ys: [...loop.ys, { inside: carry.param.id, output }] }));
  return output.id;
}

/** Whether two values are the same but for axes along which they repeat. */
function isSame(a: string, b: string, draft: Draft): boolean {
  const [left, right] = [behindExpand(draft, a), behindExpand(draft, b)];
  if (left.id === right.id) return true;
  return (
    isNode(left.node, constant) &&
    isNode(right.node, constant) &&
    Object.is(left.node.attributes.value, right.node.attributes.value)
  );
}
