import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { evaluateSize, type SizeBinding } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import { hasAxis } from "../ir/type.ts";
import { rename } from "../op/move.ts";
import { random } from "../op/source.ts";
import { prefix, suffix, unwindow, window } from "../op/window.ts";
import type { Edge, Group } from "./group.ts";
import { lacks } from "./group.ts";

/**
 * Along which axis each member of a group would be looped over, and what stands against it. Members may name the axis
 * differently where a rename lies between them (`c[s]` reads `h[s]`, which is `h[t]`).
 */
export interface Alignment {
  /** The axis as the first reader that is not at the same position names it. */
  readonly axis: Axis;
  readonly axisOf: ReadonlyMap<Node, string>;
  readonly ownAxis: (node: Node | undefined) => string;
  /** Reads of all positions: no loop over the axis is possible. */
  readonly wholes: readonly Edge[];
  readonly earlier: readonly Edge[];
  readonly later: readonly Edge[];
  /** Whether the read needs nothing of the same position: it cuts the circles through it. */
  readonly isDelayed: (edge: Edge) => boolean;
}

/** Positions that a read needs, relative to the reader's. */
export type Lag = { readonly low: number; readonly high: number };

/**
 * The ways to loop over a group, in the order of the axes where they are read at another position.
 * `sizes`: how long windows are, as far as that is known.
 */
export function alignments(group: Group, sizes: SizeBinding): readonly Alignment[] {
  const seeds = group.edges.flatMap((edge) =>
    edge.type.axes.flatMap((axis, place) => {
      const lag = lagOf(edge.node, edge.input, edge.type, axis.id, sizes);
      return lag === "all" || (lag.low === 0 && lag.high === 0) ? [] : [{ edge, axis, place }];
    }),
  );
  const found: Alignment[] = [];
  for (const { edge, axis } of seeds.toSorted((a, b) => a.place - b.place)) {
    if (found.some((alignment) => alignment.axisOf.get(edge.node) === axis.id)) continue;
    found.push(align(group, edge.node, axis, sizes));
  }
  return found;
}

/** How input `input` of a node is read along the axis that its output calls `axis`. */
export function lagOf(node: Node, input: number, type: Type, axis: string, sizes: SizeBinding): Lag | "all" {
  if (isNode(node, rename)) return inputAxis(node, axis) === undefined ? "all" : SAME;
  const known = windowLag(node, type, axis, sizes);
  if (known !== undefined) return known;
  if (isNode(node, random)) return "all";
  const reads = node.op.reads(node, input, axis, type);
  switch (reads.kind) {
    case "same":
      return hasAxis(type, axis) && lacks(node, axis) ? "all" : SAME;
    case "offsets":
      return { low: reads.low, high: reads.high };
    case "prefix":
      return { low: Number.NEGATIVE_INFINITY, high: reads.end - 1 };
    case "suffix":
      return { low: reads.start, high: Number.POSITIVE_INFINITY };
    case "all":
      return "all";
    default:
      return reads satisfies never;
  }
}

/** The reach of a window whose size is a name of known value, which the op itself cannot know. */
function windowLag(node: Node, type: Type, axis: string, sizes: SizeBinding): Lag | undefined {
  const isWindow = isNode(node, window);
  if ((!isWindow && !isNode(node, unwindow)) || node.attributes.axis !== axis) return undefined;
  const { offset, stride } = node.attributes;
  const size = isWindow ? node.attributes.to.size : type.axes.find((own) => own.id === node.attributes.from)?.size;
  const count = size === undefined ? undefined : evaluateSize(size, sizes);
  if (count === undefined) return undefined;
  const [first, last] = [offset, offset + stride * (count - 1)].map((by) => (isWindow ? by : -by));
  return { low: Math.min(first ?? 0, last ?? 0), high: Math.max(first ?? 0, last ?? 0) };
}

const SAME: Lag = { low: 0, high: 0 };

/** What a node's input calls the axis that its output calls `axis`; undefined where the output cannot have it. */
export function inputAxis(node: Node, axis: string): string | undefined {
  if (!isNode(node, rename)) return axis;
  const { from, to } = node.attributes;
  const index = to.findIndex((target) => target.id === axis);
  return index >= 0 ? from[index] : from.includes(axis) ? undefined : axis;
}

function outputAxis(node: Node, axis: string): string | undefined {
  if (!isNode(node, rename)) return axis;
  const { from, to } = node.attributes;
  const index = from.indexOf(axis);
  return index >= 0 ? to[index]?.id : to.some((target) => target.id === axis) ? undefined : axis;
}

/** Follows one axis of one member through all others. */
function align(group: Group, seed: Node, axis: Axis, sizes: SizeBinding): Alignment {
  const axisOf = spread(group, seed, axis.id);
  const ownAxis = (node: Node | undefined): string => (node === undefined ? "" : (axisOf.get(node) ?? ""));
  const wholes: Edge[] = [];
  const earlier: Edge[] = [];
  const later: Edge[] = [];
  const delayed = new Set<Edge>();
  for (const edge of group.edges) {
    const own = ownAxis(edge.node);
    const lag = lagOf(edge.node, edge.input, edge.type, own, sizes);
    if (lag === "all" || inputAxis(edge.node, own) !== axisOf.get(edge.source)) {
      wholes.push(edge);
      continue;
    }
    if (lag.low < 0) earlier.push(edge);
    if (lag.high > 0) later.push(edge);
    if (lag.low > 0 || lag.high < 0) delayed.add(edge);
  }
  return { axis, axisOf, ownAxis, wholes, earlier, later, isDelayed: (edge) => delayed.has(edge) };
}

function spread(group: Group, seed: Node, axis: string): ReadonlyMap<Node, string> {
  const around = new Map<Node, Edge[]>(group.nodes.map((node) => [node, []]));
  for (const edge of group.edges) {
    around.get(edge.node)?.push(edge);
    around.get(edge.source)?.push(edge);
  }
  const axisOf = new Map([[seed, axis]]);
  const queue = [seed];
  const reach = (node: Node, name: string | undefined): void => {
    if (name === undefined || axisOf.has(node)) return;
    axisOf.set(node, name);
    queue.push(node);
  };
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    const own = axisOf.get(node) ?? "";
    for (const edge of around.get(node) ?? []) {
      if (edge.node === node) reach(edge.source, inputAxis(node, own));
      if (edge.source === node) reach(edge.node, outputAxis(edge.node, own));
    }
  }
  return axisOf;
}

/** A read that sees a growing part of an axis as an axis of its own: its output has no axis to loop over. */
export function isPartRead(node: Node): boolean {
  return isNode(node, prefix) || isNode(node, suffix);
}
