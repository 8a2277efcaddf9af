import { components } from "./components.ts";
import type { Graph, Node } from "./graph.ts";
import { typeText } from "./print.ts";
import { isGraph } from "./rewrite.ts";
import { equalSizes, type Size } from "./size.ts";
import { type Axis, sameAxes, type Type } from "./type.ts";

export interface VerifyOptions {
  /** Whether cycles through delayed reads are allowed (an equation graph) or none are, and nodes follow their inputs. Default: allowed. */
  readonly scheduled?: boolean;
}

/**
 * What is wrong with a graph, one sentence each; none when it is well formed: unique ids, one size an axis, inputs and results that exist,
 * types that the ops infer, and no cycle but through a delayed read. Bodies of regions are scheduled graphs; their sentences
 * start with the body's name.
 */
export function verify(graph: Graph, options: VerifyOptions = {}): readonly string[] {
  const problems: string[] = [];
  const types = new Map<string, Type>();
  for (const value of [...graph.params, ...graph.nodes.flatMap((node) => node.outputs)]) {
    if (types.has(value.id)) problems.push(`%${value.id} is defined twice`);
    types.set(value.id, value.type);
  }
  problems.push(...verifyAxes(types));
  for (const node of graph.nodes) problems.push(...verifyNode(node, types));
  for (const result of graph.results) {
    if (!types.has(result.id)) problems.push(`the result ${result.name} is %${result.id}, which is not defined`);
  }
  problems.push(...(options.scheduled ? verifyOrder(graph, types) : verifyCycles(graph, types)));
  for (const node of graph.nodes)
    for (const body of Object.values(node.attributes)) {
      if (isGraph(body)) problems.push(...verify(body, { scheduled: true }).map((text) => `in ${body.name}: ${text}`));
    }
  return problems;
}

function verifyAxes(types: ReadonlyMap<string, Type>): readonly string[] {
  const sizes = new Map<string, { readonly size: Size; readonly value: string }>();
  const problems: string[] = [];
  for (const [value, type] of types) {
    const repeated = type.axes.find((axis, index) => type.axes.findIndex((other) => other.id === axis.id) < index);
    if (repeated !== undefined) problems.push(`%${value} has the axis ${repeated.id} twice`);
    for (const { id, size } of type.axes) {
      const before = sizes.get(id);
      if (before !== undefined && !equalSizes(before.size, size)) {
        problems.push(`axis ${id} is ${before.size.text} in %${before.value} and ${size.text} in %${value}`);
      }
      if (before === undefined) sizes.set(id, { size, value });
    }
  }
  return problems;
}

function verifyNode(node: Node, types: ReadonlyMap<string, Type>): readonly string[] {
  const missing = node.inputs.filter((id) => !types.has(id));
  if (missing.length > 0) return missing.map((id) => `${describe(node)} needs %${id}, which is not defined`);
  const inputs = node.inputs.flatMap((id) => types.get(id) ?? []);
  const inferred = node.op.infer(inputs, node.attributes);
  if (typeof inferred === "string") return [`${describe(node)}: ${inferred}`];
  if (inferred.length !== node.outputs.length) {
    return [`${describe(node)} has ${node.outputs.length} outputs, the op gives ${inferred.length}`];
  }
  return node.outputs.flatMap((output, index) => {
    const type = inferred[index];
    return type === undefined || equalTypes(type, output.type)
      ? []
      : [`%${output.id} is ${typeText(output.type)}, the op ${node.op.name} gives ${typeText(type)}`];
  });
}

function describe(node: Node): string {
  return `${node.outputs.map((output) => `%${output.id}`).join(", ")} = ${node.op.name}`;
}

function equalTypes(a: Type, b: Type): boolean {
  const sized = (axis: Axis) => b.axes.some((other) => other.id === axis.id && equalSizes(other.size, axis.size));
  return a.dtype === b.dtype && sameAxes(a.axes, b.axes) && a.axes.every(sized);
}

function verifyOrder(graph: Graph, types: ReadonlyMap<string, Type>): readonly string[] {
  const known = new Set(graph.params.map((param) => param.id));
  const problems: string[] = [];
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (!known.has(input) && types.has(input))
        problems.push(`${describe(node)} needs %${input} before it is computed`);
    }
    for (const output of node.outputs) known.add(output.id);
  }
  return problems;
}

/** Cycles that no delayed read closes. */
function verifyCycles(graph: Graph, types: ReadonlyMap<string, Type>): readonly string[] {
  const maker = new Map(
    graph.nodes.flatMap((node, index) => node.outputs.map((output) => [output.id, index] as const)),
  );
  const undelayed = graph.nodes.map((node) =>
    node.inputs.flatMap((id, input) => (isDelayed(node, input, types.get(id)) ? [] : (maker.get(id) ?? []))),
  );
  return components(graph.nodes.length, (vertex) => undelayed[vertex] ?? [])
    .filter((group) => group.length > 1 || undelayed[group[0] ?? -1]?.includes(group[0] ?? -1))
    .map((group) => {
      const names = group.map((index) => `%${graph.nodes[index]?.outputs[0]?.id}`).sort();
      return `${names.join(", ")} need one another with no delayed read between them`;
    });
}

/** Whether a node reads an input at other positions than its own on some axis, and not at all of them. */
function isDelayed(node: Node, input: number, type: Type | undefined): boolean {
  if (type === undefined) return false;
  const axes = new Set([...type.axes, ...node.outputs.flatMap((output) => output.type.axes)].map((axis) => axis.id));
  return [...axes].some((axis) => {
    const { kind } = node.op.reads(node, input, axis, type);
    return kind !== "same" && kind !== "all";
  });
}
