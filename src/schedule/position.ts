import type { Attributes, Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import { sameAxes, withoutAxes } from "../ir/type.ts";
import { orelse, select } from "../op/map.ts";
import { expand, gather, rename } from "../op/move.ts";
import { shift } from "../op/window.ts";
import type { Alignment } from "./align.ts";
import { dropAxis } from "./frame.ts";
import type { Group } from "./group.ts";

interface Call {
  readonly op: Op;
  readonly attributes: Attributes;
  readonly inputs: readonly string[];
}

/** What a node computes at one position of its axis `own`, from the `inputs` of that position. */
export function atPosition(node: Node, own: string, inputs: readonly string[], lookupAxis: string): Call {
  if (isNode(node, expand)) {
    return { op: expand, attributes: { axes: withoutAxes(node.attributes.axes, [own]) }, inputs };
  }
  if (isNode(node, rename)) {
    const { from, to } = node.attributes;
    const stays = (index: number): boolean => to[index]?.id !== own;
    const attributes = { from: from.filter((_, index) => stays(index)), to: to.filter((_, index) => stays(index)) };
    return { op: rename, attributes, inputs };
  }
  if (isNode(node, gather) && node.attributes.axis === own) {
    return { op: gather, attributes: { axis: lookupAxis }, inputs };
  }
  if (isNode(node, orelse) && node.attributes.ranges.some((range) => range.axis === own)) {
    const [value = "", otherwise = "", inside = ""] = inputs;
    return { op: select, attributes: {}, inputs: [inside, value, otherwise] };
  }
  return { op: node.op, attributes: node.attributes, inputs };
}

/** Whether nothing is left of a node at one position: it reads other positions, or only concerns the axis itself. */
export function disappears(node: Node, own: string): boolean {
  if (node.op.form === "window") return node.attributes.axis === own;
  if (isNode(node, expand)) return node.attributes.axes.every((axis) => axis.id === own);
  return isNode(node, rename) && node.attributes.to.every((axis) => axis.id === own);
}

/** A delayed read together with its `else`, which is how the carry starts. */
export interface Start {
  readonly id: string;
  readonly delay: number;
  readonly otherwise: string;
}

/** The `x[t-k] else d` of a group whose mask is just the first k positions, and whose `d` comes from outside. */
export function findStarts(group: Group, { ownAxis }: Alignment, reverse: boolean): ReadonlyMap<Node, Start> {
  const starts = new Map<Node, Start>();
  for (const node of group.nodes) {
    const start = startOf(group, node, ownAxis(node), reverse);
    if (start !== undefined) starts.set(node, start);
  }
  return starts;
}

function startOf(group: Group, node: Node, own: string, reverse: boolean): Start | undefined {
  if (!isNode(node, orelse) || node.attributes.ragged || node.attributes.ranges.length !== 1) return undefined;
  const [value = "", otherwise = "", mask = ""] = node.inputs;
  const [range] = node.attributes.ranges;
  const read = group.definitions.get(value);
  if (!isNode(read, shift) || read.attributes.axis !== own || range?.axis !== own) return undefined;
  const delay = reverse ? read.attributes.offset : -read.attributes.offset;
  const [masked, other] = reverse ? [range.high, range.low] : [range.low, range.high];
  if (delay < 1 || masked !== delay || other !== 0) return undefined;
  if (group.definitions.has(otherwise) || group.definitions.has(mask)) return undefined;
  const carried = read.outputs[0]?.type;
  const result = node.outputs[0]?.type;
  if (carried === undefined || result === undefined || carried.dtype !== result.dtype) return undefined;
  const fits = sameAxes(dropAxis(carried, own).axes, dropAxis(result, own).axes);
  return fits ? { id: read.inputs[0] ?? "", delay, otherwise } : undefined;
}
