import type { Graph } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { constantSize, multiplySizes, type Size } from "../ir/size.ts";
import { put } from "../op/move.ts";
import { chooseStored } from "./fuse.ts";
import { type AxisOrder, axisOrder, countOf, denseStrides } from "./layout.ts";
import { neededValues } from "./needed.ts";
import { type Buffer, type CarryPlan, type Cells, createCells, type Place } from "./place.ts";
import { endReads, type Kernel, loopEnds, outputsOf, planSteps, type Step } from "./steps.ts";
import { canHoist, operandRoles, type Pack, packedBytes, packKey, type Product, type ProductTerm, planProduct, scratchBytes } from "./product.ts";
import { findProductSums, type ProductSums } from "./product-sum.ts";
import { viewOf } from "./view.ts";
import { type Loop, type NamedValue, openGraph, type Value, type ValueGraph } from "./value.ts";

/** A graph as kernels over places in memory. */
export interface Plan {
  readonly graph: ValueGraph;
  readonly order: AxisOrder;
  /** Values that lie in memory; all others are computed where they are read. */
  readonly stored: ReadonlySet<Value>;
  readonly places: ReadonlyMap<Value, Place>;
  readonly cells: Cells;
  readonly actions: readonly Action[];
  readonly results: readonly (NamedValue & { readonly place: Place })[];
  /** Positions are below it. */
  readonly length: number;
}

export type Action =
  | { readonly kind: "kernel"; readonly kernel: Kernel }
  /** A sum of products, each added to the one before. */
  | { readonly kind: "products"; readonly output: Value; readonly terms: readonly ProductTerm[] }
  /** Lays out a right matrix for the products of a loop, before the loop. */
  | { readonly kind: "pack"; readonly product: Product; readonly pack: Pack }
  /** Computes a value, or reads it from `source`, into a place that is not its own. */
  | { readonly kind: "copy"; readonly from: Value; readonly source: Place | undefined; readonly to: Place }
  | {
      readonly kind: "loop";
      readonly loop: Loop;
      readonly carries: readonly CarryPlan[];
      readonly body: readonly Action[];
    };

/** `feedback` says which param takes which result: where that is safe, the result is written over the param. */
export function planGraph(
  source: Graph,
  known: ReadonlyMap<string, number>,
  feedback: ReadonlyMap<string, string> = new Map(),
): Plan {
  const graph = openGraph(source, known);
  const needed = neededValues(graph);
  const order = axisOrder(graph);
  const sums = findProductSums(graph, needed);
  const stored = chooseStored(graph, needed, order, sums);
  const steps = planSteps(graph, needed, stored, sums);
  const state: State = {
    ...{ needed, stored, order, sums, cells: createCells(), places: new Map(), wishes: new Map(), frames: [] },
    packs: new Map(),
    inPlace: new Set(),
    position: 0,
  };
  for (const param of graph.params) state.places.set(param, densePlace(state, param, { kept: true }));
  const backs = feedbackParams(graph, feedback);
  wishForParams(state, steps, graph, backs);
  const results = graph.results.map((result) => result.value);
  markInPlace(state, steps, undefined, results);
  const actions = placeSteps(state, steps);
  const ends = placeResults(state, graph, backs);
  return {
    ...{ graph, order, stored, places: state.places, cells: state.cells },
    actions: [...actions, ...ends.actions],
    results: ends.results,
    length: state.position + 1,
  };
}

interface State {
  readonly needed: ReadonlySet<Value>;
  readonly stored: ReadonlySet<Value>;
  readonly order: AxisOrder;
  readonly sums: ProductSums;
  readonly cells: Cells;
  /** Packed matrices made before the present loops, by what they are made of. */
  readonly packs: Map<string, Pack>;
  readonly places: Map<Value, Place>;
  /** Where a value is to lie when its kernel is placed. */
  readonly wishes: Map<Value, Place>;
  readonly inPlace: Set<Value>;
  /** The loops around the present position, with what they touch of the outside. */
  readonly frames: { readonly loop: Loop; readonly first: number; readonly touched: Set<Buffer> }[];
  position: number;
}

function bytesOf(value: Value): Size {
  return multiplySizes(countOf(value.axes), constantSize(4));
}

/** Memory of its own. */
function densePlace(state: State, value: Value, options: { readonly kept?: boolean; readonly loop?: Loop | undefined } = {}): Place {
  const buffer = state.cells.buffer(value.name, bytesOf(value), { ...options, at: state.position });
  touch(state, buffer);
  return { cell: buffer.cell, steps: [], strides: denseStrides(state.order(value.axes)), buffers: [buffer] };
}

