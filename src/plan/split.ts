import { isNode } from "../ir/graph.ts";
import { sizeConstant } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { concat, put, scatter } from "../op/move.ts";
import type { AxisOrder } from "./layout.ts";
import { insideOf, startsAtPanels } from "./part.ts";
import type { Action } from "./plan.ts";
import { type Extent, PANEL, type Pack, type Product, type ProductTerm, WIDE_PANEL } from "./product.ts";
import type { Kernel } from "./steps.ts";

/** How threads divide an action. No sum is ever divided: every number is computed by one thread as if there were no other. */
export type Split =
  /** Each takes a run of the positions along an axis that the result has. */
  | { readonly kind: "axis"; readonly axis: Axis }
  /** Each does all of it, in memory of its own. */
  | { readonly kind: "each" }
  | { readonly kind: "one" };

/** An action without actions inside. */
export type Leaf = Exclude<Action, { readonly kind: "loop" }>;

/** By which axis an action is divided where nothing else decides: the first that is sure to be long, else the longest. */
export function chooseSplit(order: AxisOrder, action: Leaf): Split {
  return longestOf(splitAxes(order, action));
}

export function longestOf(axes: readonly Axis[]): Split {
  const length = ({ size }: Axis): number => sizeConstant(size) ?? Number.POSITIVE_INFINITY;
  const axis = axes.find((each) => length(each) >= LONG) ?? axes.toSorted((a, b) => length(b) - length(a))[0];
  return axis === undefined || length(axis) <= 1 ? { kind: "one" } : { kind: "axis", axis };
}

const LONG = 32;

/** The axes along which the code of an action can do a part, better choices first. */
export function splitAxes(order: AxisOrder, action: Leaf): readonly Axis[] {
  switch (action.kind) {
    case "kernel":
      return kernelAxes(order, action.kernel);
    case "copy":
      return order(action.from.axes);
    case "pack":
      return present([action.product.n].filter((columns) => startsAtPanels(columns, PANEL_OF[action.pack.made])));
    case "products":
      return action.terms
        .map((term) => termAxes(order, term))
        .reduce((common, axes) => common.filter(({ id }) => axes.some((own) => own.id === id)));
    default:
      return action satisfies never;
  }
}

function kernelAxes(order: AxisOrder, kernel: Kernel): readonly Axis[] {
  const [output] = kernel.kind === "map" ? kernel.outputs : [kernel.output];
  if (output?.definition.kind !== "node") return [];
  const { node, inputs } = output.definition;
  if (kernel.kind === "merge") return order(inputs[0]?.axes ?? []);
  // Along what an index or an offset says, neighbours are written in no order that could be divided.
  const scattered =
    isNode(node, scatter) && kernel.kind === "scatter"
      ? node.attributes.axis.id
      : isNode(node, put)
        ? node.attributes.axis
        : isNode(node, concat)
          ? node.attributes.to.id
          : undefined;
  return order(output.axes).filter(({ id }) => id !== scattered);
}

function termAxes(order: AxisOrder, { value, product, pack }: ProductTerm): readonly Axis[] {
  if (product === undefined) return order(value.axes);
  const { around, m, n } = product;
  const columns = pack === undefined || startsAtPanels(n, PANEL_OF[pack.made]) ? [n] : [];
  // Columns first where a right matrix is laid out part by part: each thread then lays out its own columns only.
  const [first, second] = fixedAndLong(n) && variesBelow(product) ? [columns, [m]] : [[m], columns];
  return present([...around, ...first, ...second].filter((extent) => insideOf(extent) !== undefined));
}

/** What columns must start at a multiple of. */
const PANEL_OF: Readonly<Record<Pack["made"], number>> = { once: WIDE_PANEL, before: PANEL, "when needed": 1 };

function fixedAndLong({ axes: [axis] }: Extent): boolean {
  return axis !== undefined && (sizeConstant(axis.size) ?? 0) >= LONG;
}

/** Whether the rows are few beside what is summed, as in the gradient of a weight. */
function variesBelow({ m, k, over }: Product): boolean {
  return sizeConstant(m.size) !== undefined && (over.length > 0 || sizeConstant(k.size) === undefined);
}

function present(extents: readonly Extent[]): readonly Axis[] {
  return extents.flatMap(({ axes }) => axes.slice(0, 1));
}
