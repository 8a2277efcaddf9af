import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import { constantSize, multiplySizes, type Size, sizeConstant, subtractSizes } from "../ir/size.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import * as maps from "../op/map.ts";
import { concat, expand, rename, reshape, slice } from "../op/move.ts";
import type { ReduceKind } from "../op/reduce.ts";
import type { ScanAttributes } from "../op/region.ts";
import { constant } from "../op/source.ts";
import { copyNodes } from "./copy-body.ts";
import { createDraft, type Draft } from "./draft.ts";
import { closeLoop, type Loop, openLoop, stackedType } from "./loop.ts";
import { resizeNode } from "./resize.ts";
import type { Part, Sweeps } from "./sweeps.ts";
import { wholeChunks } from "./whole-chunks.ts";

/** A run of an axis that is walked in chunks of one length: whole chunks, or the one that is left over at the end. */
interface Stretch {
  /** The run itself, the chunks that it is, and the steps of each. */
  readonly run: Axis;
  readonly chunk: Axis;
  readonly step: Axis;
  /** Where it starts. */
  readonly start: Size;
}

/** The region with all that `sweeps` divides computed chunk by chunk. */
export function walkChunks(graph: Graph, axis: Axis, length: number, sweeps: Sweeps, draft: Draft): Graph {
  const chunks = wholeChunks(axis.size, length);
  const main = multiplySizes(chunks, constantSize(length));
  const rest = subtractSizes(axis.size, main);
  const stretch = (name: string, count: Size, size: Size, start: Size): Stretch => ({
    run: draft.fresh.axis(`${axis.id}.${name}`, multiplySizes(count, size)),
    chunk: draft.fresh.axis(`${axis.id}.${name}.chunk`, count),
    step: draft.fresh.axis(`${axis.id}.${name}.step`, size),
    start,
  });
  const walk: Walk = {
    ...{ graph, axis, sweeps, draft, states: new Map() },
    stretches: [
      stretch("main", chunks, constantSize(length), constantSize(0)),
      ...(sizeConstant(rest) === 0 ? [] : [stretch("rest", constantSize(1), rest, main)]),
    ],
    makers: new Map(sweeps.parts.flatMap((part) => part.node.outputs.map(({ id }) => [id, part] as const))),
  };
  const divided = new Set(sweeps.parts.map(({ node }) => node));
  for (const node of graph.nodes) if (!divided.has(node)) draft.keep(node);
  for (let sweep = 0; sweep < sweeps.count; sweep++) runSweep(walk, sweep);
  return draft.finishSorted();
}

interface Walk {
  readonly graph: Graph;
  readonly axis: Axis;
  readonly sweeps: Sweeps;
  readonly draft: Draft;
  readonly stretches: readonly Stretch[];
  readonly makers: ReadonlyMap<string, Part>;
  /** What was kept of a loop's carries before each chunk, by stretch. */
  readonly states: Map<Node, ReadonlyMap<Stretch, readonly string[]>>;
}

/** What a walk is to give. */
interface Targets {
  readonly loops: readonly Node<ScanAttributes>[];
  readonly joins: readonly Extract<Part, { readonly kind: "join" }>[];
  /** Values that are wanted whole. */
  readonly whole: readonly string[];
  /** Loops whose state is kept at the chunks' ends, because a later walk computes their steps again. */
  readonly kept: ReadonlySet<Node>;
}

function targetsOf({ sweeps }: Walk, sweep: number, needed: (later: number) => ReadonlySet<Node>): Targets {
  const own = sweeps.parts.filter(({ node }) => sweeps.of.get(node) === sweep);
  const later = Array.from({ length: sweeps.count - sweep - 1 }, (_, index) => needed(sweep + 1 + index));
  return {
    loops: own.flatMap((part) => (part.kind === "steps" ? [part.node] : [])),
    joins: own.flatMap((part) => (part.kind === "join" ? [part] : [])),
    whole: [...sweeps.whole].filter(([, walk]) => walk === sweep).map(([id]) => id),
    kept: new Set(own.map(({ node }) => node).filter((node) => later.some((nodes) => nodes.has(node)))),
  };
}

/** What must be computed of a chunk for a walk. */
function neededParts(walk: Walk, sweep: number): ReadonlySet<Node> {
  const { sweeps, makers } = walk;
  const found = new Set<Node>();
  const open: Node[] = sweeps.parts.map(({ node }) => node).filter((node) => sweeps.of.get(node) === sweep);
  for (const [id, at] of sweeps.whole) {
    const maker = makers.get(id);
    if (at === sweep && maker !== undefined) open.push(maker.node);
  }
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const id of node.inputs) {
      const maker = makers.get(id);
      // What lacks the axis, or is there whole, was finished before.
      const isThere = (sweeps.whole.get(id) ?? sweep) < sweep || !hasAxis(walk.draft.type(id), walk.axis.id);
      if (maker !== undefined && !isThere) open.push(maker.node);
    }
  }
  return found;
}

