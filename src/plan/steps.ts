import { isNode, type Node } from "../ir/graph.ts";
import { concat, put, reshape, scatter } from "../op/move.ts";
import { argmax, argmin, reduce } from "../op/reduce.ts";
import { collect, collectSuffix, unwindow } from "../op/window.ts";
import { accessesOf } from "./access.ts";
import { isSized } from "./fixed.ts";
import type { AxisOrder } from "./layout.ts";
import { operandRoles } from "./product.ts";
import type { ProductSums } from "./product-sum.ts";
import type { Item, Loop, Value, ValueGraph } from "./value.ts";

/** One kernel, or a loop of kernels. */
export type Step = (
  | /** Elementwise values over the same axes, computed together. */ {
      readonly kind: "map";
      readonly outputs: readonly Value[];
    }
  /** One value by a loop nest of its own kind. */
  | { readonly kind: KernelKind; readonly output: Value }
  | { readonly kind: "loop"; readonly loop: Loop; readonly body: readonly Step[] }
) & {
  /** What it reads of memory, and whether at its own positions only. */
  readonly reads: Reads;
};

export type Reads = ReadonlyMap<Value, boolean>;

export type Kernel = Exclude<Step, { readonly kind: "loop" }>;

export type KernelKind = "reduce" | "contract" | "arg" | "scatter" | "put" | "concat" | "merge";

/** The kernels of a graph in the order in which they run, where `stored` says which values need one. */
export function planSteps(graph: ValueGraph, choices: Choices): readonly Step[] {
  return planItems(graph.items, choices);
}

interface Choices {
  /** Whether elementwise kernels over the same axes become one. */
  readonly fuse: boolean;
  readonly needed: ReadonlySet<Value>;
  readonly stored: ReadonlySet<Value>;
  readonly sums: ProductSums;
  readonly fixed: ReadonlySet<Value>;
  readonly order: AxisOrder;
}

function planItems(items: readonly Item[], choices: Choices): readonly Step[] {
  const { needed, stored, sums } = choices;
  const drafts: Draft[] = [];
  for (const item of items) {
    if (item.kind === "loop") {
      if (isNeeded(item.loop, needed)) drafts.push(loopDraft(item.loop, choices));
    } else if (stored.has(item.value)) {
      const { value } = item;
      const reads = new Map(accessesOf(value, stored).map((access) => [access.value, access.pointwise]));
      drafts.push({
        kind: sums.terms.has(value) ? "contract" : kernelKind(value),
        outputs: [value],
        reads,
        body: undefined,
      });
    }
  }
  return orderDrafts(choices.fuse ? joinMaps(drafts, choices.fixed) : drafts, choices).map(finishDraft);
}

function isNeeded(loop: Loop, needed: ReadonlySet<Value>): boolean {
  return [...loop.finals, ...loop.collected].some((value) => needed.has(value));
}

interface Draft {
  readonly kind: KernelKind | "map" | "loop";
  readonly outputs: readonly Value[];
  readonly reads: Reads;
  readonly body: { readonly loop: Loop; readonly steps: readonly Step[] } | undefined;
}

function finishDraft({ kind, outputs, reads, body }: Draft): Step {
  if (body !== undefined) return { kind: "loop", loop: body.loop, body: body.steps, reads };
  if (kind === "map") return { kind, outputs, reads };
  const [output] = outputs;
  if (output === undefined || kind === "loop") throw new Error("internal: a kernel has no output");
  return { kind, output, reads };
}

function loopDraft(loop: Loop, choices: Choices): Draft {
  const { needed, stored } = choices;
  const steps = planItems(loop.body, choices);
  const reads = new Map<Value, boolean>();
  const outside = (value: Value): void => {
    if (!isInside(value, loop)) reads.set(value, false);
  };
  for (const step of steps) for (const value of step.reads.keys()) outside(value);
  for (const end of loopEnds(loop, needed)) endReads(end, stored).forEach(outside);
  const outputs = [...loop.finals, ...loop.collected].filter((value) => needed.has(value));
  return { kind: "loop", outputs, reads, body: { loop, steps } };
}

/** What a loop itself reads: starts, next carries and ys. */
export function loopEnds(loop: Loop, needed: ReadonlySet<Value>): readonly Value[] {
  const ends: (Value | undefined)[] = [];
  loop.carries.forEach((carry, index) => {
    if (needed.has(carry)) ends.push(loop.starts[index], loop.next[index]);
  });
  loop.collected.forEach((whole, index) => {
    if (needed.has(whole)) ends.push(loop.ys[index]);
  });
  return ends.filter((value) => value !== undefined);
}

/** What a loop's end, or the program's, reads of memory for a value. */
export function endReads(value: Value, stored: ReadonlySet<Value>): readonly Value[] {
  return stored.has(value) ? [value] : accessesOf(value, stored).map((access) => access.value);
}

/** Whether a value is computed by a loop or one inside it. */
export function isInside(value: Value, loop: Loop): boolean {
  for (let at = value.loop; at !== undefined; at = at.outer) if (at === loop) return true;
  return false;
}

export function outputsOf(step: Kernel): readonly Value[] {
  return step.kind === "map" ? step.outputs : [step.output];
}

function kernelKind(value: Value): Draft["kind"] {
  const { definition } = value;
  if (definition.kind !== "node") throw new Error(`internal: %${value.name} has no kernel`);
  return nodeKind(definition.node);
}