/** Keeps a buffer alive at the present position, and in all of a loop whose steps share it. */
function touch(state: State, buffer: Buffer): void {
  buffer.first = Math.min(buffer.first, state.position);
  buffer.last = Math.max(buffer.last, state.position);
  for (const frame of state.frames) if (!isOwn(buffer.loop, frame.loop)) frame.touched.add(buffer);
}

function isOwn(owner: Loop | undefined, loop: Loop): boolean {
  for (let at = owner; at !== undefined; at = at.outer) if (at === loop) return true;
  return false;
}

function use(state: State, value: Value): void {
  const place = state.places.get(value);
  if (place === undefined) throw new Error(`internal: %${value.name} has no place when it is read`);
  for (const buffer of place.buffers) touch(state, buffer);
}

function placeSteps(state: State, steps: readonly Step[]): readonly Action[] {
  return steps.flatMap((step): readonly Action[] => {
    if (step.kind === "loop") return [...packBefore(state, step), placeLoop(state, step)];
    state.position++;
    for (const output of outputsOf(step)) placeValue(state, output);
    for (const value of step.reads.keys()) use(state, value);
    return [step.kind === "contract" ? placeProducts(state, step.output) : { kind: "kernel", kernel: step }];
  });
}

function placeProducts(state: State, output: Value): Action {
  const out = placeValue(state, output);
  const terms = (state.sums.terms.get(output) ?? []).map((value): ProductTerm => {
    const product = planProduct(state, state.order, value, out);
    if (product === undefined) return { value, product, pack: undefined };
    const before = state.packs.get(packKey(product));
    if (before !== undefined) touch(state, before.buffer);
    return { value, product, pack: before ?? scratchFor(state, product) };
  });
  return { kind: "products", output, terms };
}

function scratchFor(state: State, product: Product): Pack | undefined {
  const bytes = scratchBytes(product);
  if (bytes === undefined) return undefined;
  const buffer = state.cells.buffer("packed", bytes, { loop: state.frames.at(-1)?.loop, at: state.position });
  touch(state, buffer);
  return { buffer, hoisted: false };
}

/** Packs what the products of a loop read of its outside, once for all steps. */
function packBefore(state: State, step: Extract<Step, { readonly kind: "loop" }>): readonly Action[] {
  const actions: Action[] = [];
  const visit = (output: Value): void => {
    for (const value of state.sums.terms.get(output) ?? []) {
      const right = operandRoles(value, state.order)?.right;
      const root = right === undefined ? undefined : viewOf(state, right)?.root;
      if (root === undefined || root.definition.kind === "carry" || root.loop !== step.loop.outer) continue;
      const product = planProduct(state, state.order, value, densePlaceFor(state, value));
      if (product === undefined || !canHoist(product)) continue;
      const key = packKey(product);
      if (state.packs.has(key) && state.packs.get(key)?.buffer.loop === step.loop.outer) continue;
      state.position++;
      const buffer = state.cells.buffer("packed", packedBytes(product), { loop: step.loop.outer, at: state.position });
      touch(state, buffer);
      use(state, root);
      const pack: Pack = { buffer, hoisted: true };
      state.packs.set(key, pack);
      actions.push({ kind: "pack", product, pack });
    }
  };
  const walk = (steps: readonly Step[]): void => {
    for (const each of steps) {
      if (each.kind === "loop") walk(each.body);
      else if (each.kind === "contract") visit(each.output);
    }
  };
  walk(step.body);
  return actions;
}

/** The place that a value would have to itself: for plans that depend on the order of axes only. */
function densePlaceFor(state: State, value: Value): Place {
  return { cell: 0, steps: [], strides: denseStrides(state.order(value.axes)), buffers: [] };
}

function placeValue(state: State, value: Value): Place {
  const target = state.inPlace.has(value) ? inputOf(value) : undefined;
  const place =
    state.places.get(value) ??
    (target === undefined ? undefined : state.places.get(target)) ??
    state.wishes.get(value) ??
    densePlace(state, value, { loop: value.loop });
  state.places.set(value, place);
  for (const buffer of place.buffers) touch(state, buffer);
  return place;
}

