import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { add } from "../op/map.ts";

/** The terms of a sum from left to right, through additions whose values nothing else reads. */
export function termsOf(
  root: Node,
  definition: (id: string) => Node | undefined,
  uses: ReadonlyMap<string, number>,
): readonly string[] {
  const terms: string[] = [];
  const open = root.inputs.toReversed();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = definition(id);
    if (isNode(node, add) && uses.get(id) === 1) open.push(...node.inputs.toReversed());
    else terms.push(id);
  }
  return terms;
}

/** The additions that are not themselves a term of a larger sum. */
export function sumRoots(nodes: readonly Node[], uses: ReadonlyMap<string, number>): ReadonlySet<Node> {
  const inner = new Set<string>();
  for (const node of nodes) {
    if (isNode(node, add)) for (const input of node.inputs) if (uses.get(input) === 1) inner.add(input);
  }
  return new Set(nodes.filter((node) => isNode(node, add) && !inner.has(node.outputs[0]?.id ?? "")));
}
