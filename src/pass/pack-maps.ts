import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { addSizes, constantSize, equalSizes, type Size } from "../ir/size.ts";
import { type Axis, hasAxis } from "../ir/type.ts";
import { rename, type SliceAttributes, slice } from "../op/move.ts";
import { reduce } from "../op/reduce.ts";
import { scan } from "../op/region.ts";
import { createDraft, type Draft, toolsOf } from "./draft.ts";
import { createInside, type Inside } from "./inside.ts";
import { callKey } from "./key.ts";
import { closeLoop, openLoop, withBody } from "./loop.ts";
import { createPacks, type Packs } from "./packs.ts";
import type { Pass } from "./pass.ts";
import { uniformValue } from "./values.ts";

/**
 * The same op on all parts of a value is that op on the whole value, and parts of it: `add` of packed gates and of their biases,
 * which are put together where they are consts of a loop, and sums over other axes (the gradients of biases). Parts that meet
 * different ops (σ, σ, σ, tanh) stay parts; so do parts that meet a number alone, which fuses with what comes next.
 */
export const packMaps: Pass = (graph, options) => {
  const tools = toolsOf(graph, options);
  let current = graph;
  for (;;) {
    const { graph: next, again } = packRegion(current, createDraft(current, tools));
    if (!again) return next;
    current = next;
  }
};

type Cut = Node<SliceAttributes>;

interface Site {
  readonly draft: Draft;
  readonly inside: Inside | undefined;
  readonly outerPacks: Packs | undefined;
}

/** `again`: whether something of the region itself was packed, which may make more fit together. */
function packRegion(
  graph: Graph,
  draft: Draft,
  inside?: Inside,
  outerPacks?: Packs,
): { readonly graph: Graph; readonly again: boolean } {
  const packs = createPacks(draft);
  for (const node of graph.nodes) packs.know(node);
  const site: Site = { draft, inside, outerPacks };
  const groups = chooseGroups(graph);
  const packed = new Map<Group, boolean>();
  for (const node of graph.nodes) {
    const current = isNode(node, scan) ? packInLoop(node, draft, packs) : node;
    draft.within(node.origin);
    const group = groups.get(node);
    const isPacked = group !== undefined && (packed.get(group) ?? packGroup(group, site));
    if (group !== undefined) packed.set(group, isPacked);
    if (!isPacked) draft.keep(current);
  }
  return { graph: draft.finishSorted(), again: [...packed.values()].includes(true) };
}

function packInLoop(node: Node, draft: Draft, packs: Packs): Node {
  if (!isNode(node, scan)) return node;
  const { body } = node.attributes;
  const loop = openLoop(node);
  const own = createDraft(body, draft);
  const inside = createInside(loop, draft, () => own);
  const { graph, again } = packRegion(body, own, inside, packs);
  if (graph === body) return node;
  const packed = closeLoop(inside.finish(withBody(loop, graph)));
  return again ? packInLoop(packed, draft, packs) : packed;
}

/** All parts of a value, and the op that each goes into, at the same place of its operands. */
interface Group {
  readonly cuts: readonly Cut[];
  readonly maps: readonly Node[];
  readonly place: number;
}

/** Groups by the nodes that are to become one. */
function chooseGroups(graph: Graph): ReadonlyMap<Node, Group> {
  const byWhole = Map.groupBy(
    graph.nodes.filter((node) => isNode(node, slice)),
    (cut) => cut.inputs[0] ?? "",
  );
  const wholes = [...byWhole.values()].filter((cuts) => cuts.length > 1 && coverAll(cuts));
  const groups = new Map<Node, Group>();
  if (wholes.length === 0) return groups;
  const onlyReader = readersOf(graph, new Set(wholes.flat().map((cut) => cut.outputs[0]?.id ?? "")));
  for (const cuts of wholes) {
    const maps = cuts.flatMap((cut) => onlyReader.get(cut.outputs[0]?.id ?? "") ?? []);
    const group = groupOf(cuts, maps);
    if (group === undefined || maps.some((map) => groups.has(map))) continue;
    for (const map of maps) groups.set(map, group);
  }
  return groups;
}

/** The node that reads a value, of those values that one node reads once and nothing else needs. */
function readersOf(graph: Graph, ids: ReadonlySet<string>): ReadonlyMap<string, Node> {
  const readers = new Map<string, Node>();
  const shared = new Set(graph.results.map((result) => result.id));
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (!ids.has(input)) continue;
      if (readers.has(input)) shared.add(input);
      readers.set(input, node);
    }
  }
  for (const id of shared) readers.delete(id);
  return readers;
}

function groupOf(cuts: readonly Cut[], maps: readonly Node[]): Group | undefined {
  const [first] = maps;
  if (first === undefined || maps.length < cuts.length || new Set(maps).size < maps.length) return undefined;
  if ((first.op.form !== "map" || first.inputs.length < 2) && !isNode(first, reduce)) return undefined;
  const key = callKey(first.op.name, [], first.attributes);
  const place = first.inputs.indexOf(cuts[0]?.outputs[0]?.id ?? "");
  const alike = maps.every(
    (map, index) =>
      callKey(map.op.name, [], map.attributes) === key &&
      map.outputs[0]?.type.dtype === first.outputs[0]?.type.dtype &&
      map.inputs.indexOf(cuts[index]?.outputs[0]?.id ?? "") === place,
  );
  return alike ? { cuts, maps, place } : undefined;
}

