import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { constantSize, laidOutSize, type Size, substituteSize } from "../ir/size.ts";
import type { Axis, DType } from "../ir/type.ts";
import { type ScanAttributes, scan } from "../op/region.ts";

/**
 * A scheduled graph as values that point at one another, regions opened: what a loop's body reads from outside is the outer
 * value itself. Known sizes are numbers. This is what kernels are planned over.
 */
export interface ValueGraph {
  readonly params: readonly Value[];
  readonly items: readonly Item[];
  readonly results: readonly NamedValue[];
}

export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

export interface Value {
  /** Unique in the whole graph, in order of definition. */
  readonly index: number;
  readonly name: string;
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  readonly definition: Definition;
  /** The innermost loop that computes it. */
  readonly loop: Loop | undefined;
}

export type Definition =
  | { readonly kind: "param"; readonly id: string }
  | { readonly kind: "node"; readonly node: Node; readonly inputs: readonly Value[] }
  /** `of` at the loop's position. */
  | { readonly kind: "entry"; readonly loop: Loop; readonly of: Value }
  /** What a carry is before a step, and after the last one. */
  | { readonly kind: "carry" | "final"; readonly loop: Loop; readonly index: number }
  /** What every step left of a y. */
  | { readonly kind: "collected"; readonly loop: Loop; readonly index: number };

/** A scan. Lists are in the order of the scan's carries and ys. */
export interface Loop {
  readonly index: number;
  readonly axis: Axis;
  readonly reverse: boolean;
  readonly outer: Loop | undefined;
  /** How many loops are around it. */
  readonly depth: number;
  readonly starts: readonly Value[];
  readonly carries: readonly Value[];
  readonly next: readonly Value[];
  readonly finals: readonly Value[];
  readonly ys: readonly Value[];
  readonly collected: readonly Value[];
  readonly body: readonly Item[];
}

/** What a graph does, in order. */
export type Item = { readonly kind: "value"; readonly value: Value } | { readonly kind: "loop"; readonly loop: Loop };

/** Opens a scheduled graph; `known` gives the sizes that are fixed when code is made. */
export function openGraph(graph: Graph, known: ReadonlyMap<string, number>): ValueGraph {
  const opening: Opening = {
    sizes: new Map([...known].map(([name, value]) => [name, constantSize(value)])),
    settled: new Map(),
    values: 0,
    loops: 0,
  };
  const names = new Map<string, Value>();
  const params = graph.params.map(({ id, type }) => {
    const value = create(opening, id, type.dtype, type.axes, { kind: "param", id }, undefined);
    names.set(id, value);
    return value;
  });
  const items = openNodes(opening, graph, names, undefined);
  const results = graph.results.map(({ name, id }) => ({ name, value: find(names, id) }));
  return { params, items, results };
}

interface Opening {
  readonly sizes: ReadonlyMap<string, Size>;
  /** Sizes as code sees them, by text: there are few, and many values have them. */
  readonly settled: Map<string, Size>;
  values: number;
  loops: number;
}

/** A size as code sees it: known names are numbers, a part of an axis is laid out whole. */
function settle(opening: Opening, size: Size): Size {
  const before = opening.settled.get(size.text);
  if (before !== undefined) return before;
  const found = substituteSize(laidOutSize(size), opening.sizes);
  opening.settled.set(size.text, found);
  return found;
}

function create(
  opening: Opening,
  name: string,
  dtype: DType,
  axes: readonly Axis[],
  definition: Definition,
  loop: Loop | undefined,
): Value {
  const settled = axes.map(({ id, size }) => ({ id, size: settle(opening, size) }));
  return { index: opening.values++, name, dtype, axes: settled, definition, loop };
}

function find(names: ReadonlyMap<string, Value>, id: string): Value {
  const value = names.get(id);
  if (value === undefined) throw new Error(`internal: %${id} is not computed before it is needed`);
  return value;
}

function openNodes(opening: Opening, graph: Graph, names: Map<string, Value>, loop: Loop | undefined): readonly Item[] {
  return graph.nodes.map((node): Item => {
    const inputs = node.inputs.map((id) => find(names, id));
    if (isNode(node, scan)) return openScan(opening, node, inputs, names, loop);
    const [output, ...more] = node.outputs;
    if (output === undefined || more.length > 0) throw new Error(`internal: ${node.op.name} has not one output`);
    const { dtype, axes } = output.type;
    const value = create(
      opening,
      output.id,
      dtype,
      axes,
      { kind: "node", node: settleNode(opening, node), inputs },
      loop,
    );
    names.set(output.id, value);
    return { kind: "value", value };
  });
}

/** The node with its attributes' sizes as code sees them. */
function settleNode(opening: Opening, node: Node): Node {
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]) => [name, settleAttribute(opening, attribute)]),
  );
  return { ...node, attributes };
}

function settleAttribute(opening: Opening, attribute: Node["attributes"][string]): Node["attributes"][string] {
  if (typeof attribute !== "object") return attribute;
  if ("kind" in attribute) return settle(opening, attribute);
  if ("id" in attribute) return { id: attribute.id, size: settle(opening, attribute.size) };
  if (isAxes(attribute)) return attribute.map(({ id, size }) => ({ id, size: settle(opening, size) }));
  return attribute;
}

function isAxes(attribute: object): attribute is readonly Axis[] {
  return Array.isArray(attribute) && attribute.every((item) => typeof item === "object" && "id" in item);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function openScan(
  opening: Opening,
  node: Node<ScanAttributes>,
  inputs: readonly Value[],
  names: Map<string, Value>,
  outer: Loop | undefined,
): Item {
  const { axis, reverse, consts, carries, body } = node.attributes;
  const loop: Writable<Loop> = {
    index: opening.loops++,
    axis: { id: axis.id, size: settle(opening, axis.size) },
    reverse,
    outer,
    depth: outer === undefined ? 0 : outer.depth + 1,
    starts: inputs.slice(consts, consts + carries),
    ...{ carries: [], next: [], finals: [], ys: [], collected: [], body: [] },
  };
  const inner = new Map<string, Value>();
  const bodyCarries: Value[] = [];
  body.params.forEach(({ id, type }, at) => {
    const input = inputs[at];
    if (input === undefined) throw new Error(`internal: the scan of ${body.name} lacks input ${at}`);
    if (at < consts) {
      inner.set(id, input);
      return;
    }
    const index = at - consts;
    const definition: Definition =
      index < carries ? { kind: "carry", loop, index } : { kind: "entry", loop, of: input };
    const value = create(opening, id, type.dtype, type.axes, definition, loop);
    if (index < carries) bodyCarries.push(value);
    inner.set(id, value);
  });
  loop.carries = bodyCarries;
  loop.body = openNodes(opening, body, inner, loop);
  const ends = body.results.map(({ id }) => find(inner, id));
  loop.next = ends.slice(0, carries);
  loop.ys = ends.slice(carries);
  const outputs = node.outputs.map(({ id, type }, at) => {
    const definition: Definition =
      at < carries ? { kind: "final", loop, index: at } : { kind: "collected", loop, index: at - carries };
    const value = create(opening, id, type.dtype, type.axes, definition, outer);
    names.set(id, value);
    return value;
  });
  loop.finals = outputs.slice(0, carries);
  loop.collected = outputs.slice(carries);
  return { kind: "loop", loop };
}
