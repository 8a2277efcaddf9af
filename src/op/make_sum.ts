import type { Builder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import { type Axis, type DType, hasAxis, unionAxes } from "../ir/type.ts";
import { contract as contractOp } from "./contract.ts";
import * as make from "./make.ts";
import { expand } from "./make_move.ts";
import { mul, neg } from "./map.ts";
import { expand as expandOp, scatter } from "./move.ts";
import { type ReduceKind, reduce } from "./reduce.ts";

/**
 * Σ over axes, whether `x` has them or not (then it counts once for each position). The result has none of `axes`.
 * A sum over a product becomes one `contract`, and the product itself is never made; factors that lack the axes stay outside.
 */
export function sumOver(b: Builder, x: string, axes: readonly Axis[], name?: string): string {
  const type = b.type(x);
  const own = axes.filter((axis) => hasAxis(type, axis.id)).map((axis) => axis.id);
  const lacking = axes.filter((axis) => !hasAxis(type, axis.id));
  const sum = own.length === 0 ? x : sumOwn(b, x, own, name);
  return lacking.length === 0 ? sum : make.mul(b, sum, count(b, lacking, type.dtype));
}

function count(b: Builder, axes: readonly Axis[], dtype: DType): string {
  const number = make.countOf(b, axes);
  return dtype === "float" ? number : make.toInt(b, number);
}

/** Σ over axes that `x` has. */
function sumOwn(b: Builder, x: string, ids: readonly string[], name?: string): string {
  const node = b.definition(x);
  if (isNode(node, expandOp)) return sumExpanded(b, x, node.inputs[0] ?? "", ids);
  if (isNode(node, neg)) return make.neg(b, sumOwn(b, node.inputs[0] ?? "", ids));
  if (isNode(node, mul)) return sumProduct(b, factorsOf(b, x), ids, name);
  if (isNode(node, contractOp)) {
    return b.add(contractOp, node.inputs, { over: [...node.attributes.over, ...ids] }, name);
  }
  if (isNode(node, reduce) && node.attributes.kind === "sum") {
    return b.add(reduce, node.inputs, { kind: "sum", axes: [...node.attributes.axes, ...ids] }, name);
  }
  if (isNode(node, scatter) && !ids.includes(node.attributes.axis.id)) {
    const { axis, sum } = node.attributes;
    return b.add(scatter, node.inputs, { axis, sum: [...sum, ...ids] }, name);
  }
  return b.add(reduce, [x], { kind: "sum", axes: ids }, name);
}

function sumExpanded(b: Builder, x: string, source: string, ids: readonly string[]): string {
  const type = b.type(x);
  const summed = type.axes.filter((axis) => ids.includes(axis.id));
  return expand(
    b,
    sumOver(b, source, summed),
    type.axes.filter((axis) => !ids.includes(axis.id)),
  );
}

/**
 * The factors of a product. A factor that is an outer product itself (larger than both its own factors) is taken apart: summing
 * it in pieces is cheaper than making it.
 */
function factorsOf(b: Builder, x: string): readonly string[] {
  const node = b.definition(x);
  if (!isNode(node, mul)) return [x];
  return node.inputs.flatMap((input) => {
    const inner = b.definition(input);
    if (!isNode(inner, mul)) return [input];
    const size = b.type(input).axes.length;
    return inner.inputs.every((factor) => b.type(factor).axes.length < size) ? factorsOf(b, input) : [input];
  });
}

/** Σ over axes of a product of factors, which may each lack some. */
function sumProduct(b: Builder, factors: readonly string[], ids: readonly string[], name?: string): string {
  const touches = (factor: string) => b.type(factor).axes.some((axis) => ids.includes(axis.id));
  const outside = factors.filter((factor) => !touches(factor));
  const touching = pairUp(b, factors.filter(touches));
  // An axis that only one factor has is summed in that factor first.
  const alone = (id: string) => touching.filter((factor) => hasAxis(b.type(factor), id)).length === 1;
  const reduced = touching.map((factor) => {
    const own = ids.filter((id) => hasAxis(b.type(factor), id) && alone(id));
    return own.length === 0 ? factor : sumOwn(b, factor, own);
  });
  const shared = ids.filter((id) => !alone(id));
  const [left = "", right] = reduced;
  const only = outside.length === 0;
  const sum =
    right === undefined
      ? left
      : shared.length === 0
        ? make.mul(b, left, right)
        : b.add(contractOp, [left, right], { over: shared }, only ? name : undefined);
  return outside.reduce((product, factor) => make.mul(b, product, factor), sum);
}

/** Multiplies factors until two are left, those first whose product is no larger than one of them. */
function pairUp(b: Builder, factors: readonly string[]): readonly string[] {
  let left = [...factors];
  while (left.length > 2) {
    let best: { readonly i: number; readonly j: number; readonly growth: number } | undefined;
    for (let i = 0; i < left.length; i++)
      for (let j = i + 1; j < left.length; j++) {
        const a = b.type(left[i] ?? "").axes;
        const c = b.type(left[j] ?? "").axes;
        const growth = unionAxes(a, c).length - Math.max(a.length, c.length);
        if (best === undefined || growth < best.growth) best = { i, j, growth };
      }
    const { i, j } = best ?? { i: 0, j: 1 };
    const made = make.mul(b, left[i] ?? "", left[j] ?? "");
    left = [...left.filter((_, index) => index !== i && index !== j), made];
  }
  return left;
}

/** Σ over the named axes of a·b. */
export function contract(b: Builder, x: string, y: string, over: readonly Axis[], name?: string): string {
  return over.every((axis) => hasAxis(b.type(x), axis.id) && hasAxis(b.type(y), axis.id))
    ? b.add(contractOp, [x, y], { over: over.map((axis) => axis.id) }, name)
    : sumOver(b, make.mul(b, x, y), over, name);
}

/** max, min, any, all over those of `axes` that `x` has (it is constant along the others). */
export function reduceOver(
  b: Builder,
  kind: Exclude<ReduceKind, "sum" | "prod">,
  x: string,
  axes: readonly Axis[],
  name?: string,
): string {
  const own = axes.filter((axis) => hasAxis(b.type(x), axis.id)).map((axis) => axis.id);
  return own.length === 0 ? x : b.add(reduce, [x], { kind, axes: own }, name);
}

/** Π over axes; along those that `x` lacks it is a power. */
export function product(b: Builder, x: string, axes: readonly Axis[], name?: string): string {
  const type = b.type(x);
  const own = axes.filter((axis) => hasAxis(type, axis.id)).map((axis) => axis.id);
  const lacking = axes.filter((axis) => !hasAxis(type, axis.id));
  const result = own.length === 0 ? x : b.add(reduce, [x], { kind: "prod", axes: own }, name);
  return lacking.length === 0 ? result : make.pow(b, result, make.countOf(b, lacking));
}