/** Whether parts follow one another from the beginning of an axis to its end. */
function coverAll(cuts: readonly Cut[]): boolean {
  const [first] = cuts;
  if (first === undefined || !cuts.every((cut) => cut.attributes.axis === first.attributes.axis)) return false;
  const starts = new Map(cuts.map((cut) => [cut.attributes.start.text, cut]));
  let at: Size = constantSize(0);
  for (let count = 0; count < cuts.length; count++) {
    const cut = starts.get(at.text);
    if (cut === undefined) return false;
    at = addSizes(at, cut.attributes.to.size);
  }
  return true;
}

/** Defines the values of a group as parts of one; false where the other operands do not fit together. */
function packGroup(group: Group, site: Site): boolean {
  const { draft } = site;
  const { cuts, maps, place } = group;
  const [cut] = cuts;
  const [map] = maps;
  const whole = cut?.inputs[0];
  if (cut === undefined || map === undefined || whole === undefined) return false;
  const axis = draft.type(whole).axes.find((own) => own.id === cut.attributes.axis);
  const total = cuts.reduce((size, own) => addSizes(size, own.attributes.to.size), constantSize(0));
  if (axis === undefined || !equalSizes(total, axis.size)) return false;
  if (maps.some((own, at) => !hasAxis(typeOf(own), cuts[at]?.attributes.to.id ?? ""))) return false;
  const operands: string[] = [];
  let joins = isNode(map, reduce) && !map.attributes.axes.includes(cut.attributes.to.id);
  for (let index = 0; index < map.inputs.length; index++) {
    const parts = maps.map((own) => own.inputs[index] ?? "");
    const operand = index === place ? whole : wholeOf(parts, cuts, axis, site);
    if (operand === undefined) return false;
    joins ||= index !== place && hasAxis(draft.type(operand), axis.id);
    operands.push(operand);
  }
  if (!joins) return false;
  draft.note("pack-maps", maps, site.inside?.axis);
  const packed = draft.add(map.op, operands, map.attributes, `${map.outputs[0]?.id}.packed`);
  maps.forEach((own, index) => {
    const part = cuts[index];
    const [output] = own.outputs;
    draft.within(own.origin);
    if (part !== undefined && output !== undefined) draft.define(output, slice, [packed], part.attributes);
  });
  return true;
}

function typeOf(node: Node) {
  return node.outputs[0]?.type ?? { dtype: "float", axes: [] };
}

/** The value whose parts some operands are: the same cuts of another value, one value without the axis, or consts put together. */
function wholeOf(parts: readonly string[], cuts: readonly Cut[], axis: Axis, site: Site): string | undefined {
  const { draft } = site;
  const [first = ""] = parts;
  const lacks = (id: string, at: number): boolean => !hasAxis(draft.type(id), cuts[at]?.attributes.to.id ?? "");
  if (parts.every((id, at) => id === first && lacks(id, at)) && !hasAxis(draft.type(first), axis.id)) return first;
  const value = uniformValue(draft, first);
  if (value !== undefined && draft.type(first).axes.length === 0) {
    const same = parts.every((id) => Object.is(uniformValue(draft, id), value) && draft.type(id).axes.length === 0);
    if (same) return first;
  }
  return sameCuts(parts, cuts, axis, site) ?? constsTogether(parts, cuts, axis, site);
}

function sameCuts(parts: readonly string[], cuts: readonly Cut[], axis: Axis, { draft }: Site): string | undefined {
  const own = parts.map(draft.original);
  const [first] = own;
  if (!isNode(first, slice)) return undefined;
  const [source = ""] = first.inputs;
  const alike = own.every((node, at) => {
    const cut = cuts[at];
    return (
      isNode(node, slice) &&
      cut !== undefined &&
      node.inputs[0] === source &&
      node.attributes.axis === first.attributes.axis &&
      equalSizes(node.attributes.start, cut.attributes.start) &&
      node.attributes.to.id === cut.attributes.to.id
    );
  });
  const size = draft.type(source).axes.find((candidate) => candidate.id === first.attributes.axis)?.size;
  if (!alike || size === undefined || !equalSizes(size, axis.size)) return undefined;
  if (first.attributes.axis === axis.id) return source;
  if (hasAxis(draft.type(source), axis.id)) return undefined;
  return draft.add(rename, [source], { from: [first.attributes.axis], to: [axis] });
}

/** Consts of a loop, each with its cut's axis, put together before the loop in the order of the cuts. */
function constsTogether(
  parts: readonly string[],
  cuts: readonly Cut[],
  axis: Axis,
  { inside, outerPacks }: Site,
): string | undefined {
  if (inside === undefined || outerPacks === undefined) return undefined;
  const byStart = new Map(cuts.map((cut, at) => [cut.attributes.start.text, at]));
  const sorted: { readonly id: string; readonly axis: string }[] = [];
  let start: Size = constantSize(0);
  for (let count = 0; count < cuts.length; count++) {
    const at = byStart.get(start.text) ?? 0;
    const cut = cuts[at];
    const outside = inside.outside(parts[at] ?? "");
    if (cut === undefined || outside === undefined) return undefined;
    const { to } = cut.attributes;
    const type = inside.outer.type(outside);
    if (!hasAxis(type, to.id) || hasAxis(type, axis.id)) return undefined;
    sorted.push({ id: outside, axis: to.id });
    start = addSizes(start, to.size);
  }
  return inside.constant(outerPacks.make({ parts: sorted, to: axis }));
}
