import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { orelse } from "../op/map.ts";
import { rename } from "../op/move.ts";
import { prefix, shift, suffix, window } from "../op/window.ts";
import { isPartRead } from "./align.ts";
import type { Group } from "./group.ts";
import { lacks } from "./group.ts";

/** How the values of a group that are needed outside of its loop get there. */
export interface Outside {
  /** The loop gives these at every position. */
  readonly ys: readonly string[];
  /** These are computed once more, behind the loop and for all positions at once, each after those that it needs. */
  readonly again: readonly Node[];
}

/**
 * Delayed reads are made again from what they read, and renamed values from what they rename. So is what has no axis to loop over (`k[:t]` laid out whole), and what has
 * the axis of such a part: in the loop, positions that are still to come hold nothing yet, which is masked there but must not
 * meet a derivative.
 */
export function findOutside(group: Group, axisOf: ReadonlyMap<Node, string>, wanted: readonly string[]): Outside {
  const isAgain = againRule(group, axisOf);
  const given = new Set<Node>();
  for (;;) {
    const found = follow(group, wanted, (node) => isAgain(node) && !given.has(node));
    if (found.circle === undefined) return found;
    // A circle of such values needs one that the loop gives.
    const fixed = found.circle.find((node) => !lacks(node, axisOf.get(node) ?? ""));
    if (fixed === undefined) throw new Error("internal: a circle without an axis to loop over");
    given.add(fixed);
  }
}

function againRule(group: Group, axisOf: ReadonlyMap<Node, string>): (node: Node) => boolean {
  const along = (node: Node): boolean => node.attributes.axis === axisOf.get(node);
  const parts = new Set(
    group.nodes.flatMap((node) =>
      (isNode(node, prefix) || isNode(node, suffix)) && along(node) ? [node.attributes.to.id] : [],
    ),
  );
  const isRead = (node: Node): boolean =>
    (isNode(node, shift) || isNode(node, window) || isPartRead(node)) && along(node);
  return (node) => {
    if (isRead(node) || isNode(node, rename) || lacks(node, axisOf.get(node) ?? "")) return true;
    if (node.outputs.some((output) => output.type.axes.some((axis) => parts.has(axis.id)))) return true;
    const [value = "", ...others] = node.inputs;
    const source = group.definitions.get(value);
    return (
      isNode(node, orelse) && source !== undefined && isRead(source) && others.every((id) => !group.definitions.has(id))
    );
  };
}

interface Found extends Outside {
  /** Values to be made again that need each other. */
  readonly circle?: readonly Node[];
}

function follow(group: Group, wanted: readonly string[], isAgain: (node: Node) => boolean): Found {
  const ys = new Set<string>();
  const again: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack: { readonly node: Node; at: number }[] = [];
  const open = (id: string): readonly Node[] | undefined => {
    const node = group.definitions.get(id);
    if (node === undefined) return undefined;
    if (!isAgain(node)) ys.add(id);
    else if (state.get(node) === "open")
      return stack.map((entry) => entry.node).slice(stack.findIndex((entry) => entry.node === node));
    else if (state.get(node) === undefined) {
      state.set(node, "open");
      stack.push({ node, at: 0 });
    }
    return undefined;
  };
  for (const id of wanted) {
    open(id);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.at++];
      if (input === undefined) {
        state.set(top.node, "done");
        again.push(top.node);
        stack.pop();
        continue;
      }
      const circle = open(input);
      if (circle !== undefined) return { ys: [], again: [], circle };
    }
  }
  return { ys: [...ys], again };
}
