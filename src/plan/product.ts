import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, equalSizes, multiplySizes, type Size, sizeConstant } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { type ContractAttributes, contract } from "../op/contract.ts";
import type { AxisOrder } from "./layout.ts";
import type { Buffer, Place } from "./place.ts";
import type { Value } from "./value.ts";
import { type Memory, viewOf } from "./view.ts";

/** An axis, or several that lie one inside the other: its size, and how far apart neighbours are in each matrix, in elements. */
export interface Extent {
  /** Outermost first. */
  readonly axes: readonly Axis[];
  readonly size: Size;
  readonly left: Size;
  readonly right: Size;
  readonly out: Size;
}

/**
 * A contraction as products of matrices: for every position of `around`, out[m, n] += Σ_k left[m, k]·right[k, n], after the first
 * of `over`. Neighbours along n are neighbours in `out`.
 */
export interface Product {
  readonly left: Place;
  readonly right: Place;
  /** Loops over what both share, or over what is not one run of memory. */
  readonly around: readonly Extent[];
  /** Loops that add. */
  readonly over: readonly Extent[];
  readonly m: Extent;
  readonly n: Extent;
  readonly k: Extent;
  /** How the left matrix lies: whole rows, or whole columns, next to one another. */
  readonly form: "rows" | "columns";
}

/** Which operand is the right one, whose own axes lie innermost in the result; undefined where neither is. */
export function operandRoles(
  value: Value,
  order: AxisOrder,
): { readonly left: Value; readonly right: Value; readonly over: readonly string[] } | undefined {
  const { definition } = value;
  if (definition.kind !== "node" || !isNode<ContractAttributes>(definition.node, contract)) return undefined;
  const [x, y] = definition.inputs;
  const inner = order(value.axes).at(-1)?.id;
  if (x === undefined || y === undefined || inner === undefined || x.dtype !== "float" || y.dtype !== "float")
    return undefined;
  const { over } = definition.node.attributes;
  const [inX, inY] = [x, y].map((operand) => operand.axes.some((axis) => axis.id === inner));
  if (inX === inY) return undefined;
  return inX ? { left: y, right: x, over } : { left: x, right: y, over };
}

/** The contraction `value`, written to `out`, as products; undefined where its operands do not lie so in memory. */
export function planProduct(memory: Memory, order: AxisOrder, value: Value, out: Place): Product | undefined {
  const roles = operandRoles(value, order);
  if (roles === undefined) return undefined;
  const [left, right] = [viewOf(memory, roles.left)?.place, viewOf(memory, roles.right)?.place];
  if (left === undefined || right === undefined) return undefined;
  const has = (operand: Value, { id }: Axis): boolean => operand.axes.some((axis) => axis.id === id);
  const union = [...roles.left.axes, ...roles.right.axes.filter((axis) => !has(roles.left, axis))];
  const kept = union.filter((axis) => !roles.over.includes(axis.id));
  const extent = (axis: Axis): Extent => ({
    ...{ axes: [axis], size: axis.size },
    left: left.strides.get(axis.id) ?? ZERO,
    right: right.strides.get(axis.id) ?? ZERO,
    out: out.strides.get(axis.id) ?? ZERO,
  });
  const runs = (axes: readonly Axis[], place: Place): readonly Extent[] => mergeRuns(sortBy(axes, place).map(extent));
  const rows = runs(
    kept.filter((axis) => !has(roles.right, axis)),
    out,
  );
  const columns = runs(
    kept.filter((axis) => !has(roles.left, axis)),
    out,
  );
  const shared = kept.filter((axis) => has(roles.left, axis) && has(roles.right, axis)).map(extent);
  const summed = runs(
    union.filter((axis) => roles.over.includes(axis.id)),
    left,
  );
  const n = columns.at(-1) ?? UNIT;
  const m = rows.at(-1) ?? UNIT;
  const k = summed.at(-1) ?? UNIT;
  if (!isOne(n.out) && !isOne(n.size)) return undefined;
  const form = isOne(k.left) ? "rows" : isOne(m.left) || isOne(m.size) ? "columns" : undefined;
  if (form === undefined) return undefined;
  const around = [...shared, ...rows.slice(0, -1), ...columns.slice(0, -1)];
  return { left, right, around, over: summed.slice(0, -1), m, n, k, form };
}

