import type { Graph, Node, Origin } from "../../ir/graph.ts";
import { isNode } from "../../ir/graph.ts";
import { scan } from "../../op/region.ts";
import { OPS } from "../../op/table.ts";
import { identifier } from "./names.ts";
import type { CodeOrigin } from "./program.ts";
import type { Label } from "./scope.ts";

/** Names for variables and equations for comments. */
export interface Labels {
  /** The equation that a node belongs to, and whether it is the equation's gradient. */
  originOf(node: Node): CodeOrigin | undefined;
  /** What a node's value is called; undefined where only its op could be said. */
  labelOf(node: Node): Label | undefined;
  /** A name for value `id`, which `node` defines. */
  nameOf(id: string, node: Node | undefined): string;
}

const OP_NAMES: ReadonlySet<string> = new Set([...OPS.map((op) => op.name), "c"]);

/** Whether an id says no more than the op, perhaps with what schedule and gradient put around it. */
function isGeneric(id: string): boolean {
  return OP_NAMES.has(id.replace(/^(d[_.])+/, "").replace(/([_.]\d+|[_.](in|before|last|start|end))+$/, ""));
}

/** What depends on the result `loss` is its gradient, or what comes of it. */
export function createLabels(graph: Graph): Labels {
  const primal = primalNodes(graph);
  const equations = new Set([...primal].flatMap((node) => node.origin?.name ?? []));
  const values = equationValues(graph, primal);
  const isGradient = (node: Node): boolean =>
    !primal.has(node) && node.origin !== undefined && equations.has(node.origin.name);
  const nameOf = (id: string, node: Node | undefined): string => {
    if (!isGeneric(id)) return identifier(id);
    const { origin } = node ?? {};
    if (origin === undefined || node === undefined) return identifier(id);
    return `${isGradient(node) ? "d_" : ""}${identifier(origin.name)}`;
  };
  return {
    originOf: (node) => originOf(node.origin, isGradient(node)),
    labelOf: (node) => {
      const id = node.outputs[0]?.id ?? "";
      if (isGeneric(id) && node.origin === undefined) return undefined;
      const isValue = !isGradient(node) && (!isGeneric(id) || values.has(id));
      return { name: nameOf(id, node), temporary: !isValue };
    },
    nameOf,
  };
}

function originOf(origin: Origin | undefined, gradient: boolean): CodeOrigin | undefined {
  return origin === undefined ? undefined : { ...origin, gradient };
}

/** All nodes that the result `loss` needs, bodies of loops included; all nodes of a graph without one. */
function primalNodes(graph: Graph): ReadonlySet<Node> {
  const loss = graph.results.find((result) => result.name === "loss");
  const isTraining = graph.results.some((result) => /^(weight|gradient|slot)\./.test(result.name));
  const found = new Set<Node>();
  if (loss === undefined || !isTraining) {
    for (const node of graph.nodes) addDeep(found, node);
    return found;
  }
  const needed = new Set([loss.id]);
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output.id))) continue;
    addDeep(found, node);
    for (const input of node.inputs) needed.add(input);
  }
  return found;
}

function addDeep(found: Set<Node>, node: Node): void {
  found.add(node);
  if (isNode(node, scan)) for (const inner of node.attributes.body.nodes) addDeep(found, inner);
}

/** The value of each equation: the last of its primal nodes that another equation reads, or that the graph gives. */
function equationValues(graph: Graph, primal: ReadonlySet<Node>): ReadonlySet<string> {
  const last = new Map<string, string>();
  const walk = (inner: Graph): void => {
    const given = givenAway(inner);
    for (const node of inner.nodes) {
      const id = node.outputs[0]?.id;
      if (node.origin !== undefined && id !== undefined && primal.has(node) && given.has(id))
        last.set(node.origin.name, id);
      if (isNode(node, scan)) walk(node.attributes.body);
    }
  };
  walk(graph);
  return new Set(last.values());
}

function givenAway(graph: Graph): ReadonlySet<string> {
  const origins = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output.id, node.origin?.name] as const)),
  );
  const given = new Set(graph.results.map((result) => result.id));
  for (const node of graph.nodes)
    for (const input of node.inputs) if (origins.get(input) !== node.origin?.name) given.add(input);
  return given;
}
