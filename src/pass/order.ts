import type { Node } from "../ir/graph.ts";

/** The nodes that `results` need, in the same order; the same array where all are needed. */
export function neededNodes(nodes: readonly Node[], results: Iterable<string>): readonly Node[] {
  const needed = new Set(results);
  const kept: Node[] = [];
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    if (!isNeeded(node, needed)) continue;
    for (const input of node.inputs) needed.add(input);
    kept.push(node);
  }
  return kept.length === nodes.length ? nodes : kept.reverse();
}

/** Whether any output of a node is needed. */
export function isNeeded({ outputs }: Node, needed: ReadonlySet<string>): boolean {
  for (const output of outputs) if (needed.has(output.id)) return true;
  return false;
}

/** Each node behind its inputs, otherwise in the same order; the same array where they are so already. */
export function sortNodes(nodes: readonly Node[]): readonly Node[] {
  const makers = new Map<string, number>();
  nodes.forEach((node, index) => {
    for (const output of node.outputs) makers.set(output.id, index);
  });
  if (isSorted(nodes, makers)) return nodes;
  const state = new Uint8Array(nodes.length);
  const sorted: Node[] = [];
  for (let root = 0; root < nodes.length; root++) {
    if (state[root] !== 0) continue;
    state[root] = 1;
    const stack = [{ index: root, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const node = nodes[top.index]!;
      const input = node.inputs[top.next++];
      if (input === undefined) {
        sorted.push(node);
        stack.pop();
        continue;
      }
      const maker = makers.get(input);
      if (maker === undefined || state[maker] !== 0) continue;
      state[maker] = 1;
      stack.push({ index: maker, next: 0 });
    }
  }
  return sorted;
}

function isSorted(nodes: readonly Node[], makers: ReadonlyMap<string, number>): boolean {
  for (const [index, node] of nodes.entries()) {
    for (const input of node.inputs) if ((makers.get(input) ?? -1) >= index) return false;
  }
  return true;
}

/** How often each value is read by a node or is a result. */
export function countUses(nodes: readonly Node[], results: Iterable<string>): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const node of nodes) for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  for (const id of results) uses.set(id, (uses.get(id) ?? 0) + 1);
  return uses;
}
