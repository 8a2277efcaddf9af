import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { addSizes, constantSize, type Size, sizeConstant } from "../ir/size.ts";
import { type Axis, withoutAxes } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import { toInt } from "../op/map.ts";
import { gather, slice } from "../op/move.ts";
import { scan } from "../op/region.ts";
import { constant, extent } from "../op/source.ts";
import { createDraft, type Draft, toolsOf } from "./draft.ts";
import { createEstimate, type Estimate } from "./estimate.ts";
import { createInside, type Inside } from "./inside.ts";
import { closeLoop, openLoop, withBody } from "./loop.ts";
import { createPacks, loopOf, ordered, type Packs, type Part, packedSize } from "./packs.ts";
import type { Pass } from "./pass.ts";
import { axesKey, type Product, productOf, turned } from "./products.ts";

/**
 * Products of one value with several weights over the same axes become one product with the weights put together along an axis that
 * remains, and parts of it: the gates of any cell, queries, keys and values, weight gradients of what one loop gives.
 * In a loop the weights are put together before it.
 */
export const packGates: Pass = (graph, options) =>
  packRegion(graph, createDraft(graph, toolsOf(graph, options)), createEstimate(options));

/** Fewer rows than this do not make up for putting weights together, unless a loop does it once for many steps. */
const FEWEST_ROWS = 8;

interface Site {
  readonly draft: Draft;
  readonly packs: Packs;
  readonly estimate: Estimate;
  readonly inside: Inside | undefined;
  readonly outerPacks: Packs | undefined;
  /** Values that are made of params and numbers alone, of sizes that are known: weights, renamed, cut or scaled. */
  readonly isWeight: (id: string) => boolean;
  /** The loops of the region, by what they give. */
  readonly definition: (id: string) => Node | undefined;
}

/** A product with the shared operand on the left, and the part that the other operand is of a packed weight. */
interface Gate {
  readonly product: Product;
  readonly part: Part;
}

function packRegion(graph: Graph, draft: Draft, estimate: Estimate, inside?: Inside, outerPacks?: Packs): Graph {
  // Loops by what they give: as they are after this pass has been in them.
  const makers = new Map<string, Node>();
  const definition = (id: string): Node | undefined => makers.get(id);
  const packs = createPacks(draft, definition);
  for (const node of graph.nodes) packs.know(node);
  const nodes = graph.nodes.map((node) => (isNode(node, scan) ? packInLoop(node, draft, packs, estimate) : node));
  for (const node of nodes) if (isNode(node, scan)) for (const output of node.outputs) makers.set(output.id, node);
  const isWeight = weightTest(graph, draft, estimate);
  const site: Site = { draft, packs, estimate, inside, outerPacks, definition, isWeight };
  const groups = chooseGroups(nodes, site);
  for (const node of nodes) {
    const group = groups.get(node);
    draft.within(node.origin);
    if (group === undefined) draft.keep(node);
    else if (group[0]?.product.node === node) packGroup(group, site);
  }
  return draft.finishSorted();
}

function packInLoop(node: Node, draft: Draft, packs: Packs, estimate: Estimate): Node {
  if (!isNode(node, scan)) return node;
  const loop = openLoop(node);
  const { body } = node.attributes;
  const own = createDraft(body, draft);
  const inside = createInside(loop, draft, () => own);
  const packed = packRegion(body, own, estimate, inside, packs);
  return packed === body ? node : closeLoop(inside.finish(withBody(loop, packed)));
}

/** Asks for each value once. */
function weightTest(graph: Graph, draft: Draft, estimate: Estimate): (id: string) => boolean {
  const params = new Map(graph.params.map((param) => [param.id, param.type]));
  const known = new Map<string, boolean>();
  const isKnown = (axes: readonly Axis[]): boolean => axes.every((axis) => estimate.isKnown(axis.size));
  const test = (id: string): boolean => {
    const before = known.get(id);
    if (before !== undefined) return before;
    known.set(id, false);
    const param = params.get(id);
    const node = draft.original(id);
    const form = node?.op.form;
    const isPlain = form === "map" || form === "move" || form === "source";
    const own = param ?? node?.outputs[0]?.type;
    const found =
      own !== undefined &&
      isKnown(own.axes) &&
      (param !== undefined || (isPlain && (node?.inputs.every(test) ?? false)));
    known.set(id, found);
    return found;
  };
  return test;
}

/** Groups of at least two gates, the largest first, each product in one group; by their products' nodes. */
function chooseGroups(nodes: readonly Node[], site: Site): ReadonlyMap<Node, readonly Gate[]> {
  const candidates = new Map<string, Gate[]>();
  for (const node of nodes) {
    if (!isNode(node, contract)) continue;
    const product = productOf(node, site.draft.type);
    if (product === undefined) continue;
    for (const faced of [product, turned(product)]) {
      const gate = gateOf(faced, site);
      if (gate === undefined) continue;
      const list = candidates.get(gate.key);
      if (list === undefined) candidates.set(gate.key, [gate]);
      else list.push(gate);
    }
  }
  const chosen = new Map<Node, readonly Gate[]>();
  const bySize = [...candidates.values()].sort((a, b) => b.length - a.length);
  for (const list of bySize) {
    const free = list.filter((gate) => !chosen.has(gate.product.node));
    const group = distinct(free, site);
    if (group.length < 2) continue;
    for (const gate of group) chosen.set(gate.product.node, group);
  }
  return chosen;
}