const ZERO = constantSize(0);
const ONE = constantSize(1);
const UNIT: Extent = { axes: [], size: ONE, left: ZERO, right: ZERO, out: ZERO };

function isOne(size: Size): boolean {
  return sizeConstant(size) === 1;
}

/** Outermost first, as a place lists its strides. */
function sortBy(axes: readonly Axis[], { strides }: Place): readonly Axis[] {
  const ids = [...strides.keys()];
  return axes.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
}

/** Joins neighbours that are one run of memory in every matrix. */
function mergeRuns(extents: readonly Extent[]): readonly Extent[] {
  const merged: Extent[] = [];
  for (const inner of extents) {
    const outer = merged.at(-1);
    const follows = (key: "left" | "right" | "out"): boolean =>
      outer !== undefined && equalSizes(outer[key], multiplySizes(inner[key], inner.size));
    if (outer !== undefined && follows("left") && follows("right") && follows("out")) {
      merged[merged.length - 1] = {
        ...inner,
        axes: [...outer.axes, ...inner.axes],
        size: multiplySizes(outer.size, inner.size),
      };
    } else merged.push(inner);
  }
  return merged;
}

/** A right matrix [k, n] laid out as panels [n/8][k][8]. */
export interface Pack {
  readonly buffer: Buffer;
  /**
   * Made whole: once for all runs, in wide panels that single rows read too; or before the loop around, where there are rows enough. Else
   * part by part when it is needed.
   */
  readonly made: "once" | "before" | "when needed";
  /** The rows of each product that reads it: where all have too few, it is not made. */
  readonly rows: Size[];
}

/** One product of a sum; without `product` it is summed position by position. */
export interface ProductTerm {
  readonly value: Value;
  readonly product: Product | undefined;
  readonly pack: Pack | undefined;
}

/** Columns of a panel. */
export const PANEL = 8;
/** Columns of a panel of what is packed once: it serves single rows too, which read it from end to end. */
export const WIDE_PANEL = 32;
/** How much of k is packed at a time: a panel of it stays in the nearest cache. */
export const CHUNK = 256;
/** With fewer rows a panel is not read often enough to pay. */
export const FEW_ROWS = 4;

/** Whether the right matrix can be packed once for all steps of a loop. */
export function canPack({ right, around, over }: Product): boolean {
  const still = right.steps.length === 0 && [...around, ...over].every((extent) => sizeConstant(extent.right) === 0);
  return still && over.length === 0;
}

/** Whether wide panels are not for the most part empty. */
export function fillsPanel({ n }: Product): boolean {
  return (sizeConstant(n.size) ?? 0) >= WIDE_PANEL;
}

/** Whether there may be rows enough for packing to pay. */
export function hasManyRows({ m }: Product): boolean {
  return (sizeConstant(m.size) ?? FEW_ROWS) >= FEW_ROWS;
}

/** Equal keys are equal packed matrices. */
export function packKey({ right, n, k }: Product): string {
  const sizes = [right.offset ?? ZERO, n.size, n.right, k.size, k.right].map((size) => size.text);
  return [right.cell, ...sizes].join(" ");
}

export function packedBytes({ n, k }: Product, panel = PANEL): Size {
  const count = sizeConstant(n.size);
  const columns =
    count === undefined ? addSizes(n.size, constantSize(panel)) : constantSize(Math.ceil(count / panel) * panel);
  return multiplySizes(multiplySizes(columns, k.size), constantSize(4));
}

/** What packing in parts takes; undefined where the right matrix is better read as it lies. */
export function scratchBytes(product: Product): Size | undefined {
  const { m, n, k } = product;
  const rows = sizeConstant(m.size);
  const [direct, dots] = [isOne(n.right), isOne(k.right) && product.form === "rows"];
  if (rows !== undefined && rows < FEW_ROWS && (direct || dots)) return undefined;
  const depth = sizeConstant(k.size);
  const part = constantSize(Math.min(depth ?? CHUNK, CHUNK));
  return packedBytes({ ...product, k: { ...k, size: part } });
}
