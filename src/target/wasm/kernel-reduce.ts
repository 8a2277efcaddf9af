import { isNode } from "../../ir/graph.ts";
import type { Axis, DType } from "../../ir/type.ts";
import { contract } from "../../op/contract.ts";
import { type ReduceKind, reduce } from "../../op/reduce.ts";
import { collect, collectSuffix, unwindow } from "../../op/window.ts";
import type { Place } from "../../plan/place.ts";
import type { Loop, Value } from "../../plan/value.ts";
import { describeKernel, type Likeness } from "./alike.ts";
import type { Context } from "./context.ts";
import { f32x4, i32x4, type Local, local, type Procedure, shuffle32, type V128, v128 } from "./encode-code.ts";
import { evaluate } from "./evaluate.ts";
import { alikeKernel, type Kernel, type Scalar } from "./kernel.ts";
import { nestSingly, placeOf, storedAxes } from "./kernel-map.ts";
import {
  loadFrom,
  type Position,
  type Positions,
  positionAlong,
  positionVector,
  storeTo,
  type Vector,
} from "./memory.ts";
import { addToPosition, clipPosition, insideOf, joinPositions } from "./position.ts";
import { type Share, shareOf } from "./share.ts";

/** What is made of all positions of some axes: `term` at each of them, joined by `kind`. */
interface Reduction {
  readonly kind: ReduceKind;
  readonly over: readonly Axis[];
  /** The axis that lies innermost in what is read, where that is known. */
  readonly innermost: string | undefined;
  readonly term: (positions: Positions) => Vector;
  /** Whether the result is added to what lies there. */
  readonly add?: boolean;
  /** The part of the result that is computed. */
  readonly share: Share | undefined;
}

/**
 * One value that reduces others: a loop nest over what stays and, inside, over what is joined. A `term` of a sum is added to what lies
 * at the output where `add` says so.
 */
export function reduceKernel(
  context: Context,
  output: Value,
  loops: readonly Loop[],
  {
    term = output,
    add = false,
    share,
  }: { readonly term?: Value; readonly add?: boolean; readonly share?: Share | undefined } = {},
): Procedure {
  const likeness = share === undefined ? likenessOf(context, output, loops, term, add) : undefined;
  return alikeKernel(context, `reduce ${term.name}`, loops, likeness, (kernel) => {
    const reduction: Reduction = { ...reductionOf(kernel, term), add, share };
    const kept = storedAxes(context, output);
    const along = reduction.over.find((axis) => axis.id === reduction.innermost);
    if (along !== undefined || kept.length === 0)
      reduceRows(kernel, output, kept, reduction, along ?? reduction.over.at(-1));
    else reduceColumns(kernel, output, kept, reduction);
  });
}

function likenessOf(
  { plan, threads }: Context,
  output: Value,
  loops: readonly Loop[],
  term: Value,
  add: boolean,
): Likeness | undefined {
  if (threads !== undefined) return undefined;
  const description = describeKernel(plan, loops, [term]);
  description.text(`reduce ${add}`);
  description.value(term);
  description.output(output);
  return description.finish();
}

function reductionOf(kernel: Kernel, output: Value): Omit<Reduction, "share"> {
  const { definition } = output;
  if (definition.kind !== "node") throw new Error(`internal: %${output.name} is no reduction`);
  const { node, inputs } = definition;
  const [x, y] = inputs;
  if (x === undefined) throw new Error(`internal: ${node.op.name} lacks its operand`);
  const { order } = kernel.context.plan;
  const innermost = order(x.axes).at(-1)?.id;
  const plain = (kind: ReduceKind, ids: readonly string[]): Omit<Reduction, "share"> => ({
    kind,
    innermost,
    over: order(x.axes.filter((axis) => ids.includes(axis.id))),
    term: (positions) => evaluate(kernel, x, positions),
  });
  if (isNode(node, reduce)) return plain(node.attributes.kind, node.attributes.axes);
  if (isNode(node, contract) && y !== undefined) return productSum(kernel, output, x, y, node.attributes.over);
  if (isNode(node, unwindow)) {
    const { axis, from, offset, stride } = node.attributes;
    return {
      ...plain("sum", [from]),
      term: (positions) => unwindowTerm(kernel, x, positions, { axis, from, offset, stride }),
    };
  }
  if (isNode(node, collect)) {
    const { axis, from, end } = node.attributes;
    return { ...plain("sum", [axis]), term: collectTerm(kernel, output, x, axis, from, 1 - end, undefined) };
  }
  if (isNode(node, collectSuffix)) {
    const { axis, from, start } = node.attributes;
    return { ...plain("sum", [axis]), term: collectTerm(kernel, output, x, axis, from, undefined, -start) };
  }
  throw new Error(`internal: ${node.op.name} is no reduction`);
}

