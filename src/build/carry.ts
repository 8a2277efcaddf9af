import { orderNodes } from "../ir/builder.ts";
import { circles } from "../ir/circles.ts";
import { definitions, type Graph, isNode, type Node, type Value, valueTypes } from "../ir/graph.ts";
import { constantSize, namedSize, subtractSizes } from "../ir/size.ts";
import { type Type, unionAxes, withoutAxes } from "../ir/type.ts";
import { orelse, select, toInt } from "../op/map.ts";
import { gather } from "../op/move.ts";
import { extent } from "../op/source.ts";
import { prefix, shift, window } from "../op/window.ts";

export interface Carried {
  readonly graph: Graph;
  /** Param ids of the carried states; the results of the same names give them to the next chunk. */
  readonly states: readonly string[];
}

export const FRESH = "fresh";

/**
 * Truncated backpropagation (Williams & Peng 1990): what is read one position back, `h[t-1] else h0`, goes on from what the
 * chunk before left, except where `fresh` is true. The state is a param, so no gradient flows into the chunk before.
 * The last `overlap` positions of a chunk are the first of the next: the state is taken before them.
 */
export function carryStates(graph: Graph, time: string, overlap: number): Carried {
  const reads = backReads(graph, time);
  if (reads.length === 0) return { graph, states: [] };
  const types = valueTypes(graph);
  const typeOf = (id: string): Type => types.get(id) ?? { dtype: "float", axes: [] };
  const params: Value[] = [...graph.params, { id: FRESH, type: { dtype: "bool", axes: [] } }];
  const results = [...graph.results];
  const added = lastPosition(time, overlap);
  const states = new Map<string, string>();
  for (const { source } of reads) {
    if (states.has(source)) continue;
    const { dtype, axes } = typeOf(source);
    const [name, type] = [`carry.${source}`, { dtype, axes: withoutAxes(axes, [time]) }];
    states.set(source, name);
    params.push({ id: name, type });
    added.push(nodeOf(gather, { axis: time }, [source, LAST], `${source}.end`, type));
    results.push({ name, id: `${source}.end` });
  }
  const replaced = new Map<Node, Node>();
  for (const [place, { node, source }] of reads.entries()) {
    const [value, start, mask] = node.inputs;
    const state = states.get(source);
    if (value === undefined || start === undefined || mask === undefined || state === undefined) continue;
    const chosen = `${source}.start.${place}`;
    const { dtype, axes } = typeOf(source);
    const type = { dtype, axes: unionAxes(withoutAxes(axes, [time]), typeOf(start).axes) };
    added.push({ ...nodeOf(select, {}, [FRESH, start, state], chosen, type), origin: node.origin });
    replaced.set(node, { ...node, inputs: [value, chosen, mask] });
  }
  const nodes = [...added, ...graph.nodes.map((node) => replaced.get(node) ?? node)];
  return { graph: { ...graph, params, nodes: orderNodes(nodes, results), results }, states: [...states.values()] };
}

function nodeOf(
  op: typeof select | typeof gather | typeof extent,
  attributes: Node["attributes"],
  inputs: readonly string[],
  id: string,
  type: Type,
): Node {
  return { op: op as Node["op"], attributes, inputs, outputs: [{ id, type }], origin: undefined };
}

const LAST = "carry.last";

function lastPosition(time: string, overlap: number): Node[] {
  const size = subtractSizes(namedSize(time), constantSize(1 + overlap));
  return [
    nodeOf(extent, { size }, [], "carry.count", { dtype: "float", axes: [] }),
    nodeOf(toInt, {}, ["carry.count"], LAST, { dtype: "int", axes: [] }),
  ];
}

/** Reads one position back with an `else` for the first position, and what they read. */
function backReads(graph: Graph, time: string): readonly { readonly node: Node; readonly source: string }[] {
  const defined = definitions(graph);
  return graph.nodes.flatMap((node) => {
    const read = defined.get(node.inputs[0] ?? "");
    const [source] = read?.inputs ?? [];
    return isFirst(node, time) && isBack(read, time) && source !== undefined ? [{ node, source }] : [];
  });
}

/** `... else d` that holds from the second position on. */
export function isFirst(node: Node, time: string): boolean {
  if (!isNode(node, orelse) || node.attributes.ragged) return false;
  const [range, ...more] = node.attributes.ranges;
  return more.length === 0 && range?.axis === time && range.low === 1 && range.high === 0;
}

function isBack(node: Node | undefined, time: string): boolean {
  return isNode(node, shift) && node.attributes.axis === time && node.attributes.offset === -1;
}

/** The recurrences over time: those whose state can be carried, and one that reaches further back, if any. */
export function recurrencesOver(
  graph: Graph,
  time: string,
): { readonly carried: readonly Node[]; readonly further: Node | undefined } {
  const users = usersOf(graph);
  const reads = circles(graph).flatMap((group) => group.filter((node) => readsBack(node, time)));
  const isCarried = (read: Node): boolean =>
    isBack(read, time) &&
    read.outputs.every(({ id }) => (users.get(id) ?? []).every((user) => isFirst(user, time) || isHold(user, id)));
  return { carried: reads.filter(isCarried), further: reads.find((read) => !isCarried(read)) };
}

/** Past an example's end a recurrence is held by reading itself, which no first position does. */
function isHold(user: Node, id: string): boolean {
  return isNode(user, select) && user.inputs[2] === id;
}

function readsBack(node: Node, time: string): boolean {
  if (isNode(node, shift)) return node.attributes.axis === time && node.attributes.offset < 0;
  if (isNode(node, window)) return node.attributes.axis === time && node.attributes.offset < 0;
  return isNode(node, prefix) && node.attributes.axis === time;
}

function usersOf(graph: Graph): ReadonlyMap<string, readonly Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);
  return users;
}
