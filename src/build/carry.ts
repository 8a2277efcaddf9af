import { orderNodes } from "../ir/builder.ts";
import { components } from "../ir/components.ts";
import { definitions, type Graph, isNode, type Node, type Value, valueTypes } from "../ir/graph.ts";
import { constantSize, namedSize, subtractSizes } from "../ir/size.ts";
import { type Type, withoutAxes } from "../ir/type.ts";
import { orelse, select, toInt } from "../op/map.ts";
import { gather } from "../op/move.ts";
import { extent } from "../op/source.ts";
import { shift } from "../op/window.ts";

export interface Carried {
  readonly graph: Graph;
  /** Param ids of the carried states; the results of the same names give them to the next chunk. */
  readonly states: readonly string[];
}

export const FRESH = "fresh";

/**
 * Truncated backpropagation (Williams & Peng 1990): every recurrence over `time` starts from the state that the chunk
 * before left, except where `fresh` is true. The state is a param, so no gradient flows into the chunk before.
 * The last `overlap` positions of a chunk are the first of the next: the state is taken before them.
 */
export function carryStates(graph: Graph, time: string, overlap: number): Carried {
  const starts = recurrentStarts(graph, time);
  const types = valueTypes(graph);
  const params: Value[] = [...graph.params];
  const added: Node[] = [];
  const replaced = new Map<Node, Node>();
  const results = [...graph.results];
  const states: string[] = [];
  if (starts.length > 0) params.push({ id: FRESH, type: { dtype: "bool", axes: [] } });
  const last = lastPosition(time, overlap, starts.length > 0 ? added : []);
  for (const { node, source } of starts) {
    const type = types.get(source);
    const start = node.inputs[1];
    if (type === undefined || start === undefined) continue;
    const state: Type = { dtype: type.dtype, axes: withoutAxes(type.axes, [time]) };
    const name = `carry.${source}`;
    params.push({ id: name, type: state });
    states.push(name);
    const chosen = `${source}.start`;
    added.push(nodeOf(node, select, {}, [FRESH, start, name], chosen, state));
    added.push(nodeOf(node, gather, { axis: time }, [source, last], `${source}.end`, state));
    results.push({ name, id: `${source}.end` });
    replaced.set(node, { ...node, inputs: node.inputs.map((input, place) => (place === 1 ? chosen : input)) });
  }
  const nodes = [...added, ...graph.nodes.map((node) => replaced.get(node) ?? node)];
  return { graph: { ...graph, params, nodes: orderNodes(nodes, results), results }, states };
}

function nodeOf(
  like: Node,
  op: typeof select | typeof gather,
  attributes: Node["attributes"],
  inputs: readonly string[],
  id: string,
  type: Type,
): Node {
  return { op: op as Node["op"], attributes, inputs, outputs: [{ id, type }], origin: like.origin };
}

function lastPosition(time: string, overlap: number, nodes: Node[]): string {
  const size = subtractSizes(namedSize(time), constantSize(1 + overlap));
  const scalar = (dtype: "float" | "int"): Type => ({ dtype, axes: [] });
  const add = (
    op: Node["op"],
    attributes: Node["attributes"],
    inputs: readonly string[],
    id: string,
    type: Type,
  ): void => {
    nodes.push({ op, attributes, inputs, outputs: [{ id, type }], origin: undefined });
  };
  add(extent as Node["op"], { size }, [], "carry.count", scalar("float"));
  add(toInt as Node["op"], {}, ["carry.count"], "carry.last", scalar("int"));
  return "carry.last";
}

/** The starts of recurrences: `else` behind a read one position back of a value that depends on it. */
function recurrentStarts(graph: Graph, time: string): readonly { readonly node: Node; readonly source: string }[] {
  const defined = definitions(graph);
  const place = new Map(graph.nodes.map((node, index) => [node, index]));
  const group = new Map<Node, number>();
  const found = components(graph.nodes.length, (vertex) =>
    (graph.nodes[vertex]?.inputs ?? []).flatMap((input) => {
      const node = defined.get(input);
      return node === undefined ? [] : [place.get(node) ?? 0];
    }),
  );
  found.forEach((members, number) => {
    for (const member of members) {
      const node = graph.nodes[member];
      if (node !== undefined) group.set(node, number);
    }
  });
  return graph.nodes.flatMap((node) => {
    if (!isNode(node, orelse)) return [];
    const read = defined.get(node.inputs[0] ?? "");
    const source = read?.inputs[0];
    const target = source === undefined ? undefined : defined.get(source);
    const back = isNode(read, shift) && read.attributes.axis === time && read.attributes.offset === -1;
    if (!back || source === undefined || target === undefined || group.get(target) !== group.get(node)) return [];
    return [{ node, source }];
  });
}
