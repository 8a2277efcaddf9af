import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { contract } from "../op/contract.ts";

/** A contraction seen as a product of matrices: which axes are summed, which rows and columns remain, which both share. */
export interface Product {
  readonly node: Node;
  readonly left: string;
  readonly right: string;
  readonly over: readonly Axis[];
  readonly batch: readonly Axis[];
  /** Axes of the left operand alone. */
  readonly rows: readonly Axis[];
  /** Axes of the right operand alone. */
  readonly columns: readonly Axis[];
}

/** A node as a product; undefined for other nodes, and where an axis is summed that only one operand has. */
export function productOf(node: Node | undefined, type: (id: string) => Type): Product | undefined {
  if (!isNode(node, contract)) return undefined;
  const [left = "", right = ""] = node.inputs;
  const [a, b] = [type(left), type(right)];
  const { over } = node.attributes;
  if (!over.every((id) => hasAxis(a, id) && hasAxis(b, id))) return undefined;
  const isSummed = (axis: Axis): boolean => over.includes(axis.id);
  return {
    node,
    left,
    right,
    over: a.axes.filter(isSummed),
    batch: a.axes.filter((axis) => !isSummed(axis) && hasAxis(b, axis.id)),
    rows: a.axes.filter((axis) => !isSummed(axis) && !hasAxis(b, axis.id)),
    columns: b.axes.filter((axis) => !isSummed(axis) && !hasAxis(a, axis.id)),
  };
}

/** The same product with its operands in the other order. */
export function turned(product: Product): Product {
  return { ...product, left: product.right, right: product.left, rows: product.columns, columns: product.rows };
}

/** The ids of axes in any order, as a text. */
export function axesKey(axes: readonly Axis[]): string {
  return axes
    .map((axis) => axis.id)
    .sort()
    .join(",");
}