function runSweep(walk: Walk, sweep: number): void {
  const { draft, sweeps, stretches, axis } = walk;
  const needed = neededParts(walk, sweep);
  if (needed.size === 0) return;
  const targets = targetsOf(walk, sweep, (later) => neededParts(walk, later));
  const parts = sweeps.parts.filter(({ node }) => needed.has(node));
  let carries = startsOf(targets, draft);
  const states = new Map<Stretch, readonly string[]>();
  const wholes = new Map<Stretch, readonly string[]>();
  for (const stretch of sweep % 2 === 0 ? stretches : stretches.toReversed()) {
    const made = runStretch(walk, { stretch, parts, targets, reverse: sweep % 2 === 1 }, carries);
    carries = made.carries;
    states.set(stretch, made.states);
    wholes.set(stretch, made.whole);
  }
  const ends = [
    ...targets.loops.flatMap((loop) => openLoop(loop).carries.map((carry) => carry.last)),
    ...targets.joins.map(({ node }) => node.outputs[0]),
  ];
  ends.forEach((end, index) => {
    if (end !== undefined) draft.define(end, expand, [carries[index] ?? ""], { axes: [] });
  });
  targets.whole.forEach((id, index) => {
    const values = stretches.map((stretch) => wholes.get(stretch)?.[index] ?? "");
    const axes = stretches.map(({ run }) => run.id);
    draft.define({ id, type: draft.type(id) }, concat, values, { axes, to: axis });
  });
  let first = 0;
  for (const loop of targets.loops.filter((each) => targets.kept.has(each))) {
    const count = loop.attributes.carries;
    const from = first;
    const ofLoop = [...states].map(([stretch, all]) => [stretch, all.slice(from, from + count)] as const);
    walk.states.set(loop, new Map(ofLoop));
    first += count;
  }
}

/** What loops start with, and what joins do. */
function startsOf({ loops, joins }: Targets, draft: Draft): readonly string[] {
  const starts = joins.map(({ node, by }) => {
    const type = node.outputs[0]?.type ?? { dtype: "float", axes: [] };
    const start = draft.add(constant, [], { value: JOIN[by].start(type.dtype), dtype: type.dtype }, "c");
    return type.axes.length === 0 ? start : draft.add(expand, [start], { axes: type.axes });
  });
  return [...loops.flatMap((loop) => openLoop(loop).carries.map((carry) => carry.start)), ...starts];
}

interface Join {
  readonly start: (dtype: Type["dtype"]) => number;
  readonly op: (dtype: Type["dtype"]) => Op<Record<never, never>>;
}

const always =
  <T>(value: T) =>
  (): T =>
    value;

/** How what chunks give is joined. A sum of booleans is whether there is any. */
const JOIN: Readonly<Record<ReduceKind, Join>> = {
  sum: { start: always(0), op: (dtype) => (dtype === "bool" ? maps.or : maps.add) },
  prod: { start: always(1), op: (dtype) => (dtype === "bool" ? maps.and : maps.mul) },
  max: { start: always(Number.NEGATIVE_INFINITY), op: always(maps.maximum) },
  min: { start: always(Number.POSITIVE_INFINITY), op: always(maps.minimum) },
  any: { start: always(0), op: always(maps.or) },
  all: { start: always(1), op: always(maps.and) },
};

interface StretchJob {
  readonly stretch: Stretch;
  /** In order. */
  readonly parts: readonly Part[];
  readonly targets: Targets;
  readonly reverse: boolean;
}

interface StretchMade {
  readonly carries: readonly string[];
  readonly states: readonly string[];
  readonly whole: readonly string[];
}