/** Finds the `put`s that may write into their buffer's memory, because nothing reads it afterwards. */
function markInPlace(state: State, steps: readonly Step[], loop: Loop | undefined, ends: readonly Value[]): void {
  const later = new Set(ends.flatMap((end) => endReads(end, state.stored)));
  for (const step of steps.toReversed()) {
    if (step.kind === "put") {
      const { output } = step;
      const buffer = inputOf(output);
      const wished = loop?.ys.includes(output) === true || state.wishes.has(output);
      const own = buffer !== undefined && buffer.loop === loop && state.stored.has(buffer) && buffer.definition.kind !== "param";
      const alone = own && !later.has(buffer) && !readsElsewhere(output, buffer, state.stored);
      if (alone && !wished && buffer.axes.length === output.axes.length) state.inPlace.add(output);
    }
    for (const value of step.reads.keys()) later.add(value);
  }
}

function inputOf({ definition }: Value): Value | undefined {
  return definition.kind === "node" ? definition.inputs[0] : undefined;
}

function readsElsewhere(value: Value, buffer: Value, stored: ReadonlySet<Value>): boolean {
  if (value.definition.kind !== "node" || !isNode(value.definition.node, put)) return true;
  return value.definition.inputs.slice(1).some((input) => endReads(input, stored).includes(buffer));
}

function placeLoop(state: State, step: Extract<Step, { readonly kind: "loop" }>): Action {
  const { loop, body } = step;
  const { stored, needed } = state;
  state.position++;
  const frame = { loop, first: state.position, touched: new Set<Buffer>() };
  const entries = placeCollected(state, loop);
  markInPlace(state, body, loop, loopEnds(loop, needed));
  const carries = loop.carries.flatMap((carry, index) => (needed.has(carry) ? [planCarry(state, loop, carry, index, entries)] : []));
  for (const plan of carries) endReads(plan.start, stored).forEach((value) => use(state, value));
  state.frames.push(frame);
  state.position++;
  for (const plan of carries) for (const buffer of plan.current.buffers) touch(state, buffer);
  const actions = placeSteps(state, body);
  state.position++;
  for (const end of loopEnds(loop, needed)) endReads(end, stored).forEach((value) => use(state, value));
  const copies = copyEnds(state, carries, entries);
  state.frames.pop();
  state.position++;
  for (const buffer of frame.touched) {
    buffer.first = Math.min(buffer.first, frame.first);
    buffer.last = Math.max(buffer.last, state.position);
  }
  return { kind: "loop", loop, carries, body: [...actions, ...copies] };
}

interface EntryPlace {
  readonly y: Value;
  readonly place: Place;
}

/** Makes room for what the steps leave, so that they write it where it is to lie. */
function placeCollected(state: State, loop: Loop): readonly EntryPlace[] {
  return loop.collected.flatMap((whole, index) => {
    const y = loop.ys[index];
    if (y === undefined || !state.needed.has(whole)) return [];
    const { cell, steps, strides, buffers } = placeValue(state, whole);
    const rest = new Map([...strides].filter(([id]) => id !== loop.axis.id));
    const stride = strides.get(loop.axis.id) ?? constantSize(0);
    const place: Place = { cell, steps: [...steps, { loop, stride }], strides: rest, buffers };
    if (y.loop === loop && isComputed(y) && state.stored.has(y) && !state.wishes.has(y)) state.wishes.set(y, place);
    return [{ y, place }];
  });
}

/** Whether a kernel, or a loop inside, computes it, so that its place can be chosen. */
function isComputed({ definition }: Value): boolean {
  return definition.kind === "node" || definition.kind === "collected";
}

function planCarry(state: State, loop: Loop, carry: Value, index: number, entries: readonly EntryPlace[]): CarryPlan {
  const next = loop.next[index];
  const start = loop.starts[index];
  if (next === undefined || start === undefined) throw new Error(`internal: the carry %${carry.name} has no next value`);
  const { cells, position: at } = state;
  const pointer = cells.pointer();
  const room = (): Buffer => cells.buffer(carry.name, bytesOf(carry), { loop: loop.outer, at });
  const first = room();
  const strides = denseStrides(state.order(carry.axes));
  const finish = (kind: DistributiveOmit<CarryPlan, CommonOfCarry>, buffers: readonly Buffer[]): CarryPlan => {
    for (const buffer of buffers) touch(state, buffer);
    const current: Place = { cell: pointer, steps: [], strides, buffers };
    state.places.set(carry, current);
    const final = loop.finals[index];
    if (final !== undefined) state.places.set(final, current);
    return { carry, next, start, current, startCell: first.cell, ...kind };
  };
  if (isWrittenInPlace(state, next, carry)) return finish({ kind: "in place" }, [first]);
  const entry = entries.find(({ y, place }) => y === next && state.wishes.get(y) === place && sameStrides(place.strides, strides));
  if (entry !== undefined && isComputed(next)) {
    return finish({ kind: "collected", entry: entry.place }, [first, ...entry.place.buffers]);
  }
  const other = room();
  const nextCell = cells.pointer();
  const target: Place = { cell: nextCell, steps: [], strides, buffers: [first, other] };
  const direct = next.loop === loop && isComputed(next) && state.stored.has(next) && !state.wishes.has(next) && !state.inPlace.has(next);
  if (direct) state.wishes.set(next, target);
  return finish({ kind: "double", nextCell, otherCell: other.cell, target, copy: !direct }, [first, other]);
}

