import { definitions, type Graph, isNode, type Node } from "../ir/graph.ts";
import { hasAxis, type Type, withoutAxes } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import { scan } from "../op/region.ts";
import { createDraft, type Draft, type Tools, toolsOf } from "./draft.ts";
import { createEstimate, type Estimate } from "./estimate.ts";
import { bodyOf, closeLoop, entryType, type Loop, openLoop, type Passed, withBody } from "./loop.ts";
import { countUses } from "./order.ts";
import type { Pass } from "./pass.ts";
import { axesKey, type Product, productOf, turned } from "./products.ts";
import { sumRoots, termsOf } from "./terms.ts";

/**
 * The way back into a loop of a product that scheduling hoisted, where the loop adds it to a product of its own: adding both up in
 * the step saves writing and reading all W x. `merge-products` makes one product of [x, h] of them. Below `FEWEST` rows the hoisted product is so much faster that it stays
 * (one row reaches a third of the speed of six).
 */
export const mergeIntoLoop: Pass = (graph, options) =>
  mergeRegion(graph, createEstimate(options), toolsOf(graph, options));

const FEWEST = 6;

function mergeRegion(graph: Graph, estimate: Estimate, tools: Tools): Graph {
  if (!graph.nodes.some((node) => isNode(node, scan))) return graph;
  const draft = createDraft(graph, tools);
  let uses: ReadonlyMap<string, number> | undefined;
  const own = (id: string): Node | undefined => {
    uses ??= countUses(
      graph.nodes,
      graph.results.map((result) => result.id),
    );
    return uses.get(id) === 1 ? draft.original(id) : undefined;
  };
  for (const node of graph.nodes) {
    const kept = isNode(node, scan) ? intoLoop(node, own, draft, estimate) : node;
    draft.keep(kept);
  }
  return draft.finish();
}

function intoLoop(node: Node, own: (id: string) => Node | undefined, draft: Draft, estimate: Estimate): Node {
  if (!isNode(node, scan)) return node;
  const opened = openLoop(node);
  const inner = mergeRegion(node.attributes.body, estimate, draft);
  const loop = inner === node.attributes.body ? opened : withBody(opened, inner);
  const wanted = partners(loop, own, draft, estimate);
  for (const { node: product } of wanted.values()) draft.note("merge-into-loop", [product], loop.axis.id);
  if (wanted.size === 0) return loop === opened ? node : closeLoop(loop);
  return closeLoop(moveIn(loop, wanted, draft));
}

/** A product of a loop with a weight, and the hoisted one that it is added to, if there is one. */
interface Match {
  readonly operand: string;
  readonly x: Passed | undefined;
  readonly hoisted: Product | undefined;
}

/**
 * The xs that are products made for this loop alone and that it adds to a product with a weight of the same rows and columns. Where only
 * some of the products of one value have such a partner, they stay as they are: they become one product by packing.
 */
function partners(
  loop: Loop,
  own: (id: string) => Node | undefined,
  draft: Draft,
  estimate: Estimate,
): ReadonlyMap<Passed, Product> {
  const matches = matchesOf(loop, own, draft, estimate);
  const alone = new Set(matches.filter((match) => match.x === undefined).map((match) => match.operand));
  const found = new Map<Passed, Product>();
  for (const { operand, x, hoisted } of matches) {
    if (x !== undefined && hoisted !== undefined && !alone.has(operand)) found.set(x, hoisted);
  }
  return found;
}

function matchesOf(
  loop: Loop,
  own: (id: string) => Node | undefined,
  draft: Draft,
  estimate: Estimate,
): readonly Match[] {
  const body = bodyOf(loop);
  const uses = countUses(
    body.nodes,
    body.results.map((result) => result.id),
  );
  const defined = definitions(body);
  const types = new Map([...body.params, ...body.nodes.flatMap((node) => node.outputs)].map((v) => [v.id, v.type]));
  const typeOf = (id: string): Type => types.get(id) ?? { dtype: "float", axes: [] };
  const consts = new Set(loop.consts.map((passed) => passed.param.id));
  const xs = new Map(loop.xs.map((passed) => [passed.param.id, passed]));
  const matched = new Map<Node, Match>();
  for (const root of sumRoots(body.nodes, uses)) {
    const terms = termsOf(root, (id) => defined.get(id), uses).filter((id) => uses.get(id) === 1);
    for (const id of terms) {
      const x = xs.get(id);
      const hoisted = x && hoistedProduct(x, loop, own, draft);
      if (hoisted === undefined || estimate.positions(hoisted.rows) < FEWEST) continue;
      for (const term of terms) {
        const product = productOf(defined.get(term), typeOf);
        const weighted = product && withWeight(product, (value) => consts.has(value));
        if (weighted === undefined || shapeKey(weighted) !== shapeKey(hoisted)) continue;
        matched.set(weighted.node, { operand: weighted.left, x, hoisted });
      }
    }
  }
  return body.nodes.flatMap((node) => {
    const product = productOf(node, typeOf);
    const weighted = product && withWeight(product, (value) => consts.has(value));
    if (weighted === undefined) return [];
    return [matched.get(node) ?? { operand: weighted.left, x: undefined, hoisted: undefined }];
  });
}

/** The product with its weight on the right. */
function withWeight(product: Product, isWeight: (id: string) => boolean): Product | undefined {
  if (product.over.length !== 1 || isWeight(product.left) === isWeight(product.right)) return undefined;
  return isWeight(product.right) ? product : turned(product);
}

function shapeKey({ rows, columns, batch }: Product): string {
  return `${axesKey(rows)}|${axesKey(columns)}|${axesKey(batch)}`;
}

/** An xs as the product that it is at one step: the operand with the loop's axis on the left. */
function hoistedProduct(
  x: Passed,
  { axis }: Loop,
  own: (id: string) => Node | undefined,
  draft: Draft,
): Product | undefined {
  const product = productOf(own(x.outside), draft.type);
  const weighted = product && withWeight(product, (id) => !hasAxis(draft.type(id), axis.id));
  if (weighted === undefined || !weighted.rows.some((own) => own.id === axis.id)) return undefined;
  return { ...weighted, rows: withoutAxes(weighted.rows, [axis.id]) };
}

/** Replaces xs by the products that they are. */
function moveIn(loop: Loop, products: ReadonlyMap<Passed, Product>, draft: Draft): Loop {
  const consts = [...loop.consts];
  const xs = loop.xs.filter((x) => !products.has(x));
  const pass = (list: Passed[], outside: string): string => {
    const known = list.find((passed) => passed.outside === outside);
    if (known !== undefined) return known.param.id;
    const param = { id: draft.fresh.value(`${outside}.in`), type: entryType(draft.type(outside), loop.axis) };
    list.push({ outside, param });
    return param.id;
  };
  const made = [...products].map(([x, product]): Node => {
    const inputs = [pass(xs, product.left), pass(consts, product.right)];
    const attributes = { over: product.over.map((axis) => axis.id) };
    return { op: contract, attributes, inputs, outputs: [x.param], origin: product.node.origin };
  });
  return { ...loop, consts, xs, nodes: [...made, ...loop.nodes] };
}