/** Each weight once. */
function distinct(gates: readonly Gate[], { inside }: Site): readonly Gate[] {
  const seen = new Set<string>();
  return gates.filter(({ part }) => {
    const id = inside?.outside(part.id) ?? part.id;
    const isNew = !seen.has(id);
    seen.add(id);
    return isNew;
  });
}

/** A product whose right operand could be part of a packed weight, with a key that the gates of one group share. */
function gateOf(product: Product, site: Site): (Gate & { readonly key: string }) | undefined {
  const source = sourceOf(product, site);
  if (source === undefined) return undefined;
  const axis = packAxis(product.columns, site);
  if (axis === undefined) return undefined;
  const rest = withoutAxes(product.columns, [axis]);
  const key = [product.left, axesKey(product.over), axesKey(product.batch), axesKey(rest), source].join("|");
  return { product, part: { id: product.right, axis }, key };
}

/**
 * Where the weights of a group come from: from before the loop, from params, or all from one loop (then the loop puts them
 * together as it makes them). Undefined where putting them together costs more than it saves.
 */
function sourceOf(product: Product, { definition, estimate, inside, isWeight }: Site): string | undefined {
  const { left, right, rows, batch } = product;
  if (inside !== undefined) return inside.outside(right) === undefined ? undefined : "const";
  if (isWeight(right)) return estimate.positions([...rows, ...batch]) >= FEWEST_ROWS ? "weight" : undefined;
  const maker = loopOf([{ id: right, axis: product.columns[0]?.id ?? "" }], definition);
  return maker === undefined || left === right ? undefined : (maker.outputs[0]?.id ?? "");
}

/**
 * The axis along which weights are put together: the last of known size, of consts else the last; "" where none remains, so that a
 * weight is one entry.
 */
function packAxis(columns: readonly Axis[], { estimate, inside }: Site): string | undefined {
  if (columns.length === 0) return "";
  const known = columns.findLast((axis) => estimate.isKnown(axis.size));
  return (known ?? (inside === undefined ? undefined : columns.at(-1)))?.id;
}

/** Adds the packed product and defines each gate's value as a part of it. */
function packGroup(gates: readonly Gate[], site: Site): void {
  const { draft, packs, inside, outerPacks } = site;
  const weights = inside === undefined ? packs : (outerPacks ?? packs);
  const outside = (gate: Gate): Part => ({ ...gate.part, id: inside?.outside(gate.part.id) ?? gate.part.id });
  const known = weights.find(gates.map(outside));
  const sorted = ordered(gates, outside, known);
  const parts = sorted.map(outside);
  const [first] = sorted;
  if (first === undefined) return;
  draft.note(
    "pack-gates",
    gates.map((gate) => gate.product.node),
    inside?.axis,
  );
  const to = known?.to ?? draft.fresh.axis(packedName(parts), packedSize(parts, (inside?.outer ?? draft).type));
  const weight = weights.make({ parts, to });
  const own = inside === undefined ? weight : inside.constant(weight);
  const { product } = first;
  const operands = product.node.inputs[0] === product.right ? [own, product.left] : [product.left, own];
  const over = product.over.map((axis) => axis.id);
  const packed = draft.add(contract, operands, { over }, `${product.node.outputs[0]?.id}.packed`);
  let start: Size = constantSize(0);
  for (const gate of sorted) start = takePart(gate, packed, to, start, draft);
}

function packedName(parts: readonly Part[]): string {
  const axis = parts.find((part) => part.axis !== "")?.axis ?? "entry";
  return `${axis.replace(/~\d+$/, "")}.packed`;
}

/** Defines a gate's value as what begins at `start` of the packed one; returns where the next one begins. */
function takePart({ product, part }: Gate, packed: string, to: Axis, start: Size, draft: Draft): Size {
  const [output] = product.node.outputs;
  const own = product.columns.find((axis) => axis.id === part.axis);
  if (output === undefined) return start;
  draft.within(product.node.origin);
  if (own !== undefined) {
    draft.define(output, slice, [packed], { axis: to.id, to: own, start });
    return addSizes(start, own.size);
  }
  draft.define(output, gather, [packed, position(start, draft)], { axis: to.id });
  return addSizes(start, constantSize(1));
}

function position(at: Size, draft: Draft): string {
  const known = sizeConstant(at);
  if (known !== undefined) return draft.add(constant, [], { value: known, dtype: "int" }, "c");
  return draft.add(toInt, [draft.add(extent, [], { size: at })], {});
}
