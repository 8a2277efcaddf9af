import { orderNodes } from "../ir/builder.ts";
import { type Attributes, type Graph, isNode, type Node, valueTypes } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { expand, gather } from "../op/move.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import { iota } from "../op/source.ts";

/** How the loop of a beam search is marked: results of the graph that say what the beams of a step are. */
export interface BeamMarks {
  readonly beam: Axis;
  /** int: the beam before that each goes on from. */
  readonly parent: string;
  /** Values that have the new order already, beside all that is computed from them. */
  readonly ordered: readonly string[];
}

/**
 * Puts the values of a beam search in order. In a step, what is computed before the choice belongs to the beams before it: where it
 * meets the choice, and where it is kept for the next step (states, caches), it is read at the parent. After the loop everything is
 * traced back from its end, so that each beam is one sequence. Takes the marks away.
 */
export function reorderBeams(graph: Graph, { beam, parent, ordered }: BeamMarks): Graph {
  const marked = (name: string): string => graph.results.find((result) => result.name === name)?.id ?? "";
  const loop = graph.nodes.find((node) => node.outputs.some(({ id }) => id === marked(parent)));
  if (loop === undefined || !isNode(loop, scan)) throw new Error("internal: a beam search without a loop");
  const { body, carries } = loop.attributes;
  const inBody = (name: string): string =>
    body.results[loop.outputs.findIndex(({ id }) => id === marked(name))]?.id ?? "";
  const roots = new Set([parent, ...ordered].map(inBody));
  const after = descendants(body, roots);
  const inner = withParents(body, { beam, parent: inBody(parent), roots, after, carries });
  const ordering = loop.outputs.slice(carries).map(({ type }, at) => {
    const id = body.results[carries + at]?.id ?? "";
    return hasAxis(type, beam.id) ? (after.has(id) ? ("after" as const) : ("before" as const)) : undefined;
  });
  const done: Node = { ...loop, attributes: { ...loop.attributes, body: inner } } as Node;
  const trace = traceBack(loop, beam, marked(parent));
  const renamed = new Map<string, string>();
  const put: Node[] = [];
  loop.outputs.slice(carries).forEach(({ id }, at) => {
    const order = ordering[at];
    if (order === undefined) return;
    const value = loop.outputs[carries + at];
    if (value === undefined) return;
    put.push(nodeOf(gather, { axis: beam.id }, [{ id, type: value.type }, trace[order]], `${id}.traced`));
    renamed.set(id, `${id}.traced`);
  });
  const find = (id: string): string => renamed.get(id) ?? id;
  const others = graph.nodes.flatMap((node) => (node === loop ? [] : [{ ...node, inputs: node.inputs.map(find) }]));
  const marks = new Set([parent, ...ordered]);
  const results = graph.results.filter(({ name }) => !marks.has(name)).map(({ name, id }) => ({ name, id: find(id) }));
  return { ...graph, nodes: orderNodes([done, ...trace.nodes, ...put, ...others], results), results };
}

/** All values that are computed from some, those among them. */
function descendants({ nodes }: Graph, roots: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(roots);
  for (const node of nodes) {
    if (node.inputs.some((id) => found.has(id))) for (const { id } of node.outputs) found.add(id);
  }
  return found;
}

/** All values that one is computed from. */
function ancestors({ nodes }: Graph, of: string): ReadonlySet<string> {
  const found = new Set([of]);
  for (const node of nodes.toReversed()) {
    if (node.outputs.some(({ id }) => found.has(id))) for (const id of node.inputs) found.add(id);
  }
  return found;
}

interface Step {
  readonly beam: Axis;
  readonly parent: string;
  readonly roots: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
  readonly carries: number;
}

/** The step with every value of before the choice read at its parent, where it meets the choice or is kept. */
function withParents(body: Graph, { beam, parent, roots, after, carries }: Step): Graph {
  const types = valueTypes(body);
  const added = new Map<string, Node>();
  const atParent = (id: string): string => {
    const type = types.get(id);
    const index = types.get(parent);
    if (type === undefined || index === undefined || after.has(id) || !hasAxis(type, beam.id)) return id;
    const name = `${id}.kept`;
    const values = [
      { id, type },
      { id: parent, type: index },
    ];
    if (!added.has(name)) added.set(name, nodeOf(gather, { axis: beam.id }, values, name));
    return name;
  };
  const choosing = ancestors(body, parent);
  const nodes = body.nodes.map((node) => {
    const isAfter = node.outputs.some(({ id }) => after.has(id) && !roots.has(id) && !choosing.has(id));
    return isAfter ? { ...node, inputs: node.inputs.map(atParent) } : node;
  });
  const results = body.results.map((result, at) => (at < carries ? { ...result, id: atParent(result.id) } : result));
  return { ...body, nodes: orderNodes([...nodes, ...added.values()], results), results };
}

/** At every step, which of its beams the sequences come through: after its choice, and before it. */
function traceBack(loop: Node<ScanAttributes>, beam: Axis, parents: string) {
  const { axis } = loop.attributes;
  const type = loop.outputs.find(({ id }) => id === parents)?.type;
  if (type === undefined) throw new Error("internal: parents are no output of the loop");
  const entry: Type = { dtype: "int", axes: type.axes.filter(({ id }) => id !== axis.id) };
  const carry = { id: "beam.through", type: entry };
  const from = { id: "beam.from", type: entry };
  const before = nodeOf(gather, { axis: beam.id }, [from, carry], "beam.before");
  const body: Graph = {
    name: "trace",
    params: [carry, from],
    nodes: [before],
    results: [
      { name: "next", id: "beam.before" },
      { name: "after", id: "beam.through" },
      { name: "before", id: "beam.before" },
    ],
  };
  const wide = expandTo(nodeOf(iota, { axis: beam }, [], "beam.last"), entry);
  const traced = nodeOf(
    scan,
    { axis, reverse: true, consts: 0, carries: 1, xs: 1, body },
    [
      { id: wide.at(-1)?.outputs[0]?.id ?? "", type: entry },
      { id: parents, type },
    ],
    "beam.trace",
    ["beam.trace", "beam.trace.after", "beam.trace.before"],
  );
  const [, afterChoice, beforeChoice] = traced.outputs;
  if (afterChoice === undefined || beforeChoice === undefined) throw new Error("internal: a trace without results");
  return { nodes: [...wide, traced], after: afterChoice, before: beforeChoice };
}

/** The beams' own numbers, for every example. */
function expandTo(start: Node, type: Type): readonly Node[] {
  const [value] = start.outputs;
  const missing = type.axes.filter(({ id }) => !start.outputs.some((output) => hasAxis(output.type, id)));
  if (value === undefined || missing.length === 0) return [start];
  return [start, nodeOf(expand, { axes: missing }, [value], "beam.each")];
}

function nodeOf<A extends Attributes>(
  op: Op<A>,
  attributes: A,
  inputs: readonly { readonly id: string; readonly type: Type }[],
  name: string,
  names: readonly string[] = [name],
): Node {
  const types = op.infer(
    inputs.map(({ type }) => type),
    attributes,
  );
  if (typeof types === "string") throw new Error(`internal: ${op.name} in a beam search: ${types}`);
  const outputs = types.map((type, at) => ({ id: names[at] ?? name, type }));
  return { op: op as Node["op"], attributes, inputs: inputs.map(({ id }) => id), outputs, origin: undefined };
}
