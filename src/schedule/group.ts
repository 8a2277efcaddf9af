import { components } from "../ir/components.ts";
import type { Node } from "../ir/graph.ts";
import type { Type } from "../ir/type.ts";
import { hasAxis } from "../ir/type.ts";

/** The equations of one circle: a strongly connected component of the graph. */
export interface Group {
  readonly nodes: readonly Node[];
  /** The member that defines a value; undefined for values from outside. */
  readonly definitions: ReadonlyMap<string, Node>;
  /** Reads of members by members. */
  readonly edges: readonly Edge[];
}

export interface Edge {
  readonly node: Node;
  /** Which of the node's inputs. */
  readonly input: number;
  readonly id: string;
  readonly type: Type;
  readonly source: Node;
}

export function createGroup(nodes: readonly Node[]): Group {
  const definitions = definedBy(nodes);
  const edges: Edge[] = [];
  for (const node of nodes) {
    for (const [input, id] of node.inputs.entries()) {
      const source = definitions.get(id);
      const type = source?.outputs.find((output) => output.id === id)?.type;
      if (source !== undefined && type !== undefined) edges.push({ node, input, id, type, source });
    }
  }
  return { nodes, definitions, edges };
}

/** The components of a graph's nodes, each after those that it needs, and whether a node of it needs itself. */
export function findGroups(nodes: readonly Node[]): readonly { nodes: readonly Node[]; cyclic: boolean }[] {
  const definitions = definedBy(nodes);
  const sources = (node: Node): readonly Node[] => node.inputs.flatMap((input) => definitions.get(input) ?? []);
  return groupsAlong(nodes, sources).map((members) => ({
    nodes: members,
    cyclic: members.length > 1 || members.some((node) => sources(node).includes(node)),
  }));
}

function definedBy(nodes: readonly Node[]): ReadonlyMap<string, Node> {
  const map = new Map<string, Node>();
  for (const node of nodes) for (const output of node.outputs) map.set(output.id, node);
  return map;
}

/** Whether every circle of the group goes through an edge that `cut` holds for. */
export function cutsEveryCircle(group: Group, cut: (edge: Edge) => boolean): boolean {
  const kept = new Map<Node, Node[]>(group.nodes.map((node) => [node, []]));
  for (const edge of group.edges) {
    if (cut(edge)) continue;
    if (edge.node === edge.source) return false;
    kept.get(edge.node)?.push(edge.source);
  }
  return groupsAlong(group.nodes, (node) => kept.get(node) ?? []).every((members) => members.length === 1);
}

function groupsAlong(
  nodes: readonly Node[],
  dependencies: (node: Node) => readonly Node[],
): readonly (readonly Node[])[] {
  const indices = new Map(nodes.map((node, index) => [node, index]));
  const found = components(nodes.length, (vertex) => {
    const node = nodes[vertex];
    return node === undefined ? [] : dependencies(node).flatMap((source) => indices.get(source) ?? []);
  });
  return found.map((members) => members.flatMap((index) => nodes[index] ?? []));
}

/** A shortest circle through the edges for which `allowed` holds, each node after the one that needs it; undefined if there is none. */
export function shortestCircle(group: Group, allowed: (edge: Edge) => boolean): readonly Node[] | undefined {
  const next = new Map<Node, Node[]>(group.nodes.map((node) => [node, []]));
  for (const edge of group.edges) if (allowed(edge)) next.get(edge.node)?.push(edge.source);
  let shortest: readonly Node[] | undefined;
  for (const start of group.nodes.slice(0, STARTS)) {
    const circle = circleFrom(start, next);
    if (circle !== undefined && (shortest === undefined || circle.length < shortest.length)) shortest = circle;
  }
  return (
    shortest ??
    group.nodes
      .slice(STARTS)
      .reduce<readonly Node[] | undefined>((found, start) => found ?? circleFrom(start, next), undefined)
  );
}

/** A shortest circle through an edge, each node after the one that needs it. */
export function circleThrough(group: Group, edge: Edge): readonly Node[] {
  const next = new Map<Node, Node[]>(group.nodes.map((node) => [node, []]));
  for (const other of group.edges) next.get(other.node)?.push(other.source);
  if (edge.source === edge.node) return [edge.node];
  const rest = pathBetween(edge.source, edge.node, next) ?? [];
  return [edge.node, ...rest.slice(0, -1)];
}

/** From how many nodes a shortest circle is looked for: enough for every circle that a person wrote, few enough for any size. */
const STARTS = 64;

function circleFrom(start: Node, next: ReadonlyMap<Node, readonly Node[]>): readonly Node[] | undefined {
  return pathBetween(start, start, next)?.slice(0, -1);
}

/** From `start` to `end`, both included, by at least one step. */
function pathBetween(start: Node, end: Node, next: ReadonlyMap<Node, readonly Node[]>): readonly Node[] | undefined {
  const before = new Map<Node, Node>();
  let front: readonly Node[] = [start];
  while (front.length > 0) {
    const following: Node[] = [];
    for (const node of front) {
      for (const source of next.get(node) ?? []) {
        if (source === end) return [...pathTo(start, node, before), end];
        if (source === start || before.has(source)) continue;
        before.set(source, node);
        following.push(source);
      }
    }
    front = following;
  }
  return undefined;
}

function pathTo(start: Node, end: Node, before: ReadonlyMap<Node, Node>): readonly Node[] {
  const path: Node[] = [end];
  for (let node = end; node !== start; ) {
    const previous = before.get(node);
    if (previous === undefined) break;
    path.push(previous);
    node = previous;
  }
  return path.reverse();
}

/** Whether the node's values lack an axis. */
export function lacks(node: Node, axis: string): boolean {
  return node.outputs.every((output) => !hasAxis(output.type, axis));
}
