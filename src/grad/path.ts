import type { Builder } from "../ir/builder.ts";
import { components } from "../ir/components.ts";
import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { stopGradient } from "../op/map.ts";

/** What a derivative passes through. Ids are resolved ones. */
export interface Path {
  /** The values that depend on what is differentiated by, with a derivative. */
  readonly active: ReadonlySet<string>;
  /**
   * Nodes between the loss and those values. Each group comes after those that it needs; a group of several nodes is a cycle,
   * and in it a node comes after what it needs at the same position.
   */
  readonly groups: readonly (readonly Node[])[];
  /** Nodes on the way without a derivative. */
  readonly obstacles: readonly Node[];
}

/** Only what lies on a path from `wrt` to `loss` gets a cotangent. */
export function findPath(builder: Builder, loss: string, wrt: readonly string[]): Path {
  const nodes = reachable(builder, loss);
  const active = findActive(builder, nodes, wrt);
  const onPath = nodes.filter(
    (node) =>
      node.outputs.some((output) => active.has(output.id)) &&
      node.inputs.some((input) => active.has(builder.resolve(input))),
  );
  const needs = (node: Node): readonly Node[] =>
    node.inputs.flatMap((input) => {
      const id = builder.resolve(input);
      return active.has(id) ? (builder.definition(id) ?? []) : [];
    });
  const groups = inOrder(onPath, needs).map((group) =>
    // Reads at other positions do not hold at the same position: without them a cycle has an order.
    group.length === 1 ? group : inOrder(group, (node) => (node.op.form === "window" ? [] : needs(node))).flat(),
  );
  return { active, groups, obstacles: onPath.filter((node) => node.op.vjp === undefined) };
}

/** Those of `wrt` that a value needs as numbers that vary. */
export function variedInputs(builder: Builder, loss: string, wrt: readonly string[]): ReadonlySet<string> {
  const read = new Set([loss, ...reachable(builder, loss).flatMap((node) => node.inputs.map(builder.resolve))]);
  return new Set(wrt.filter((id) => read.has(builder.resolve(id))));
}

function inOrder(nodes: readonly Node[], needs: (node: Node) => readonly Node[]): readonly (readonly Node[])[] {
  const indices = new Map(nodes.map((node, index) => [node, index]));
  const edges = nodes.map((node) => needs(node).flatMap((source) => indices.get(source) ?? []));
  const found = components(nodes.length, (index) => edges[index] ?? []);
  return found.map((group) => group.flatMap((index) => nodes[index] ?? []));
}

/** The nodes that a value needs as a number that varies: nothing behind a choice, an integer or a stopped gradient. */
function reachable(builder: Builder, loss: string): readonly Node[] {
  const seen = new Set<Node>();
  const stack = [loss];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    const node = builder.definition(id);
    if (node === undefined || seen.has(node)) continue;
    if (isNode(node, stopGradient) || node.outputs.every((output) => output.type.dtype !== "float")) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return [...seen];
}

function findActive(builder: Builder, nodes: readonly Node[], wrt: readonly string[]): ReadonlySet<string> {
  const users = new Map<string, Node[]>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs.map(builder.resolve))) {
      const list = users.get(input);
      if (list === undefined) users.set(input, [node]);
      else list.push(node);
    }
  }
  const active = new Set(wrt.filter((id) => builder.type(id).dtype === "float"));
  const queue = [...active];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const output of (users.get(id) ?? []).flatMap((user) => user.outputs)) {
      if (output.type.dtype !== "float" || active.has(output.id)) continue;
      active.add(output.id);
      queue.push(output.id);
    }
  }
  return active;
}
