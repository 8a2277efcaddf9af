import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { add } from "../op/map.ts";
import { scan } from "../op/region.ts";
import { createDraft, type Draft, type Tools, toolsOf } from "./draft.ts";
import { closeLoop, type Loop, openLoop, type Passed, withBody } from "./loop.ts";
import { countUses, neededNodes } from "./order.ts";
import type { Pass } from "./pass.ts";

/**
 * In a sum, the terms that do not depend on a loop's state are added first, before the loop and for all steps at once:
 * a bias joins the product of the inputs. Sums of floats round differently then.
 */
export const hoistTerms: Pass = (graph, options) => hoistRegion(graph, toolsOf(graph, options));

function hoistRegion(graph: Graph, tools: Tools): Graph {
  if (!graph.nodes.some((node) => isNode(node, scan))) return graph;
  const draft = createDraft(graph, tools);
  for (const node of graph.nodes) draft.keep(isNode(node, scan) ? hoistLoop(node, draft) : node);
  return draft.finish();
}

function hoistLoop(node: Node, draft: Draft): Node {
  if (!isNode(node, scan)) return node;
  const opened = openLoop(node);
  const inner = hoistRegion(node.attributes.body, draft);
  const loop = inner === node.attributes.body ? opened : withBody(opened, inner);
  const hoisted = hoistSums(loop, draft);
  return hoisted === opened ? node : closeLoop(hoisted);
}

/** (x + v) + y = (x + y) + v where x and y are known before the loop and v is not: x + y is made outside. */
function hoistSums(loop: Loop, draft: Draft): Loop {
  const passed = new Map([...loop.consts, ...loop.xs].map((entry) => [entry.param.id, entry]));
  const isX = new Set(loop.xs.map((x) => x.param.id));
  const results = [...loop.carries.map((carry) => carry.next), ...loop.ys.map((y) => y.inside)];
  const uses = countUses(loop.nodes, results);
  const defined = new Map(loop.nodes.flatMap((node) => node.outputs.map((output) => [output.id, node] as const)));
  const made = new Map<string, Passed>();
  const replaced = new Map<Node, Node>();
  for (const node of loop.nodes) {
    if (!isNode(node, add)) continue;
    const split = sumOfThree(node, passed, defined, uses);
    if (split === undefined) continue;
    const { x, y, rest } = split;
    const before = made.get(`${x.param.id},${y.param.id}`);
    const sum = before ?? sumOutside(x, y, node, draft);
    if (sum === undefined) continue;
    draft.note("hoist-terms", [node], loop.axis.id);
    made.set(`${x.param.id},${y.param.id}`, sum);
    const changed: Node = { ...node, inputs: [sum.param.id, rest] };
    replaced.set(node, changed);
    passed.set(sum.param.id, sum);
    if (isX.has(x.param.id) || isX.has(y.param.id)) isX.add(sum.param.id);
    for (const output of node.outputs) defined.set(output.id, changed);
  }
  if (made.size === 0) return loop;
  const sums = [...made.values()];
  return {
    ...loop,
    consts: [...loop.consts, ...sums.filter((sum) => !isX.has(sum.param.id))],
    xs: [...loop.xs, ...sums.filter((sum) => isX.has(sum.param.id))],
    nodes: neededNodes(
      loop.nodes.map((node) => replaced.get(node) ?? node),
      results,
    ),
  };
}

interface ThreeTerms {
  readonly x: Passed;
  readonly y: Passed;
  readonly rest: string;
}

function sumOfThree(
  node: Node,
  passed: ReadonlyMap<string, Passed>,
  defined: ReadonlyMap<string, Node>,
  uses: ReadonlyMap<string, number>,
): ThreeTerms | undefined {
  for (const [inner = "", term = ""] of [node.inputs, node.inputs.toReversed()]) {
    const y = passed.get(term);
    const sum = defined.get(inner);
    if (y === undefined || !isNode(sum, add) || uses.get(inner) !== 1) continue;
    for (const [first = "", rest = ""] of [sum.inputs, sum.inputs.toReversed()]) {
      const x = passed.get(first);
      if (x !== undefined && !passed.has(rest)) return { x, y, rest };
    }
  }
  return undefined;
}

/** x + y for all steps; undefined where it would be larger than the larger of them. */
function sumOutside(x: Passed, y: Passed, node: Node, draft: Draft): Passed | undefined {
  const type = add.infer([x.param.type, y.param.type], {});
  const [inside] = typeof type === "string" ? [] : type;
  if (inside === undefined) return undefined;
  if (![x, y].some((term) => term.param.type.axes.length === inside.axes.length)) return undefined;
  draft.within(node.origin);
  const outside = draft.add(add, [x.outside, y.outside], {}, node.outputs[0]?.id);
  const id = draft.fresh.value(`${node.outputs[0]?.id}.first`);
  return { outside, param: { id, type: inside } };
}
