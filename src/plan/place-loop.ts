import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, multiplySizes, type Size } from "../ir/size.ts";
import { rename } from "../op/move.ts";
import type { Buffer, CarryPlan, Place } from "./place.ts";
import { markInPlace, placeSteps, placeValue } from "./place-steps.ts";
import type { Action } from "./plan.ts";
import { here, inBytes, inputOf, isComputed, ownLayout, type State, sameStrides, touch, use } from "./state.ts";
import { endReads, loopEnds, type Step } from "./steps.ts";
import type { Loop, Value } from "./value.ts";

/** Places what a loop keeps from step to step and leaves behind, then its body. */
export function placeLoop(state: State, step: Extract<Step, { readonly kind: "loop" }>): Action {
  const { loop, body } = step;
  const { stored, needed } = state;
  state.position++;
  const frame = { loop, first: state.position, touched: new Set<Buffer>() };
  const histories = placeHistories(state, loop);
  const entries = placeCollected(state, loop);
  markInPlace(state, body, loop, loopEnds(loop, needed));
  const carries = loop.carries.flatMap((carry, index) =>
    needed.has(carry) ? [planCarry(state, loop, index, entries, histories.get(carry))] : [],
  );
  for (const plan of carries) for (const value of endReads(plan.start, stored)) use(state, value);
  state.frames.push(frame);
  state.position++;
  for (const plan of carries) for (const buffer of plan.current.buffers) touch(state, buffer);
  const actions = placeSteps(state, body);
  state.position++;
  for (const end of loopEnds(loop, needed)) for (const value of endReads(end, stored)) use(state, value);
  const { plans, copies } = settleEnds(state, carries, entries);
  state.frames.pop();
  state.position++;
  for (const buffer of frame.touched) {
    buffer.first = Math.min(buffer.first, frame.first);
    buffer.last = Math.max(buffer.last, state.position);
  }
  const { first } = frame;
  return { first, last: state.position, kind: "loop", loop, carries: plans, body: [...actions, ...copies] };
}

/** A value that each step leaves, and the place where it is to lie. */
interface EntryPlace {
  readonly y: Value;
  readonly place: Place;
}

/** All values that a carry takes, one behind the other: what it is before each step and, one further, what the step leaves. */
interface History {
  readonly start: Place;
  readonly before: Place;
  readonly after: Place;
}

/** A carry that is collected before each step gets room for one more entry, so that what a step leaves is the next one's entry. */
function placeHistories(state: State, loop: Loop): ReadonlyMap<Value, History> {
  const found = new Map<Value, History>();
  loop.ys.forEach((y, index) => {
    const whole = loop.collected[index];
    const carried = y.definition.kind === "carry" && y.definition.loop === loop && state.needed.has(y);
    if (whole === undefined || !state.needed.has(whole) || !carried || found.has(y)) return;
    if (state.wishes.has(whole) || state.places.has(whole) || state.parts.has(whole)) return;
    const axes = state.order(whole.axes);
    // The steps lie one behind the other where their axis is the outermost.
    if (axes[0]?.id !== loop.axis.id) return;
    const { strides, count } = ownLayout(state, whole);
    const entry = strides.get(loop.axis.id) ?? constantSize(0);
    const bytes = inBytes(addSizes(count, entry));
    const buffer = state.cells.buffer(whole.name, bytes, { loop: loop.outer, at: state.position });
    touch(state, buffer);
    const at = (offset: Size, ids: ReadonlyMap<string, Size>): Place => ({
      ...{ cell: buffer.cell, offset, steps: [], strides: ids, buffers: [buffer] },
    });
    const rest = new Map([...strides].filter(([id]) => id !== loop.axis.id));
    const zero = constantSize(0);
    const [first, second] = loop.reverse ? [entry, zero] : [zero, entry];
    const start = loop.reverse ? multiplySizes(entry, loop.axis.size) : zero;
    state.places.set(whole, at(first, strides));
    const steps = [{ loop, stride: entry }];
    const after: Place = { ...at(second, rest), steps };
    found.set(y, { start: at(start, rest), before: { ...at(first, rest), steps }, after });
    shareHistory(state, loop, y, at(second, strides));
  });
  return found;
}

/** What the steps leave of the carry, where that is collected as well, is the same memory one entry further. */
function shareHistory(state: State, loop: Loop, carry: Value, place: Place): void {
  const next = loop.next[loop.carries.indexOf(carry)];
  const index = next === undefined ? -1 : loop.ys.indexOf(next);
  const whole = loop.collected[index];
  if (whole === undefined || !state.needed.has(whole)) return;
  if (!state.wishes.has(whole) && !state.places.has(whole) && !state.parts.has(whole)) state.places.set(whole, place);
}

/** Makes room for what the steps leave, so that they write it where it is to lie. */
function placeCollected(state: State, loop: Loop): readonly EntryPlace[] {
  return loop.collected.flatMap((whole, index) => {
    const y = loop.ys[index];
    if (y === undefined || !state.needed.has(whole)) return [];
    const { strides, steps, ...rest } = placeValue(state, whole);
    const stride = strides.get(loop.axis.id) ?? constantSize(0);
    const own = new Map([...strides].filter(([id]) => id !== loop.axis.id));
    const place: Place = { ...rest, steps: [...steps, { loop, stride }], strides: own };
    wishFor(state, loop, y, place);
    return [{ y, place }];
  });
}

