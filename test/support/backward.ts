import type { Builder } from "../../src/ir/builder.ts";
import type { Node } from "../../src/ir/graph.ts";
import { withoutAxes } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import { expand } from "../../src/op/make_move.ts";
import { sumOver } from "../../src/op/make_sum.ts";

/**
 * Gradients of a scalar in a graph without cycles, as the ops' vjps give them, each with exactly the axes of what it belongs
 * to. For testing ops alone; the compiler's own differentiation is in src/grad.
 */
export function backward(b: Builder, loss: string, wrt: readonly string[]): readonly string[] {
  const cotangents = new Map([[loss, make.num(b, 1)]]);
  for (const node of [...inOrder(b, loss)].reverse()) {
    const given = node.outputs.map((output) => cotangents.get(output.id));
    if (given.every((id) => id === undefined)) continue;
    const contributions = contributionsOf(b, node, given);
    node.inputs.forEach((input, index) => {
      const contribution = contributions[index];
      if (contribution === undefined) return;
      const before = cotangents.get(input);
      cotangents.set(input, before === undefined ? contribution : make.add(b, before, contribution));
    });
  }
  return wrt.map((id) => expand(b, cotangents.get(id) ?? make.num(b, 0), b.type(id).axes));
}

/** What one node's vjp gives, summed over axes that the inputs lack. */
export function contributionsOf(
  b: Builder,
  node: Node,
  cotangents: readonly (string | undefined)[],
): readonly (string | undefined)[] {
  if (node.op.vjp === undefined) throw new Error(`${node.op.name} has no derivative`);
  return node.op.vjp({ builder: b, node, cotangents }).map((contribution, index) => {
    if (contribution === undefined) return undefined;
    const own = b.type(node.inputs[index] ?? "").axes.map((axis) => axis.id);
    return sumOver(b, contribution, withoutAxes(b.type(contribution).axes, own));
  });
}

function inOrder(b: Builder, end: string): ReadonlySet<Node> {
  const seen = new Set<Node>();
  const visit = (id: string): void => {
    const node = b.definition(id);
    if (node === undefined || seen.has(node)) return;
    for (const input of node.inputs) visit(input);
    seen.add(node);
  };
  visit(end);
  return seen;
}
