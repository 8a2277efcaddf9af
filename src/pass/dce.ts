import type { Graph, Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { scan } from "../op/region.ts";
import { createDraft } from "./draft.ts";
import { createFresh, type Fresh } from "./fresh.ts";
import { closeLoop, type Loop, openLoop } from "./loop.ts";
import { isNeeded } from "./order.ts";
import type { Pass } from "./pass.ts";
import { mapBodies } from "./region.ts";

/**
 * Drops nodes, and of loops the consts, carries, xs and ys, that nothing needs; a carry that no step changes becomes a const.
 * Params and results of the graph stay.
 */
export const dce: Pass = (graph, { fresh = createFresh(graph) }) => {
  const fixed = withoutFixedCarries(graph, fresh);
  const nodes = livingNodes(
    fixed.nodes,
    fixed.results.map((result) => result.id),
  );
  return nodes === fixed.nodes ? fixed : { ...fixed, nodes };
};

/** The nodes that `results` need, and of their loops the parts that are needed. */
function livingNodes(nodes: readonly Node[], results: readonly string[]): readonly Node[] {
  const needed = new Set(results);
  const kept: Node[] = [];
  let changed = false;
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    if (!isNeeded(node, needed)) continue;
    const living = isNode(node, scan) ? livingLoop(node, needed) : node;
    changed ||= living !== node;
    for (const input of living.inputs) needed.add(input);
    kept.push(living);
  }
  return changed || kept.length < nodes.length ? kept.reverse() : nodes;
}

function livingLoop(node: Node, needed: ReadonlySet<string>): Node {
  if (!isNode(node, scan)) return node;
  const loop = openLoop(node);
  const ys = loop.ys.filter((y) => needed.has(y.output.id));
  let carries = loop.carries.filter((carry) => needed.has(carry.last.id));
  for (;;) {
    const results = [...carries.map((carry) => carry.next), ...ys.map((y) => y.inside)];
    const nodes = livingNodes(loop.nodes, results);
    const used = new Set([...results, ...nodes.flatMap((inner) => inner.inputs)]);
    const kept = new Set(carries);
    const next = loop.carries.filter((carry) => kept.has(carry) || used.has(carry.param.id));
    if (next.length > carries.length) {
      carries = next;
      continue;
    }
    const consts = loop.consts.filter((passed) => used.has(passed.param.id));
    const xs = loop.xs.filter((passed) => used.has(passed.param.id));
    const parts: Loop = { ...loop, consts, carries, xs, ys, nodes };
    const same =
      nodes === loop.nodes &&
      consts.length === loop.consts.length &&
      carries.length === loop.carries.length &&
      xs.length === loop.xs.length &&
      ys.length === loop.ys.length;
    return same ? node : closeLoop(parts);
  }
}

function withoutFixedCarries(graph: Graph, fresh: Fresh): Graph {
  if (!graph.nodes.some((node) => node.op.form === "region")) return graph;
  const draft = createDraft(graph, { fresh });
  for (const node of graph.nodes) {
    const current = mapBodies(draft.current(node), (body) => withoutFixedCarries(body, fresh));
    if (!isNode(current, scan)) {
      draft.keep(current);
      continue;
    }
    const loop = openLoop(current);
    const isFixed = (carry: Loop["carries"][number]): boolean =>
      carry.next === carry.param.id && !draft.isResult(carry.last.id);
    const fixed = loop.carries.filter(isFixed);
    for (const carry of fixed) draft.alias(carry.last.id, carry.start);
    const consts = [...loop.consts, ...fixed.map(({ start, param }) => ({ outside: start, param }))];
    const carries = loop.carries.filter((carry) => !isFixed(carry));
    draft.keep(fixed.length === 0 ? current : closeLoop({ ...loop, consts, carries }));
  }
  return draft.finish();
}
