import type { Span } from "../base/span.ts";
import type { Op } from "./op.ts";
import type { Size } from "./size.ts";
import type { Axis, Type } from "./type.ts";

/** One value of a graph; printed `%id`. Ids are unique within a graph and its regions, and come from the source's names. */
export interface Value {
  readonly id: string;
  readonly type: Type;
}

export type Attribute =
  | string
  | number
  | boolean
  | Size
  | Axis
  | Graph
  | readonly string[]
  | readonly Axis[]
  | readonly AxisRange[]
  | undefined;

/** Where an index equation's read is inside: `low <= index < size - high` on `axis`. */
export interface AxisRange {
  readonly axis: string;
  readonly low: number;
  readonly high: number;
}

export type Attributes = { readonly [name: string]: Attribute };

/** The user's equation that a node belongs to, for messages and for names in emitted code. */
export interface Origin {
  readonly span: Span;
  /** `l1.c`, as the user would point at it. */
  readonly name: string;
}

/** One application of an op. It points at the op itself: nothing is looked up by name. */
export interface Node<A extends Attributes = Attributes> {
  readonly op: Op<A>;
  readonly attributes: A;
  /** Ids of values. In an equation graph an input may be defined later: a cycle, closed through a delayed read. */
  readonly inputs: readonly string[];
  readonly outputs: readonly Value[];
  readonly origin: Origin | undefined;
}

export interface Result {
  readonly name: string;
  readonly id: string;
}

/**
 * The one program form, from the equation graph to the fused program. Never changed in place.
 * An equation graph may have cycles through delayed reads (`shift`, `window`, `prefix`, ...); a scheduled graph has none.
 */
export interface Graph {
  readonly name: string;
  readonly params: readonly Value[];
  readonly nodes: readonly Node[];
  readonly results: readonly Result[];
}

/** Narrows a node to the attributes of one op. */
export function isNode<A extends Attributes>(node: Node | undefined, op: Op<A>): node is Node<A> {
  return node !== undefined && node.op.name === op.name;
}

/** The nodes by the values that they define. */
export function definitions(graph: Graph): ReadonlyMap<string, Node> {
  const map = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) map.set(output.id, node);
  return map;
}

/** The types of all values of a graph, params included, bodies of regions not. */
export function valueTypes(graph: Graph): ReadonlyMap<string, Type> {
  const map = new Map<string, Type>();
  for (const param of graph.params) map.set(param.id, param.type);
  for (const node of graph.nodes) for (const output of node.outputs) map.set(output.id, output.type);
  return map;
}
