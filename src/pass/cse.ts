import type { Graph, Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { sameAxes, unionAxes } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import { mul } from "../op/map.ts";
import { reduce } from "../op/reduce.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import { createDraft, type Draft } from "./draft.ts";
import { createFresh, type Fresh } from "./fresh.ts";
import { callKey, nodeKey } from "./key.ts";
import { closeLoop, type Loop, openLoop, type Passed } from "./loop.ts";
import type { Pass } from "./pass.ts";
import { mapBodies } from "./region.ts";

/**
 * Equal computations are made once: in each region, and between a loop and what stands behind it, where a loop gives what is
 * computed again for all positions. A sum of products becomes a sum of the products where those are known (the gradient of a
 * bias beside that of the weights). Loops take each value in once and give each out once.
 */
export const cse: Pass = (graph, { fresh = createFresh(graph) }) => shareRegion(graph, fresh);

function shareRegion(graph: Graph, fresh: Fresh): Graph {
  const draft = createDraft(graph, { fresh });
  /** Values by the key of their computation. */
  const known = new Map<string, string>();
  for (const node of graph.nodes) {
    const current = mapBodies(draft.current(node), (body) => shareRegion(body, fresh));
    draft.within(node.origin);
    if (isNode(current, scan)) {
      shareLoop(current, known, draft);
      continue;
    }
    const [output] = current.outputs;
    if (output === undefined || current.outputs.length > 1) {
      draft.keep(current);
      continue;
    }
    const key = nodeKey(current);
    const before = known.get(key);
    if (before !== undefined && draft.type(before).dtype === output.type.dtype) {
      draft.replace(current, before);
      continue;
    }
    known.set(key, output.id);
    const product = knownProduct(current, known, draft);
    if (product === undefined || !isNode(current, contract)) draft.keep(current);
    else draft.define(output, reduce, [product], { kind: "sum", axes: current.attributes.over });
  }
  return draft.finish();
}

/** The value a·b of a contraction that makes no larger one of it. */
function knownProduct(node: Node, known: ReadonlyMap<string, string>, draft: Draft): string | undefined {
  if (!isNode(node, contract)) return undefined;
  const product = known.get(callKey(mul.name, node.inputs, {}));
  if (product === undefined) return undefined;
  const { axes } = draft.type(product);
  const shared = node.inputs.every((input) => sameAxes(draft.type(input).axes, axes));
  return shared ? product : undefined;
}

/** Adds a loop, or takes an equal one for it; tells what its ys are in terms of values outside. */
function shareLoop(node: Node<ScanAttributes>, known: Map<string, string>, draft: Draft): void {
  const slim = withoutDoubles(node, draft);
  const key = nodeKey(slim);
  const before = known.get(key);
  const twin = before === undefined ? undefined : draft.definition(before);
  if (twin !== undefined && slim.outputs.every((output) => !draft.isResult(output.id))) {
    slim.outputs.forEach((output, index) => {
      draft.alias(output.id, twin.outputs[index]?.id ?? "");
    });
    return;
  }
  const [first] = slim.outputs;
  if (first !== undefined) known.set(key, first.id);
  draft.keep(slim);
  knowYs(openLoop(slim), known, draft);
}

/** Each const, xs and y once. */
function withoutDoubles(node: Node<ScanAttributes>, draft: Draft): Node<ScanAttributes> {
  const loop = openLoop(node);
  const renamed = new Map<string, string>();
  const once = (passed: readonly Passed[]): readonly Passed[] => {
    const first = new Map<string, string>();
    return passed.filter(({ outside, param }) => {
      const before = first.get(outside);
      if (before === undefined) first.set(outside, param.id);
      else renamed.set(param.id, before);
      return before === undefined;
    });
  };
  const consts = once(loop.consts);
  const xs = once(loop.xs);
  const given = new Map<string, string>();
  const ys = loop.ys.filter(({ inside, output }) => {
    const before = given.get(inside);
    if (before === undefined) given.set(inside, output.id);
    else if (!draft.isResult(output.id)) {
      draft.alias(output.id, before);
      return false;
    }
    return true;
  });
  if (renamed.size === 0) return ys.length === loop.ys.length ? node : closeLoop({ ...loop, ys });
  const name = (id: string): string => renamed.get(id) ?? id;
  return closeLoop({
    ...loop,
    consts,
    xs,
    nodes: loop.nodes.map((inner) => ({ ...inner, inputs: inner.inputs.map(name) })),
    carries: loop.carries.map((carry) => ({ ...carry, next: name(carry.next) })),
    ys: ys.map((y) => ({ ...y, inside: name(y.inside) })),
  });
}

/** Enters the ys that are elementwise in values known outside, as the computation of all positions at once that they are. */
function knowYs(loop: Loop, known: Map<string, string>, draft: Draft): void {
  const outside = new Map<string, string>();
  for (const { outside: id, param } of [...loop.consts, ...loop.xs]) outside.set(param.id, id);
  const ys = new Map(loop.ys.map((y) => [y.inside, y.output.id]));
  for (const node of loop.nodes) {
    const [output] = node.outputs;
    if (output === undefined) continue;
    const y = ys.get(output.id);
    if (y !== undefined) outside.set(output.id, y);
    else if (node.inputs.length === 0) {
      const same = known.get(nodeKey(node));
      if (same !== undefined) outside.set(output.id, same);
    }
    if (y === undefined || node.op.form !== "map") continue;
    const inputs = node.inputs.flatMap((input) => outside.get(input) ?? []);
    if (inputs.length < node.inputs.length) continue;
    const axes = unionAxes(...inputs.map((input) => draft.type(input).axes));
    const key = callKey(node.op.name, inputs, node.attributes);
    if (sameAxes(axes, draft.type(y).axes) && !known.has(key)) known.set(key, y);
  }
}
