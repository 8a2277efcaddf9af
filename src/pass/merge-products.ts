import { definitions, type Graph, isNode, type Node } from "../ir/graph.ts";
import { contract } from "../op/contract.ts";
import { add } from "../op/map.ts";
import { scan } from "../op/region.ts";
import { createDraft, type Draft, toolsOf } from "./draft.ts";
import { createEstimate, type Estimate } from "./estimate.ts";
import { createInside, type Inside } from "./inside.ts";
import { closeLoop, openLoop, withBody } from "./loop.ts";
import { countUses } from "./order.ts";
import { createPacks, loopOf, ordered, type Pack, type Packs, type Part, packedSize } from "./packs.ts";
import type { Pass } from "./pass.ts";
import { axesKey, type Product, productOf, turned } from "./products.ts";
import { sumRoots, termsOf } from "./terms.ts";

/**
 * A sum of products over the same rows and columns is one product of the operands put together along what is summed:
 * A x + B y = [A B] [x; y]. In a loop, where the weights are put together once before it; elsewhere where that moves less memory than
 * the sum does.
 */
export const mergeProducts: Pass = (graph, options) => {
  const draft = createDraft(graph, toolsOf(graph, options));
  return mergeRegion(graph, draft, createPacks(draft), createEstimate(options));
};

/** What a region knows while it is rewritten. */
interface Site {
  readonly draft: Draft;
  readonly packs: Packs;
  readonly estimate: Estimate;
  /** In a loop's body: the way out, and the concatenations there. */
  readonly inside: Inside | undefined;
  readonly outerPacks: Packs | undefined;
}

function mergeRegion(
  graph: Graph,
  draft: Draft,
  packs: Packs,
  estimate: Estimate,
  inside?: Inside,
  outerPacks?: Packs,
): Graph {
  const site: Site = { draft, packs, estimate, inside, outerPacks };
  const uses = countUses(
    graph.nodes,
    graph.results.map((result) => result.id),
  );
  const defined = definitions(graph);
  const roots = sumRoots(graph.nodes, uses);
  for (const node of graph.nodes) {
    draft.within(node.origin);
    const terms = roots.has(node) ? termsOf(node, (id) => defined.get(id), uses) : [];
    if (terms.length > 0 && mergeSum(node, terms, (id) => (uses.get(id) === 1 ? defined.get(id) : undefined), site)) {
      continue;
    }
    const kept = isNode(node, scan) ? mergeInLoop(node, draft, packs, estimate) : node;
    packs.know(kept);
    draft.keep(kept);
  }
  return draft.finish();
}

/** Merges the sums of a loop's body; `draft` and `packs` are those of the region around it. */
function mergeInLoop(node: Node, draft: Draft, packs: Packs, estimate: Estimate): Node {
  if (!isNode(node, scan)) return node;
  const loop = openLoop(node);
  const body = createDraft(node.attributes.body, draft);
  const inside = createInside(loop, draft, () => body);
  const merged = mergeRegion(node.attributes.body, body, createPacks(body), estimate, inside, packs);
  return merged === node.attributes.body ? node : closeLoop(inside.finish(withBody(loop, merged)));
}

/** Defines a sum anew, with products merged where that pays; false where nothing is merged. */
function mergeSum(root: Node, terms: readonly string[], own: (id: string) => Node | undefined, site: Site): boolean {
  const [output] = root.outputs;
  const products = terms.flatMap((id) => {
    const product = productOf(own(id), site.draft.type);
    const faced = product === undefined || product.over.length !== 1 ? undefined : turnedTo(product, site);
    return faced === undefined ? [] : [{ id, product: faced }];
  });
  if (output === undefined || products.length < 2) return false;
  const groups = Map.groupBy(
    products,
    ({ product }) => `${axesKey(product.rows)}|${axesKey(product.columns)}|${axesKey(product.batch)}`,
  );
  const replaced = new Map<string, () => Operands>();
  const gone = new Set<string>();
  for (const group of groups.values()) {
    const [first] = group;
    if (
      first === undefined ||
      group.length < 2 ||
      !pays(
        group.map(({ product }) => product),
        site,
      )
    )
      continue;
    for (const { id } of group) gone.add(id);
    site.draft.note(
      "merge-products",
      group.map(({ product }) => product.node),
      site.inside?.axis,
    );
    replaced.set(first.id, () =>
      mergedOperands(
        group.map(({ product }) => product),
        site,
      ),
    );
  }
  if (replaced.size === 0) return false;
  rebuild(terms, replaced, gone, output, site);
  return true;
}

