import type { Size } from "../../ir/size.ts";
import type { Axis } from "../../ir/type.ts";
import { add, divide, fixedSize, type Kernel, multiply, remainder, sizeTerm } from "./context.ts";
import type { Positions } from "./memory.ts";
import { nest, TYPES } from "./nest.ts";
import type { Part } from "./part.ts";
import { joinedCode, type Reduction, startCode } from "./reduction.ts";
import { writeRows } from "./rows.ts";
import { integer, type Term } from "./shader.ts";
import { THREAD } from "./thread.ts";
import { writeTile } from "./tile.ts";
import { writeDirectTile } from "./tile-direct.ts";

/** How many groups of threads work needs: the product over all of these of how many times `per` positions the sizes together have. */
export type Groups = readonly { readonly sizes: readonly Size[]; readonly per: number }[];

export function groupsOf(part: Part, threads: number, together: boolean): Groups {
  if (part.kind === "tile") {
    const { around, m, n, tile } = part.work;
    return [
      ...around.map(({ size }) => ({ sizes: [size], per: 1 })),
      { sizes: [m.size], per: tile.rows },
      { sizes: [n.size], per: tile.columns },
    ];
  }
  if (part.kind === "rows") throw new Error("internal: rows belong to a group, not to all");
  const sizes = part.axes.map((axis) => axis.size);
  return [{ sizes, per: part.kind === "each" ? threads : threads / lanesOf(part.shape, together) }];
}

/** Writes what one group of threads does of a part: of all its positions, or of those that it owns. */
export function writePart(kernel: Kernel, part: Part, group: Term | undefined): void {
  if (group === undefined) ownPart(kernel, part);
  else if (part.kind === "each") {
    const item = add(kernel, multiply(kernel, group, integer(kernel.threads)), THREAD);
    const count = countOf(kernel, part.axes);
    kernel.block(`if (${item.code} < ${count.code})`, () =>
      part.body(kernel, positionsAt(kernel, part.axes, { ...item, depth: kernel.depth() })),
    );
  } else if (part.kind === "rows") throw new Error("internal: rows belong to a group, not to all");
  else if (part.kind === "tile") {
    const write = kernel.together ? writeTile : writeDirectTile;
    write(kernel, part.work, group, part.finish);
  } else reduceTogether(kernel, part, group);
}

/** The threads of a group walk through what the group owns. */
function ownPart(kernel: Kernel, part: Part): void {
  if (part.kind === "rows" && kernel.owned !== undefined) {
    writeRows(kernel, kernel.owned, kernel.plan, part.work);
    return;
  }
  const count = countOf(kernel, part.axes);
  kernel.block(`for (var item = thread; item < ${count.code}; item += ${kernel.threads})`, () => {
    const positions = positionsAt(kernel, part.axes, { code: "item", depth: kernel.depth(), dtype: "int" });
    if (part.kind === "each") part.body(kernel, positions);
    else if (part.kind === "reduce") reduceAlone(kernel, part, positions);
    else throw new Error(`internal: a part ${part.kind} belongs to no single group`);
  });
}

function countOf(kernel: Kernel, axes: readonly Axis[]): Term {
  return axes.reduce((count, axis) => multiply(kernel, count, extentOf(kernel, axis)), integer(1));
}

/** How many positions of an axis are to be done here. */
function extentOf(kernel: Kernel, axis: Axis): Term {
  return kernel.owned?.axis === axis.id ? kernel.owned.count : sizeTerm(kernel, axis.size);
}

/** The position along each axis of the item of a number, row-major. */
function positionsAt(kernel: Kernel, axes: readonly Axis[], item: Term): Positions {
  const found = new Map<string, Term>();
  let rest = item;
  axes.toReversed().forEach((axis, index) => {
    const size = extentOf(kernel, axis);
    const last = index === axes.length - 1;
    const own = last ? rest : remainder(kernel, rest, size);
    const { owned } = kernel;
    found.set(axis.id, owned?.axis === axis.id ? add(kernel, owned.first, own) : own);
    if (!last) rest = divide(kernel, rest, size);
  });
  return found;
}

type ReducePart = Extract<Part, { readonly kind: "reduce" }>;

/** One thread joins all terms of a result. */
function reduceAlone(kernel: Kernel, part: ReducePart, positions: Positions): void {
  const reductions = part.reductions(kernel);
  const sum = startSum(kernel, reductions);
  for (const reduction of reductions) {
    nest(kernel, reduction.over, new Map(), (at) => joinTerm(kernel, reduction, sum, positions, at));
  }
  part.finish(kernel, positions, { code: sum, depth: kernel.depth(), dtype: first(reductions).dtype });
}

function first(reductions: readonly Reduction[]): Reduction {
  const [found] = reductions;
  if (found === undefined) throw new Error("internal: a reduction of nothing");
  return found;
}