/** A loop over the chunks of a stretch. */
function runStretch(walk: Walk, job: StretchJob, starts: readonly string[]): StretchMade {
  const { draft, graph } = walk;
  const { stretch, parts, targets, reverse } = job;
  const body = createDraft({ name: graph.name, params: [], nodes: [], results: [] }, draft);
  const room = createRoom(walk, stretch, body);
  const carries = starts.map((start) => body.param({ id: draft.fresh.value(start), type: draft.type(start) }));
  const next: string[] = [];
  for (const part of parts) {
    const { node } = part;
    if (part.kind === "steps" && targets.loops.includes(part.node)) {
      const count = part.node.attributes.carries;
      const at = offsetOf(targets, part.node);
      const finals = room.steps(part.node, carries.slice(at, at + count));
      finals.forEach((final, index) => {
        next[at + index] = final;
      });
    } else if (part.kind === "steps") {
      room.steps(part.node, (walk.states.get(part.node)?.get(stretch) ?? []).map(room.entry));
    } else if (part.kind === "join") {
      const at = carries.length - targets.joins.length + targets.joins.indexOf(part);
      const [given = ""] = room.copy(node);
      const dtype = node.outputs[0]?.type.dtype ?? "float";
      next[at] = body.add(JOIN[part.by].op(dtype), [carries[at] ?? "", given], {});
    } else room.copy(node);
  }
  const kept = targets.loops.flatMap((loop) => {
    const at = offsetOf(targets, loop);
    return targets.kept.has(loop) ? carries.slice(at, at + loop.attributes.carries) : [];
  });
  const whole = targets.whole.map((id) => room.renamed(room.value(id)));
  const lasts = starts.map((start) => ({ id: draft.fresh.value(start), type: draft.type(start) }));
  const ys = [...kept, ...whole].map((inside) => {
    const type = stackedType(body.type(inside), stretch.chunk);
    return { inside, output: { id: draft.fresh.value(inside), type } };
  });
  const results = [...next, ...kept, ...whole].map((id) => ({ name: id, id }));
  const loop: Loop = {
    ...{ axis: stretch.chunk, reverse, name: graph.name, origin: parts[0]?.node.origin },
    ...room.passed(),
    carries: carries.map((id, index) => ({
      start: starts[index] ?? "",
      param: { id, type: body.type(id) },
      next: next[index] ?? "",
      last: lasts[index] ?? { id, type: body.type(id) },
    })),
    ys,
    nodes: body.finish(results).nodes,
  };
  draft.keep(closeLoop(loop));
  const stacks = ys.map(({ output }) => output.id);
  const back = { from: [stretch.chunk.id, stretch.step.id], to: [stretch.run] };
  return {
    carries: lasts.map(({ id }) => id),
    states: stacks.slice(0, kept.length),
    whole: stacks.slice(kept.length).map((id) => draft.add(reshape, [id], back)),
  };
}

function offsetOf({ loops }: Targets, loop: Node): number {
  let offset = 0;
  for (const each of loops) {
    if (each === loop) return offset;
    offset += each.attributes.carries;
  }
  throw new Error("internal: a loop is not of this walk");
}

/** The body of a loop over chunks while it is written: what it takes from outside comes in when it is asked for. */
interface Room {
  /** What the body calls a value of the region: a chunk of it, where it has the axis. */
  value(id: string): string;
  /** The entry of a stack of one value for each chunk. */
  entry(stack: string): string;
  copy(node: Node): readonly string[];
  /** A loop over the chunk's steps; gives the names of its final carries. */
  steps(node: Node<ScanAttributes>, starts: readonly string[]): readonly string[];
  /** A chunk under the name that its axis has outside. */
  renamed(id: string): string;
  passed(): Pick<Loop, "consts" | "xs">;
}

function createRoom({ axis, draft }: Walk, { run, chunk, step, start }: Stretch, body: Draft): Room {
  const values = new Map<string, string>();
  const consts: Loop["consts"][number][] = [];
  const xs: Loop["xs"][number][] = [];
  const inner: Axis = { id: axis.id, size: step.size };
  const entry = (stack: string): string => {
    const { dtype, axes } = draft.type(stack);
    const param: Value = {
      id: draft.fresh.value(stack),
      type: { dtype, axes: axes.filter(({ id }) => id !== chunk.id) },
    };
    xs.push({ outside: stack, param });
    return body.param(param);
  };
  const value = (id: string): string => {
    const before = values.get(id);
    if (before !== undefined) return before;
    const type = draft.type(id);
    let own: string;
    if (hasAxis(type, axis.id)) {
      const part = draft.add(slice, [id], { axis: axis.id, to: run, start });
      const stack = draft.add(reshape, [part], { from: [run.id], to: [chunk, step] });
      own = body.add(rename, [entry(stack)], { from: [step.id], to: [inner] });
    } else {
      const param: Value = { id: draft.fresh.value(id), type };
      consts.push({ outside: id, param });
      own = body.param(param);
    }
    values.set(id, own);
    return own;
  };
  const copyWith = (node: Node, inputs: readonly string[]): readonly string[] => {
    const resized = resizeNode(node, axis.id, inner.size);
    const names = new Map(node.inputs.map((id, index) => [id, inputs[index] ?? ""]));
    // An input may stand twice under two names: the copy takes them by position.
    const [copied] = copyNodes([{ ...resized, inputs: [] }], names, draft.fresh);
    if (copied === undefined) return [];
    body.keep({ ...copied, inputs });
    node.outputs.forEach(({ id, type }, index) => {
      // What lacks the axis is the chunk's share only.
      if (hasAxis(type, axis.id)) values.set(id, copied.outputs[index]?.id ?? "");
    });
    return copied.outputs.map(({ id }) => id);
  };
  return {
    value,
    entry,
    copy: (node) => copyWith(node, node.inputs.map(value)),
    steps: (node, starts) => {
      const { consts: fixed, carries } = node.attributes;
      const inputs = node.inputs.map((id, index) => starts[index - fixed] ?? value(id));
      return copyWith(node, inputs).slice(0, carries);
    },
    renamed: (id) => body.add(rename, [id], { from: [axis.id], to: [step] }),
    passed: () => ({ consts, xs }),
  };
}
