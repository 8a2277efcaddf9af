import type { Builder } from "../ir/builder.ts";
import { isNode, type Node } from "../ir/graph.ts";
import { sizeConstant } from "../ir/size.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import { shift, window } from "../op/window.ts";
import type { Session } from "./frame.ts";
import type { TensorValue } from "./value.ts";

/**
 * Past an example's end a recurrence stays where it is: what it would compute there from padding could overflow, and
 * then reach a weight as 0 times infinity. `reserved` stands for the recurrence inside `id`, which is its value. Only
 * recurrences that go forward need it: reads of later positions are outside from the end on.
 */
export function holdPastEnd({ builder, axes }: Session, reserved: TensorValue, id: string): string {
  let held = id;
  let circle: readonly Node[] | undefined;
  for (const { axis, unit } of reserved.visible) {
    const inside = unit ? undefined : axes.inside(axis);
    if (inside === undefined) continue;
    circle ??= between(builder, reserved.id, id);
    if (!goesForward(circle, axis.id)) continue;
    held = make.select(builder, inside, held, move.shift(builder, reserved.id, axis.id, -1));
  }
  return held;
}

/** Whether some read along the axis is of an earlier position, and none of a later one. */
function goesForward(circle: readonly Node[], axis: string): boolean {
  const reaches = circle.flatMap((node) => reachAlong(node, axis));
  return reaches.some(({ low }) => low < 0) && reaches.every(({ high }) => high <= 0);
}

/** How far a read goes along the axis: the least and the greatest offset. A slice ends inside its example by itself. */
function reachAlong(node: Node, axis: string): readonly { readonly low: number; readonly high: number }[] {
  if (isNode(node, shift) && node.attributes.axis === axis) {
    return [{ low: node.attributes.offset, high: node.attributes.offset }];
  }
  if (!isNode(node, window) || node.attributes.axis !== axis) return [];
  const { offset, stride, to } = node.attributes;
  const far = offset + stride * ((sizeConstant(to.size) ?? 2) - 1);
  return [{ low: Math.min(offset, far), high: Math.max(offset, far) }];
}

/** The nodes on the ways from one value to another. */
function between(builder: Builder, from: string, to: string): readonly Node[] {
  const users = new Map<string, Node[]>();
  const needed = new Set<Node>();
  const stack = [to];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    const node = builder.definition(id);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs.map(builder.resolve)) {
      users.set(input, [...(users.get(input) ?? []), node]);
      stack.push(input);
    }
  }
  const reached = new Set<Node>(users.get(from));
  for (const node of reached) {
    for (const output of node.outputs) for (const user of users.get(output.id) ?? []) reached.add(user);
  }
  return [...reached];
}