function productSum(
  kernel: Kernel,
  output: Value,
  x: Value,
  y: Value,
  ids: readonly string[],
): Omit<Reduction, "share"> {
  const { order } = kernel.context.plan;
  const all = [...x.axes, ...y.axes.filter((axis) => !x.axes.some((own) => own.id === axis.id))];
  const over = order(all.filter((axis) => ids.includes(axis.id)));
  const inner = [x, y].map((value) => order(value.axes).at(-1)?.id);
  const along = inner.find(
    (id) => over.some((axis) => axis.id === id) && inner.every((other) => other === id || other === undefined),
  );
  return {
    kind: "sum",
    over,
    innermost: along,
    term: (positions) => {
      const factors = [x, y].map((value) => numbered(kernel, evaluate(kernel, value, positions), output.dtype));
      const [a, b] = factors;
      const depth = Math.max(...factors.map((factor) => factor.depth));
      const key = `(${factors.map((factor) => factor.key).join(" * ")})`;
      const multiply = output.dtype === "int" ? i32x4.mul : f32x4.mul;
      const code = multiply(a?.code ?? ZERO, b?.code ?? ZERO);
      return { code: kernel.bind(depth, code), depth, key, dtype: output.dtype };
    },
  };
}

const ZERO = i32x4.const(0);

/** An int as a float, where a float is wanted. */
function numbered(kernel: Kernel, value: Vector, dtype: DType): Vector {
  if (value.dtype === dtype || dtype !== "float") return value;
  return { ...value, dtype, code: kernel.bind(value.depth, f32x4.convert(value.code)) };
}

/** d[u - offset - stride·k, k] where that is inside. */
function unwindowTerm(
  kernel: Kernel,
  d: Value,
  positions: Positions,
  {
    axis,
    from,
    offset,
    stride,
  }: { readonly axis: string; readonly from: string; readonly offset: number; readonly stride: number },
): Vector {
  const moved = joinPositions(kernel, [
    { position: positionAlong(positions, axis), factor: kernel.constant(1) },
    { position: positionAlong(positions, from), factor: kernel.constant(-stride) },
  ]);
  const at = addToPosition(kernel, moved, kernel.constant(-offset));
  const length = kernel.size(sizeAlong(d, axis));
  const value = evaluate(kernel, d, new Map([...positions, [axis, clipPosition(kernel, at, length)]]));
  return masked(kernel, value, insideOf(kernel, at, length));
}

function sizeAlong(value: Value, axis: string): Axis["size"] {
  const found = value.axes.find((own) => own.id === axis);
  if (found === undefined) throw new Error(`internal: %${value.name} has no axis ${axis}`);
  return found.size;
}

