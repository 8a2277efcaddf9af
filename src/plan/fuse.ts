import { isNode } from "../ir/graph.ts";
import type { Intrinsic, ScalarExpression } from "../ir/scalar.ts";
import { contract } from "../op/contract.ts";
import { gather, put, rename, reshape } from "../op/move.ts";
import { random } from "../op/source.ts";
import { isAlwaysStored } from "./access.ts";
import type { AxisOrder } from "./layout.ts";
import type { ProductSums } from "./product-sum.ts";
import type { Reader } from "./readers.ts";
import type { Item, Value, ValueGraph } from "./value.ts";
import { isView } from "./view.ts";

/** Enough of a set of values to ask it. */
type Stored = Pick<ReadonlySet<Value>, "has">;

interface Choices {
  readonly needed: ReadonlySet<Value>;
  readonly order: AxisOrder;
  readonly readers: ReadonlyMap<Value, readonly Reader[]>;
  readonly sums: ProductSums;
  readonly parts: ReadonlyMap<Value, unknown>;
  /** Without it every value that is no view of another lies in memory. */
  readonly fuse: boolean;
}

/** Why a value lies in memory instead of being computed in the kernels that read it. */
export type StoredReason =
  /** It is given, or a loop's own. */
  | "given"
  /** Its kernel is more than one expression for each position: a product, a reduction. */
  | "kind"
  /** It is computed where it lies in a concatenation. */
  | "part"
  /** What it is computed from fills a kernel already. */
  | "long"
  /** Its positions lie in memory in another order than those that it is made of. */
  | "order"
  /** A product or a look-up reads it many times. */
  | "operand"
  /** A step of a loop, or the program, leaves it. */
  | "left"
  /** It costs much, and several read it. */
  | "shared"
  /** It costs much, and a reader would compute it again along further axes. */
  | "repeated"
  /** Nothing is fused. */
  | "apart";

/**
 * Which values lie in memory, and why. All others are computed where they are read, inside the kernels of their readers: elementwise
 * chains join what comes after them, and what a loop reads at its own position is computed in the loop. A value that costs much is
 * stored where more than one reader, or a reader along further axes, would compute it again.
 */
export function chooseStored(graph: ValueGraph, choices: Choices): ReadonlyMap<Value, StoredReason> {
  const { needed, order, readers, sums, parts, fuse } = choices;
  const stored = new Map<Value, StoredReason>();
  const works = new Map<Value, number>();
  const visit = (value: Value): void => {
    if (!needed.has(value) || sums.inside.has(value)) return;
    if (sums.terms.has(value) || parts.has(value)) {
      stored.set(value, parts.has(value) ? "part" : "kind");
      return;
    }
    const work = workOf(value, stored, works);
    const reason = isAlwaysStored(value)
      ? value.definition.kind === "node"
        ? "kind"
        : "given"
      : fuse
        ? worthStoring(value, work, readers.get(value) ?? [], stored, order)
        : value.definition.kind === "node" && !isView(value, stored, order)
          ? "apart"
          : undefined;
    if (reason !== undefined) stored.set(value, reason);
    works.set(value, reason === undefined ? work : LOAD);
  };
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.kind === "value") visit(item.value);
      else {
        item.loop.carries.forEach(visit);
        walk(item.loop.body);
        [...item.loop.finals, ...item.loop.collected].forEach(visit);
      }
    }
  };
  graph.params.forEach(visit);
  walk(graph.items);
  return stored;
}

function worthStoring(
  value: Value,
  work: number,
  readers: readonly Reader[],
  stored: Stored,
  order: AxisOrder,
): StoredReason | undefined {
  const { definition } = value;
  if (definition.kind !== "node") return undefined;
  if (work > MOST_WORK) return "long";
  const { node } = definition;
  if (isNode(node, reshape) && node.attributes.from.length > 1 && !isView(value, stored, order)) return "order";
  const needsMemory = readers.some((reader) => reader.kind === "node" && isOperand(reader.value, reader.input));
  if (needsMemory && !isView(value, stored, order)) return "operand";
  // What a step or the program leaves gets memory anyway: in the kernel of what it is computed with.
  if (readers.some((reader) => isEnd(value, reader))) return isRenamed(value, readers, stored) ? undefined : "left";
  if (value.axes.length === 0 || work < DEAR) return undefined;
  if (readers.length > 1) return "shared";
  return readers.some((reader) => repeats(value, reader)) ? "repeated" : undefined;
}

/** Whether an end only gives axes other names: then it is computed under the other names where it is to lie. */
function isRenamed(value: Value, readers: readonly Reader[], stored: Stored): boolean {
  const { definition } = value;
  if (definition.kind !== "node" || !isNode(definition.node, rename)) return false;
  const [source] = definition.inputs;
  return (
    source !== undefined &&
    stored.has(source) &&
    source.loop === value.loop &&
    readers.every((reader) => reader.kind === "end")
  );
}

function isEnd(value: Value, reader: Reader): boolean {
  if (reader.kind === "result") return value.loop === undefined;
  return reader.kind === "end" && reader.loop === value.loop;
}

/** Products read their operands many times, from memory; so does whoever looks up by index. */
function isOperand(reader: Value, input: number): boolean {
  if (reader.definition.kind !== "node") return false;
  const { node } = reader.definition;
  return isNode(node, contract) || (isNode(node, put) && input === 0);
}

/** Whether a reader would compute a value more than once for each position. */
function repeats(value: Value, reader: Reader): boolean {
  if (reader.kind !== "node" || reader.value.definition.kind !== "node") return false;
  const { node, inputs } = reader.value.definition;
  if (isNode(node, gather) && reader.input === 0) return true;
  const all = inputs.flatMap((input) => input.axes);
  return (
    all.some((axis) => !value.axes.some((own) => own.id === axis.id)) || reader.value.axes.length > value.axes.length
  );
}

/** Above this a value is stored whoever reads it, so that kernels stay small. */
const MOST_WORK = 150;
/** What is cheaper is computed anew for every reader. */
const DEAR = 6;
const LOAD = 1;

/** About how many instructions a position of a value takes in the kernel of a reader. */
function workOf(value: Value, stored: Stored, works: ReadonlyMap<Value, number>): number {
  const { definition } = value;
  const of = (input: Value): number =>
    stored.has(input) ? LOAD : input.definition.kind === "entry" ? of(input.definition.of) : (works.get(input) ?? LOAD);
  if (definition.kind === "entry") return of(definition.of);
  if (definition.kind !== "node") return LOAD;
  const own =
    definition.node.op.scalar === undefined
      ? isNode(definition.node, random)
        ? RANDOM_WORK
        : 1
      : scalarWork(definition.node.op.scalar);
  return definition.inputs.reduce((sum, input) => sum + of(input), own);
}

const RANDOM_WORK = 60;

function scalarWork(expression: ScalarExpression): number {
  if (expression.kind !== "apply") return 0;
  return expression.args.reduce((sum, arg) => sum + scalarWork(arg), INTRINSIC_WORK[expression.intrinsic] ?? 1);
}

const INTRINSIC_WORK: Partial<Readonly<Record<Intrinsic, number>>> = {
  exp: 20,
  log: 25,
  log1p: 30,
  sqrt: 4,
  sin: 60,
  cos: 60,
  tanh: 20,
  sigmoid: 25,
  erf: 60,
  lgamma: 100,
  digamma: 100,
  div: 4,
  mod: 30,
  pow: 60,
};