/** Defines the sum's value from what is left of its terms. */
function rebuild(
  terms: readonly string[],
  replaced: ReadonlyMap<string, () => Operands>,
  gone: ReadonlySet<string>,
  output: Node["outputs"][number],
  { draft }: Site,
): void {
  const left = terms.filter((id) => !gone.has(id) || replaced.has(id));
  const only = left.length === 1 ? replaced.get(left[0] ?? "")?.() : undefined;
  if (only !== undefined) {
    draft.define(output, contract, [only.left, only.right], { over: [only.over] });
    return;
  }
  const values = left.map((id) => {
    const operands = replaced.get(id)?.();
    if (operands === undefined) return id;
    return draft.add(contract, [operands.left, operands.right], { over: [operands.over] });
  });
  const last = values.pop() ?? "";
  const before = values.reduce((sum, value) => draft.add(add, [sum, value], {}));
  draft.define(output, add, [before, last], {});
}

/** In a body the right operand is the weight, a const; elsewhere an order that equal products share. */
function turnedTo(product: Product, { inside }: Site): Product | undefined {
  if (product.rows.length === 0 && product.columns.length === 0) return undefined;
  if (inside === undefined) return axesKey(product.rows) <= axesKey(product.columns) ? product : turned(product);
  const isConst = (id: string): boolean => inside.outside(id) !== undefined;
  if (isConst(product.left) === isConst(product.right)) return undefined;
  return isConst(product.right) ? product : turned(product);
}

function partOf(id: string, { over }: Product): Part {
  return { id, axis: over[0]?.id ?? "" };
}

/** Outside of loops: putting operands together must move fewer numbers than the sums that it saves. */
function pays(products: readonly Product[], { inside, draft, packs, estimate }: Site): boolean {
  if (inside !== undefined) return true;
  const cost = (side: "left" | "right"): number => {
    const parts = products.map((product) => partOf(product[side], product));
    if (packs.find(parts) !== undefined || loopOf(parts, draft.definition) !== undefined) return 0;
    return parts.reduce((sum, { id }) => sum + estimate.elements(draft.type(id)), 0);
  };
  const [first] = products;
  const out = first === undefined ? 0 : estimate.positions([...first.rows, ...first.columns, ...first.batch]);
  return cost("left") + cost("right") < (products.length - 1) * out;
}

/** Of a merged product: what is multiplied, and the axis that is summed. */
interface Operands {
  readonly left: string;
  readonly right: string;
  readonly over: string;
}

function mergedOperands(products: readonly Product[], { draft, packs, inside, outerPacks }: Site): Operands {
  const left = (product: Product): Part => partOf(product.left, product);
  const right = (product: Product): Part => partOf(inside?.outside(product.right) ?? product.right, product);
  const weights = inside === undefined ? packs : (outerPacks ?? packs);
  const known: Pack | undefined = packs.find(products.map(left)) ?? weights.find(products.map(right));
  const isLeft = packs.find(products.map(left)) !== undefined;
  const sorted = ordered(products, isLeft ? left : right, known);
  const first = left(sorted[0] ?? products[0]!).axis;
  const to = known?.to ?? draft.fresh.axis(`${plain(first)}.packed`, packedSize(sorted.map(left), draft.type));
  const a = packs.make({ parts: sorted.map(left), to });
  const b = weights.make({ parts: sorted.map(right), to });
  return { left: a, right: inside === undefined ? b : inside.constant(b), over: to.id };
}

/** An axis' name without the number that tells it from others. */
function plain(id: string): string {
  return id.replace(/~\d+$/, "");
}