/** d[t, from := u] where low ≤ t - u ≤ high; the output's own axis is u. The reduced axis t has the same name. */
function collectTerm(
  kernel: Kernel,
  output: Value,
  d: Value,
  axis: string,
  from: string,
  low: number | undefined,
  high: number | undefined,
): Reduction["term"] {
  return (positions) => {
    const u = positionAlong(positions, outerName(output, axis));
    const t = positionAlong(positions, axis);
    const [here, there] = [positionVector(kernel, t), positionVector(kernel, u)];
    const depth = Math.max(here.depth, there.depth);
    const behind = kernel.bind(depth, i32x4.sub(here.code, there.code));
    const inside = low === undefined ? i32x4.le(behind, i32x4.const(high ?? 0)) : i32x4.ge(behind, i32x4.const(low));
    const mask: Vector = {
      code: kernel.bind(depth, inside),
      depth,
      key: `from ${here.key} to ${there.key}`,
      dtype: "bool",
    };
    return masked(kernel, evaluate(kernel, d, new Map([...positions, [from, u]])), mask);
  };
}

/** Under which name the kernel keeps the position along an axis that the output has and the reduction walks as well. */
function outerName(output: Value, axis: string): string {
  return output.axes.some((own) => own.id === axis) ? `${axis} of the result` : axis;
}

function masked(kernel: Kernel, value: Vector, mask: Vector): Vector {
  const depth = Math.max(value.depth, mask.depth);
  return {
    ...value,
    depth,
    code: kernel.bind(depth, v128.and(value.code, mask.code)),
    key: `${value.key} if ${mask.key}`,
  };
}

/** The innermost loop joins: four positions at a time in several sums, which are added up at the end. */
function reduceRows(
  kernel: Kernel,
  output: Value,
  kept: readonly Axis[],
  reduction: Reduction,
  along: Axis | undefined,
): void {
  const place = placeOf(kernel.context, output);
  const outer = reduction.over.filter((axis) => axis !== along);
  const walk = (positions: Positions): void => {
    const sums = Array.from({ length: kernel.context.compact ? 1 : UNROLL }, () => kernel.variable("v128"));
    const rest = kernel.variable("v128");
    const start = startOf(reduction.kind, output.dtype);
    kernel.emit(...[...sums, rest].map((variable) => local.set(variable, start)));
    const add = (variable: Local<"v128">, at: Positions): void => {
      const term = reduction.term(withOuter(output, reduction, at, positions));
      const counted = variable === rest ? term.code : countedOnly(kernel, term.code, start);
      kernel.emit(local.set(variable, joined(reduction.kind, output.dtype, local.get(variable), counted)));
    };
    nestSingly(
      kernel,
      outer,
      (at) => {
        if (along === undefined) {
          add(rest, at);
          return;
        }
        kernel.lanes(
          kernel.size(along.size),
          (first, parts) => {
            for (let part = 0; part < parts; part++) {
              const position: Position = { kind: "run", at: first, plus: 4 * part };
              const variable = kernel.width() === 1 ? rest : sums[part];
              if (variable !== undefined) add(variable, new Map([...at, [along.id, position]]));
            }
          },
          () => UNROLL,
        );
      },
      { positions: inner(output, reduction, positions) },
    );
    const total = sums.reduce<V128>((sum, each) => joined(reduction.kind, output.dtype, sum, local.get(each)), start);
    const across = acrossLanes(kernel, reduction.kind, output.dtype, total);
    const code = kernel.bind(kernel.depth(), joined(reduction.kind, output.dtype, across, local.get(rest)));
    finish(kernel, place, positions, { code, depth: kernel.depth(), key: "total", dtype: output.dtype }, reduction);
  };
  nestSingly(kernel, kept, walk, { share: reduction.share });
}

/** Lanes that do not count are as if nothing had been joined. */
function countedOnly(kernel: Kernel, code: V128, start: V128): V128 {
  const left = kernel.left();
  if (left === undefined) return code;
  return v128.bitselect(code, start, i32x4.gt(i32x4.splat(left.code), i32x4.lanes([0, 1, 2, 3])));
}

/** How many sums are kept side by side, so that one need not wait for the other. */
const UNROLL = 4;

/** Positions of the result under the names by which terms find them. */
function inner(output: Value, { over }: Reduction, positions: Positions): Positions {
  return new Map(
    [...positions].map(([id, at]) => [over.some((axis) => axis.id === id) ? outerName(output, id) : id, at]),
  );
}