function startSum(kernel: Kernel, reductions: readonly Reduction[]): string {
  const { dtype } = first(reductions);
  return kernel.variable(TYPES[dtype], startCode(kernel, first(reductions)));
}

function joinTerm(kernel: Kernel, reduction: Reduction, sum: string, positions: Positions, at: Positions): void {
  const term = reduction.term(positions, at);
  kernel.line(`${sum} = ${joinedCode(kernel, reduction, sum, term.code)};`);
}

/** Threads of a group that join the terms of one result. */
const LANES = { rows: 64, columns: 8 } as const;
/** Up to so many terms one thread joins them alone. */
const FEW_TERMS = 32;

function lanesOf({ terms, rows }: ReducePart["shape"], together: boolean): number {
  if (!together) return 1;
  const few = terms.reduce((count, size) => count * (fixedSize(size) ?? Number.POSITIVE_INFINITY), 1) <= FEW_TERMS;
  return few ? 1 : rows ? LANES.rows : LANES.columns;
}

/** Several threads share the terms of a result: each joins every so manieth, then they are joined pair by pair, always in the same order. */
function reduceTogether(kernel: Kernel, part: ReducePart, group: Term): void {
  const { threads } = kernel;
  const lanes = lanesOf(part.shape, kernel.together);
  const columns = threads / lanes;
  const { rows } = part.shape;
  const [column, lane] = rows
    ? [`thread / ${lanes}`, `thread % ${lanes}`]
    : [`thread % ${columns}`, `thread / ${columns}`];
  const own = kernel.bind(0, "int", lanes === 1 ? "thread" : column, "column");
  const item = add(kernel, multiply(kernel, group, integer(columns)), own);
  const count = countOf(kernel, part.axes);
  if (lanes === 1) {
    kernel.block(`if (${item.code} < ${count.code})`, () =>
      reduceAlone(kernel, part, positionsAt(kernel, part.axes, { ...item, depth: kernel.depth() })),
    );
    return;
  }
  const reductions = part.reductions(kernel);
  const reduction = first(reductions);
  const { dtype } = reduction;
  const laneTerm = kernel.bind(0, "int", lane, "lane");
  const sum = startSum(kernel, reductions);
  kernel.block(`if (${item.code} < ${count.code})`, () => {
    const positions = positionsAt(kernel, part.axes, { ...item, depth: kernel.depth() });
    for (const each of reductions) {
      const total = countOf(kernel, each.over);
      kernel.block(`for (var term = ${laneTerm.code}; term < ${total.code}; term += ${lanes})`, () => {
        const at = positionsAt(kernel, each.over, { code: "term", depth: kernel.depth(), dtype: "int" });
        joinTerm(kernel, each, sum, positions, at);
      });
    }
  });
  const shared = kernel.shared(`shared_${dtype}`, TYPES[dtype], threads);
  const step = rows ? 1 : columns;
  const inStep = rows && kernel.subgroups;
  if (inStep) joinInStep(kernel, reduction, sum, lanes);
  kernel.line(`${shared}[thread] = ${sum};`);
  kernel.line("workgroupBarrier();");
  // Pairs of neighbours, then pairs of pairs, whoever joins them: the order never depends on the device.
  kernel.block(`for (var half = ${inStep ? "in_step" : 1}; half < ${lanes}; half *= 2)`, () => {
    const joined = joinedCode(kernel, reduction, `${shared}[thread]`, `${shared}[thread + half * ${step}]`);
    kernel.block(`if (${laneTerm.code} % (2 * half) == 0)`, () => kernel.line(`${shared}[thread] = ${joined};`));
    kernel.line("workgroupBarrier();");
  });
  kernel.block(`if (${laneTerm.code} == 0 && ${item.code} < ${count.code})`, () => {
    const positions = positionsAt(kernel, part.axes, { ...item, depth: kernel.depth() });
    part.finish(kernel, positions, { code: `${shared}[thread]`, depth: kernel.depth(), dtype });
  });
}

/** Joins what threads have that run in step: as many as the device says, at most those of a result. */
function joinInStep(kernel: Kernel, reduction: Reduction, sum: string, lanes: number): void {
  kernel.enable("subgroups");
  const handed = (code: string): string => `subgroupShuffleXor(${code}, u32(half))`;
  const other = reduction.dtype === "bool" ? `(${handed(`select(0u, 1u, ${sum})`)} != 0u)` : handed(sum);
  kernel.block(`for (var half = 1; half < min(in_step, ${lanes}); half *= 2)`, () => {
    kernel.line(`let other = ${other};`);
    kernel.line(`${sum} = ${joinedCode(kernel, reduction, sum, "other")};`);
  });
}
