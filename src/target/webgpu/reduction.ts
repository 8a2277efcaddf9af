import { isNode, type Node } from "../../ir/graph.ts";
import type { Size } from "../../ir/size.ts";
import { type Axis, type DType, unionAxes } from "../../ir/type.ts";
import { contract } from "../../op/contract.ts";
import { type ReduceKind, reduce } from "../../op/reduce.ts";
import { collect, collectSuffix, unwindow } from "../../op/window.ts";
import type { AxisOrder } from "../../plan/layout.ts";
import type { Value } from "../../plan/value.ts";
import { add, clip, inside, type Kernel, multiply, sizeTerm, subtract } from "./context.ts";
import { evaluate, whereTrue } from "./evaluate.ts";
import { type Positions, positionAlong } from "./memory.ts";
import { literalCode } from "./render.ts";
import { integer, type Term } from "./shader.ts";

/** What is made of all positions of some axes: `term` at each of them, joined by `kind`. */
export interface Reduction {
  readonly kind: ReduceKind;
  readonly dtype: DType;
  /** Outermost first. */
  readonly over: readonly Axis[];
  /** At positions of the result, and of `over` under the names that these have. */
  readonly term: (result: Positions, over: Positions) => Term;
}

/** What a reduction walks, and whether neighbours along its innermost axis lie next to one another in what is read. */
export function reductionShape(
  order: AxisOrder,
  output: Value,
): { readonly over: readonly Axis[]; readonly terms: readonly Size[]; readonly rows: boolean } {
  const { node, inputs } = madeBy(output);
  const ids = reducedIds(node);
  const all = unionAxes(...inputs.map((input) => input.axes));
  const over = order(all.filter((axis) => ids.includes(axis.id)));
  const rows = inputs.every((input) => order(input.axes).at(-1)?.id === over.at(-1)?.id);
  return { over, terms: over.map((axis) => axis.size), rows };
}

function madeBy(output: Value): { readonly node: Node; readonly inputs: readonly Value[] } {
  const { definition } = output;
  if (definition.kind !== "node") throw new Error(`internal: %${output.name} is no reduction`);
  return definition;
}

function reducedIds(node: Node): readonly string[] {
  if (isNode(node, reduce)) return node.attributes.axes;
  if (isNode(node, contract)) return node.attributes.over;
  if (isNode(node, unwindow)) return [node.attributes.from];
  if (isNode(node, collect) || isNode(node, collectSuffix)) return [node.attributes.axis];
  throw new Error(`internal: ${node.op.name} is no reduction`);
}

export function reductionOf(kernel: Kernel, output: Value): Reduction {
  const { node, inputs } = madeBy(output);
  const { over } = reductionShape(kernel.plan.order, output);
  const kind = isNode(node, reduce) ? node.attributes.kind : "sum";
  return { kind, over, dtype: output.dtype, term: termOf(kernel, output, node, inputs) };
}

function termOf(kernel: Kernel, output: Value, node: Node, [x, y]: readonly Value[]): Reduction["term"] {
  if (x === undefined) throw new Error(`internal: ${node.op.name} lacks its operand`);
  if (isNode(node, reduce)) return (result, at) => evaluate(kernel, x, new Map([...result, ...at]));
  if (isNode(node, contract) && y !== undefined) return productTerm(kernel, output, x, y);
  if (isNode(node, unwindow)) {
    const { axis, from, offset, stride } = node.attributes;
    return (result, over) => {
      // d[u - offset - stride·k, k] where that is inside.
      const back = multiply(kernel, positionAlong(over, from), integer(-stride));
      const at = add(kernel, add(kernel, positionAlong(result, axis), back), integer(-offset));
      return maskedAt(kernel, x, new Map([...result, ...over]), axis, at);
    };
  }
  if (isNode(node, collect)) {
    const { axis, from, end } = node.attributes;
    return collected(kernel, x, axis, from, 1 - end, undefined);
  }
  if (isNode(node, collectSuffix)) {
    const { axis, from, start } = node.attributes;
    return collected(kernel, x, axis, from, undefined, -start);
  }
  throw new Error(`internal: ${node.op.name} is no reduction`);
}

function productTerm(kernel: Kernel, { dtype }: Value, x: Value, y: Value): Reduction["term"] {
  const factor = (value: Value, at: Positions): Term => {
    const term = evaluate(kernel, value, at);
    if (term.dtype === dtype) return term;
    const code = term.dtype === "bool" ? `select(0.0f, 1.0f, ${term.code})` : `f32(${term.code})`;
    return kernel.bind(term.depth, dtype, dtype === "int" ? `select(0, 1, ${term.code})` : code);
  };
  return (result, at) => {
    const positions = new Map([...result, ...at]);
    const [a, b] = [factor(x, positions), factor(y, positions)];
    return kernel.bind(Math.max(a.depth, b.depth), dtype, `${a.code} * ${b.code}`, "product");
  };
}

/** The value at a position of an axis where there is one, else zero. */
function maskedAt(kernel: Kernel, value: Value, positions: Positions, axis: string, at: Term): Term {
  const size = value.axes.find((own) => own.id === axis)?.size;
  if (size === undefined) throw new Error(`internal: %${value.name} has no axis ${axis}`);
  const length = sizeTerm(kernel, size);
  const term = evaluate(kernel, value, new Map([...positions, [axis, clip(kernel, at, length)]]));
  return whereTrue(kernel, inside(kernel, at, length), term, value.name);
}

/** Terms d[t, from = u] over the t with low ≤ t - u ≤ high; the result's position u is along `axis`. */
function collected(
  kernel: Kernel,
  d: Value,
  axis: string,
  from: string,
  low: number | undefined,
  high: number | undefined,
): Reduction["term"] {
  return (result, over) => {
    const u = positionAlong(result, axis);
    const t = positionAlong(over, axis);
    const term = evaluate(kernel, d, new Map([...result, [axis, t], [from, u]]));
    const behind = subtract(kernel, t, u);
    const condition = low === undefined ? `${behind.code} <= ${high ?? 0}` : `${behind.code} >= ${low}`;
    return whereTrue(kernel, kernel.bind(behind.depth, "bool", condition), term, d.name);
  };
}

/** Of no positions. */
export function startCode(kernel: Kernel, { kind, dtype }: Pick<Reduction, "kind" | "dtype">): string {
  if (dtype === "bool") return kind === "all" ? "true" : "false";
  const start = { sum: 0, prod: 1, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY, any: 0, all: 1 }[kind];
  return literalCode(kernel, start, dtype);
}

export function joinedCode(
  kernel: Kernel,
  { kind, dtype }: Pick<Reduction, "kind" | "dtype">,
  a: string,
  b: string,
): string {
  switch (kind) {
    case "sum":
      return dtype === "bool" ? `${a} || ${b}` : `${a} + ${b}`;
    case "prod":
      return `${a} * ${b}`;
    case "max":
    case "min":
      return dtype === "float" ? `${kernel.needs(`${kind}_number`)}(${a}, ${b})` : `${kind}(${a}, ${b})`;
    case "any":
      return `${a} || ${b}`;
    case "all":
      return `${a} && ${b}`;
    default:
      return kind satisfies never;
  }
}