function withOuter(output: Value, reduction: Reduction, at: Positions, positions: Positions): Positions {
  return new Map([...inner(output, reduction, positions), ...at]);
}

/** The loops that join are inside; four positions of what stays are joined side by side. */
function reduceColumns(kernel: Kernel, output: Value, kept: readonly Axis[], reduction: Reduction): void {
  const place = placeOf(kernel.context, output);
  const along = kept.find((axis) => axis.id === reduction.innermost) ?? kept.at(-1);
  if (along === undefined) throw new Error("internal: a reduction has no axis to walk");
  const { kind } = reduction;
  const outer = kept.filter((axis) => axis !== along);
  const walk = (positions: Positions): void => {
    const { first: start, count } = shareOf(kernel, along, reduction.share);
    const column = (at: Scalar, parts: number): void => {
      const first = kernel.add(start, at);
      const here = Array.from({ length: parts }, (_, part): Positions => {
        return new Map([...positions, [along.id, { kind: "run", at: first, plus: 4 * part }]]);
      });
      const sums = here.map(() => kernel.variable("v128"));
      kernel.emit(...sums.map((sum) => local.set(sum, startOf(kind, output.dtype))));
      nestSingly(kernel, reduction.over, (at) =>
        here.forEach((own, part) => {
          const sum = sums[part];
          if (sum === undefined) return;
          const term = reduction.term(new Map([...inner(output, reduction, own), ...at]));
          kernel.emit(local.set(sum, joined(kind, output.dtype, local.get(sum), term.code)));
        }),
      );
      here.forEach((own, part) => {
        const code = sums[part] === undefined ? ZERO : kernel.bind(kernel.depth(), local.get(sums[part]));
        finish(kernel, place, own, { code, depth: kernel.depth(), key: "sum", dtype: output.dtype }, reduction);
      });
    };
    // Four vectors side by side use whole cache lines.
    kernel.lanes(count, column, () => UNROLL);
  };
  nestSingly(kernel, outer, walk, { share: reduction.share });
}

function finish(kernel: Kernel, place: Place, positions: Positions, value: Vector, { add = false }: Reduction): void {
  if (!add) {
    storeTo(kernel, place, positions, value);
    return;
  }
  const before = loadFrom(kernel, place, positions, value.dtype, kernel.depth());
  storeTo(kernel, place, positions, { ...value, code: f32x4.add(before.code, value.code) });
}

function startOf(kind: ReduceKind, dtype: DType): V128 {
  if (dtype === "bool") return i32x4.const(kind === "all" ? -1 : 0);
  const start = { sum: 0, prod: 1, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY, any: 0, all: 1 }[kind];
  if (dtype === "float") return f32x4.const(start);
  return i32x4.const(Math.min(Math.max(start, -(2 ** 31)), 2 ** 31 - 1));
}

function joined(kind: ReduceKind, dtype: DType, a: V128, b: V128): V128 {
  const number = dtype === "float" ? f32x4 : i32x4;
  switch (kind) {
    case "sum":
      return dtype === "bool" ? v128.or(a, b) : number.add(a, b);
    case "prod":
      return number.mul(a, b);
    case "max":
      return number.max(a, b);
    case "min":
      return number.min(a, b);
    case "any":
      return v128.or(a, b);
    case "all":
      return v128.and(a, b);
    default:
      return kind satisfies never;
  }
}

/** All four lanes joined, in every lane. */
function acrossLanes(kernel: Kernel, kind: ReduceKind, dtype: DType, value: V128): V128 {
  const bound = kernel.bind(kernel.depth(), value);
  const pairs = kernel.bind(kernel.depth(), joined(kind, dtype, bound, shuffle32(bound, bound, [2, 3, 0, 1])));
  return kernel.bind(kernel.depth(), joined(kind, dtype, pairs, shuffle32(pairs, pairs, [1, 0, 3, 2])));
}
