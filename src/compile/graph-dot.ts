import type { Graph, Node, Value } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { typeText } from "../ir/print.ts";
import { scan } from "../op/region.ts";
import { constant } from "../op/source.ts";
import { quoted } from "./dot.ts";

/**
 * A graph in the language of Graphviz: a node for each op with the value that it gives, loops as boxes around what runs in them. Dashed
 * edges lead to the next step of a loop. Constants stand in the nodes that read them.
 */
export function graphDot(graph: Graph): string {
  const lines = [
    `digraph ${quoted(graph.name)} {`,
    '  graph [rankdir=TB, nodesep=0.2, ranksep=0.3, bgcolor="transparent", compound=true]',
    '  node [fontname="monospace", fontsize=10, shape=box, style="filled,rounded", fillcolor="#ffffff", color="#64748b", margin="0.1,0.05"]',
    '  edge [color="#64748b", arrowsize=0.6]',
    ...graph.params.map((param) => valueLine(param.id, param.id, param, INPUT)),
    ...bodyLines(graph, ""),
    ...graph.results.map(({ name, id }) => edge(id, `result ${name}`)),
    ...graph.results.map(({ name }) => `  ${quoted(`result ${name}`)} [label=${quoted(name)}, ${RESULT}]`),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

const INPUT = 'shape=oval, fillcolor="#dbeafe"';
const RESULT = 'shape=oval, fillcolor="#dcfce7"';
const STATE = 'shape=oval, style="filled,dashed", fillcolor="#e0e7ff"';

function bodyLines(graph: Graph, place: string): readonly string[] {
  const numbers = new Map(
    graph.nodes.flatMap((node) =>
      isNode(node, constant) ? node.outputs.map(({ id }) => [id, String(node.attributes.value)] as const) : [],
    ),
  );
  return graph.nodes.flatMap((node, at) => {
    if (isNode(node, constant)) return [];
    if (isNode(node, scan)) return loopLines(node, `${place}${at}`, numbers);
    return nodeLines(node, numbers);
  });
}

function nodeLines(node: Node, numbers: ReadonlyMap<string, string>): readonly string[] {
  const [first] = node.outputs;
  if (first === undefined) return [];
  const read = node.inputs.flatMap((id) => numbers.get(id) ?? []);
  const title = [node.op.name, ...read].join(" ");
  return [
    valueLine(first.id, title, first, 'fillcolor="#ffffff"'),
    ...node.outputs.slice(1).map((other) => edge(first.id, other.id)),
    ...node.inputs.filter((id) => !numbers.has(id)).map((id) => edge(id, first.id)),
  ];
}

/** A loop: what it reads leads to its body's params, what its body gives to its outputs. */
function loopLines(
  { attributes, inputs, outputs }: Node<Parameters<typeof scan.infer>[1]>,
  place: string,
  numbers: ReadonlyMap<string, string>,
): readonly string[] {
  const { body, axis, reverse, consts, carries } = attributes;
  const inner = (id: string): string => `${place}/${id}`;
  const renamed: Graph = {
    ...body,
    nodes: body.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(inner),
      outputs: node.outputs.map((output) => ({ ...output, id: inner(output.id) })),
    })),
  };
  const isState = (at: number): boolean => at >= consts && at < consts + carries;
  return [
    `  subgraph ${quoted(`cluster ${place}`)} {`,
    `  label=${quoted(`loop over ${axis.id}${reverse ? ", backwards" : ""}`)}; fontname="monospace"; fontsize=11; color="#94a3b8"; style="rounded,filled"; fillcolor="#f8fafc"`,
    ...body.params.map((param, at) => valueLine(inner(param.id), param.id, param, isState(at) ? STATE : INPUT)),
    ...bodyLines(renamed, `${place}/`),
    "  }",
    ...body.params.flatMap((param, at) => {
      const from = inputs[at];
      return from === undefined || numbers.has(from) ? [] : [edge(from, inner(param.id))];
    }),
    ...body.results.slice(0, carries).flatMap(({ id }, at) => {
      const state = body.params[consts + at];
      return state === undefined ? [] : [`${edge(inner(id), inner(state.id))} [style=dashed, constraint=false]`];
    }),
    ...outputs.flatMap((output, at) => {
      const from = body.results[at];
      const line = valueLine(output.id, at < carries ? "last" : "all steps", output, 'fillcolor="#f1f5f9"');
      return from === undefined ? [line] : [line, edge(inner(from.id), output.id)];
    }),
  ];
}

function valueLine(id: string, title: string, { id: name, type }: Value, style: string): string {
  const shown = name.slice(name.lastIndexOf("/") + 1);
  const label = title === shown ? `${title}\n${typeText(type)}` : `${title}\n${shown}: ${typeText(type)}`;
  return `  ${quoted(id)} [label=${quoted(label).replaceAll("\\l", "\\n")}, ${style}]`;
}

function edge(from: string, to: string): string {
  return `  ${quoted(from)} -> ${quoted(to)}`;
}