type CommonOfCarry = "carry" | "next" | "start" | "current" | "startCell";
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function isWrittenInPlace(state: State, next: Value, carry: Value): boolean {
  for (let at: Value | undefined = next; at !== undefined && state.inPlace.has(at); ) {
    at = inputOf(at);
    if (at === carry) return true;
  }
  return false;
}

function sameStrides(a: ReadonlyMap<string, Size>, b: ReadonlyMap<string, Size>): boolean {
  return a.size === b.size && [...a].every(([id, stride]) => b.get(id)?.text === stride.text);
}

/** Ends of a step that were not computed where they are to lie. */
function copyEnds(state: State, carries: readonly CarryPlan[], entries: readonly EntryPlace[]): readonly Action[] {
  const copies: Action[] = [];
  for (const { y, place } of entries) if (state.places.get(y) !== place) copies.push({ kind: "copy", from: y, source: undefined, to: place });
  for (const plan of carries) if (plan.kind === "double" && plan.copy) copies.push({ kind: "copy", from: plan.next, source: undefined, to: plan.target });
  for (const copy of copies) if (copy.kind === "copy") for (const buffer of copy.to.buffers) touch(state, buffer);
  return copies;
}

/** The param that takes a result, by result name. */
function feedbackParams(graph: ValueGraph, feedback: ReadonlyMap<string, string>): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  for (const [result, id] of feedback) {
    const param = graph.params.find((each) => each.name === id);
    if (param !== undefined) found.set(result, param);
  }
  return found;
}

/** Lets results that replace a param be computed over it, where nothing reads the param afterwards. */
function wishForParams(state: State, steps: readonly Step[], graph: ValueGraph, backs: ReadonlyMap<string, Value>): void {
  const atEnd = new Set(graph.results.flatMap(({ value }) => endReads(value, state.stored)));
  for (const { name, value } of graph.results) {
    const param = backs.get(name);
    const place = param === undefined ? undefined : state.places.get(param);
    if (param === undefined || place === undefined || atEnd.has(param)) continue;
    if (!isComputed(value) || value.loop !== undefined || !state.stored.has(value) || state.wishes.has(value)) continue;
    if (!sameShape(value, param)) continue;
    const maker = steps.findIndex((step) =>
      step.kind === "loop" ? step.loop.collected.includes(value) : outputsOf(step).includes(value),
    );
    const last = steps.findLastIndex((step) => step.reads.has(param));
    const safe = last < maker || (last === maker && steps[maker]?.reads.get(param) === true);
    if (safe && maker >= 0) state.wishes.set(value, place);
  }
}

function sameShape(a: Value, b: Value): boolean {
  const fits = a.axes.every(({ id, size }) => b.axes.some((axis) => axis.id === id && axis.size.text === size.text));
  return a.dtype === b.dtype && a.axes.length === b.axes.length && fits;
}

/**
 * Results that are not computed where they are to lie are copied there: first all that need memory of their own, then those that
 * replace a param, since these may overwrite what the former read.
 */
function placeResults(
  state: State,
  graph: ValueGraph,
  backs: ReadonlyMap<string, Value>,
): { readonly actions: readonly Action[]; readonly results: Plan["results"] } {
  const own: Action[] = [];
  const back: Action[] = [];
  const placed: { name: string; value: Value; place: Place }[] = [];
  state.position++;
  for (const { value } of graph.results) endReads(value, state.stored).forEach((read) => use(state, read));
  for (const { name, value } of graph.results) {
    const param = backs.get(name);
    const home = param === undefined ? undefined : state.places.get(param);
    let place = state.stored.has(value) && value.definition.kind !== "param" ? state.places.get(value) : undefined;
    if (place === undefined) {
      place = densePlace(state, value);
      own.push({ kind: "copy", from: value, source: undefined, to: place });
    }
    if (home !== undefined && home !== place) back.push({ kind: "copy", from: value, source: place, to: home });
    placed.push({ name, value, place });
  }
  state.position++;
  for (const { place } of placed) for (const buffer of place.buffers) touch(state, buffer);
  return { actions: [...own, ...back], results: placed };
}