/** Asks for a value to be computed at a place, where a kernel of the loop's step computes it and nothing else was asked before. */
function wishFor(state: State, loop: Loop, end: Value, place: Place): void {
  const home = homeOf(state, end, place);
  const { value } = home;
  const free = value.loop === loop && isComputed(value) && state.stored.has(value);
  if (free && !state.wishes.has(value) && !state.inPlace.has(value) && !state.parts.has(value))
    state.wishes.set(value, home.place);
}

/** The value that is computed for an end that only gives its axes other names, and its place under its own names. */
function homeOf(state: State, end: Value, place: Place): { readonly value: Value; readonly place: Place } {
  const source = inputOf(end);
  const { definition } = end;
  if (source === undefined || definition.kind !== "node" || !isNode(definition.node, rename) || state.stored.has(end)) {
    return { value: end, place };
  }
  const { from, to } = definition.node.attributes;
  const back = (id: string): string => from[to.findIndex((axis) => axis.id === id)] ?? id;
  return {
    value: source,
    place: { ...place, strides: new Map([...place.strides].map(([id, own]) => [back(id), own])) },
  };
}

/** Whether an end lies at a place, once the body is placed. */
function liesAt(state: State, end: Value, place: Place): boolean {
  const home = homeOf(state, end, place);
  const own = state.places.get(home.value);
  return (
    own !== undefined &&
    state.stored.has(home.value) &&
    own.cell === place.cell &&
    own.offset?.text === home.place.offset?.text &&
    own.steps.length === place.steps.length &&
    own.steps.every(
      ({ loop, stride }, at) => loop === place.steps[at]?.loop && stride.text === place.steps[at]?.stride.text,
    ) &&
    sameStrides(own.strides, home.place.strides)
  );
}

function planCarry(
  state: State,
  loop: Loop,
  index: number,
  entries: readonly EntryPlace[],
  history: History | undefined,
): CarryPlan {
  const [carry, next, start] = [loop.carries[index], loop.next[index], loop.starts[index]];
  if (carry === undefined || next === undefined || start === undefined)
    throw new Error("internal: a carry has no next value");
  const { cells, position: at } = state;
  const { strides, count } = ownLayout(state, carry);
  const room = (): Buffer => cells.buffer(carry.name, inBytes(count), { loop: loop.outer, at });
  const roomPlace = (buffer: Buffer): Place => ({ cell: buffer.cell, steps: [], strides, buffers: [buffer] });
  const pointer = cells.pointer();
  const settle = (
    startPlace: Place,
    buffers: readonly Buffer[],
  ): Pick<CarryPlan, "carry" | "next" | "start" | "current" | "startPlace"> => {
    for (const buffer of buffers) touch(state, buffer);
    const current: Place = { cell: pointer, steps: [], strides, buffers };
    state.places.set(carry, current);
    const final = loop.finals[index];
    if (final !== undefined) state.places.set(final, current);
    return { carry, next, start, current, startPlace };
  };
  if (isWrittenInPlace(state, next, carry)) {
    const first = room();
    return { ...settle(roomPlace(first), [first]), kind: "in place" };
  }
  if (history !== undefined) {
    wishFor(state, loop, next, history.after);
    return { ...settle(history.start, history.start.buffers), kind: "collected", entry: history.after, copy: true };
  }
  const entry = entries.find(
    ({ y, place }) =>
      y === next && isComputed(next) && sameStrides(place.strides, strides) && wishes(state, next, place),
  );
  const first = room();
  if (entry !== undefined) {
    return {
      ...settle(roomPlace(first), [first, ...entry.place.buffers]),
      kind: "collected",
      entry: entry.place,
      copy: false,
    };
  }
  const other = room();
  const nextCell = cells.pointer();
  const target: Place = { cell: nextCell, steps: [], strides, buffers: [first, other] };
  wishFor(state, loop, next, target);
  return {
    ...settle(roomPlace(first), [first, other]),
    kind: "double",
    nextCell,
    otherCell: other.cell,
    target,
    copy: true,
  };
}

function wishes(state: State, end: Value, place: Place): boolean {
  const home = homeOf(state, end, place);
  const wish = state.wishes.get(home.value);
  return wish !== undefined && wish.cell === place.cell && sameStrides(wish.strides, home.place.strides);
}

function isWrittenInPlace(state: State, next: Value, carry: Value): boolean {
  for (let at: Value | undefined = next; at !== undefined && state.inPlace.has(at); ) {
    at = inputOf(at);
    if (at === carry) return true;
  }
  return false;
}

/** Which ends of a step were not computed where they are to lie, and must be copied there. */
function settleEnds(
  state: State,
  carries: readonly CarryPlan[],
  entries: readonly EntryPlace[],
): { readonly plans: readonly CarryPlan[]; readonly copies: readonly Action[] } {
  const copies: Action[] = [];
  const copy = (from: Value, to: Place): void => {
    for (const buffer of to.buffers) touch(state, buffer);
    copies.push({ ...here(state), kind: "copy", from, source: undefined, to });
  };
  const histories = carries.flatMap((plan) => (plan.kind === "collected" && plan.copy ? [plan] : []));
  for (const { y, place } of entries) {
    // What a carry was before the step is where the step before has left it.
    const kept = histories.some((plan) => plan.carry === y && plan.entry.cell === place.cell);
    if (!kept && !liesAt(state, y, place)) copy(y, place);
  }
  for (const plan of carries) {
    const target =
      plan.kind === "double" ? plan.target : plan.kind === "collected" && plan.copy ? plan.entry : undefined;
    if (target !== undefined && !liesAt(state, plan.next, target)) copy(plan.next, target);
  }
  return { plans: carries, copies };
}