function nodeKind(node: Node): KernelKind | "map" {
  if (isNode(node, concat)) return "concat";
  if (isNode(node, put)) return "put";
  if (isNode(node, scatter)) return node.attributes.sum.length > 0 ? "scatter" : "map";
  if (isNode(node, reshape))
    return node.attributes.from.length > 1 && node.attributes.to.length === 1 ? "merge" : "map";
  if ([argmax, argmin].some((op) => op.name === node.op.name)) return "arg";
  return [reduce, collect, collectSuffix, unwindow].some((op) => op.name === node.op.name) ? "reduce" : "map";
}

/** Joins elementwise kernels over the same axes into one where a later one reads an earlier one at its own positions. */
function joinMaps(drafts: readonly Draft[], fixed: ReadonlySet<Value>): readonly Draft[] {
  const joined = new Set<Draft>();
  // Elementwise kernels among them, by their axes.
  const alike = new Map<string, Set<Draft>>();
  const makers: Makers = { of: new Map(), spans: new Map() };
  const make = (draft: Draft, span: Span): void => {
    makers.spans.set(draft, span);
    for (const output of draft.outputs) makers.of.set(output, draft);
  };
  for (const [index, draft] of drafts.entries()) {
    let current = draft;
    make(current, { first: index, last: index });
    const [output] = current.outputs;
    if (current.kind === "map" && output !== undefined) {
      const key = `${fixed.has(output)} ${output.axes.map(({ id }) => id).sort()}`;
      const others = alike.get(key) ?? new Set();
      for (const earlier of [...others].filter((other) => canJoin(other, draft))) {
        if (reaches(makers, earlier, current) || reaches(makers, current, earlier)) continue;
        joined.delete(earlier);
        others.delete(earlier);
        current = join(earlier, current);
        make(current, { first: Math.min(index, makers.spans.get(earlier)?.first ?? 0), last: index });
      }
      alike.set(key, others.add(current));
    }
    joined.add(current);
  }
  return [...joined];
}

/** Whether one of two elementwise kernels over the same axes reads what the other computes, or both read the same, at their own positions. */
function canJoin(earlier: Draft, later: Draft): boolean {
  const [a] = earlier.outputs;
  if (a === undefined) return false;
  if (earlier.outputs.some((output) => later.reads.get(output) === false)) return false;
  if (later.outputs.some((output) => earlier.reads.get(output) === false)) return false;
  if (earlier.outputs.some((output) => later.reads.get(output) === true)) return true;
  return (
    a.axes.length > 1 &&
    [...later.reads].some(
      ([value, same]) => same && value.axes.length === a.axes.length && earlier.reads.get(value) === true,
    )
  );
}

/** The drafts so far. */
interface Makers {
  /** What computes a value. */
  readonly of: Map<Value, Draft>;
  /** The first and the last draft that it was made of. */
  readonly spans: Map<Draft, Span>;
}

interface Span {
  readonly first: number;
  readonly last: number;
}

/** Whether one draft needs another by way of a third. */
function reaches({ of, spans }: Makers, earlier: Draft, later: Draft): boolean {
  const first = spans.get(earlier)?.first ?? 0;
  // What `later` needs itself, then what is found of these: a set goes on over what is added to it.
  const needed = new Set<Draft>();
  const need = (maker: Draft | undefined): void => {
    // A draft needs none that all its parts came before.
    if (maker !== undefined && (spans.get(maker)?.last ?? first) >= first) needed.add(maker);
  };
  for (const value of later.reads.keys()) {
    const maker = of.get(value);
    if (maker !== earlier) need(maker);
  }
  for (const draft of needed) {
    for (const value of draft.reads.keys()) {
      const maker = of.get(value);
      if (maker === earlier) return true;
      need(maker);
    }
  }
  return false;
}

function join(earlier: Draft, later: Draft): Draft {
  const reads = new Map(earlier.reads);
  for (const [value, same] of later.reads) {
    reads.set(value, same && reads.get(value) !== false);
  }
  for (const output of [...earlier.outputs, ...later.outputs]) reads.delete(output);
  return { kind: "map", outputs: [...earlier.outputs, ...later.outputs], reads, body: undefined };
}

/**
 * Each draft after what it reads, otherwise as they stand; but sums of fixed size over the same right matrix (the gradients of all gates'
 * weights) follow one another, so that it is brought near once for all.
 */
function orderDrafts(drafts: readonly Draft[], { sums, order }: Choices): readonly Draft[] {
  const makers = new Map(drafts.flatMap((draft) => draft.outputs.map((output) => [output, draft] as const)));
  const rights = new Map(drafts.map((draft) => [draft, rightOf(draft, sums, order)]));
  const readers = Map.groupBy(drafts, (draft) => rights.get(draft));
  const ordered = new Set<Draft>();
  const isReady = (draft: Draft): boolean =>
    [...draft.reads.keys()].every((value) => {
      const maker = makers.get(value);
      return maker === undefined || maker === draft || ordered.has(maker);
    });
  const visit = (draft: Draft): void => {
    if (ordered.has(draft)) return;
    for (const value of draft.reads.keys()) {
      const maker = makers.get(value);
      if (maker !== undefined && maker !== draft) visit(maker);
    }
    ordered.add(draft);
    const right = rights.get(draft);
    if (right === undefined) return;
    for (const other of readers.get(right) ?? []) if (isReady(other)) ordered.add(other);
  };
  drafts.forEach(visit);
  return [...ordered];
}

/** The right matrix of a product of fixed size. */
function rightOf({ kind, outputs }: Draft, sums: ProductSums, order: AxisOrder): Value | undefined {
  const [output] = outputs;
  if (kind !== "contract" || output === undefined || !isSized(output)) return undefined;
  const [term, ...more] = sums.terms.get(output) ?? [];
  return term === undefined || more.length > 0 ? undefined : operandRoles(term, order)?.right;
}
