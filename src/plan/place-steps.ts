import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, multiplySizes } from "../ir/size.ts";
import { put } from "../op/move.ts";
import type { Part } from "./concat-parts.ts";
import type { Place } from "./place.ts";
import { placeLoop } from "./place-loop.ts";
import { packBefore, placeProducts } from "./place-products.ts";
import type { Action } from "./plan.ts";
import { here, inputOf, ownPlace, type State, touch, use } from "./state.ts";
import { endReads, outputsOf, type Step } from "./steps.ts";
import type { Loop, Value } from "./value.ts";

/** Gives the outputs of kernels their places, in the order in which the kernels run. */
export function placeSteps(state: State, steps: readonly Step[]): readonly Action[] {
  return steps.flatMap((step): readonly Action[] => {
    if (step.kind === "loop") return [...packBefore(state, step), placeLoop(state, step)];
    state.position++;
    for (const output of outputsOf(step)) placeValue(state, output);
    for (const value of step.reads.keys()) use(state, value);
    if (step.kind === "concat" && isMadeOfParts(state, step.output)) return [];
    const action: Action =
      step.kind === "contract" ? placeProducts(state, step.output) : { ...here(state), kind: "kernel", kernel: step };
    if (!outputsOf(step).every((output) => state.fixed.has(output))) return [action];
    state.prepare.push(action);
    return [];
  });
}

/** Whether all inputs of a concatenation are computed where they lie in it. */
function isMadeOfParts({ parts }: State, whole: Value): boolean {
  return (
    whole.definition.kind === "node" && whole.definition.inputs.every((input) => parts.get(input)?.whole === whole)
  );
}

/** Where a value lies; chosen when it is asked for first. */
export function placeValue(state: State, value: Value): Place {
  const target = state.inPlace.has(value) ? inputOf(value) : undefined;
  const place =
    state.places.get(value) ??
    (target === undefined ? undefined : state.places.get(target)) ??
    state.wishes.get(value) ??
    partPlace(state, value) ??
    ownPlace(state, value, { loop: value.loop });
  state.places.set(value, place);
  for (const buffer of place.buffers) touch(state, buffer);
  return place;
}

function partPlace(state: State, value: Value): Place | undefined {
  const part = state.parts.get(value);
  return part === undefined ? undefined : runOf(placeValue(state, part.whole), part);
}

function runOf(whole: Place, { axis, of, start }: Part): Place {
  const stride = whole.strides.get(of) ?? constantSize(0);
  const offset = addSizes(whole.offset ?? constantSize(0), multiplySizes(start, stride));
  return { ...whole, offset, strides: new Map([...whole.strides].map(([id, own]) => [id === of ? axis : id, own])) };
}

/** Finds the `put`s that may write into their buffer's memory, because nothing reads it afterwards. */
export function markInPlace(
  state: State,
  steps: readonly Step[],
  loop: Loop | undefined,
  ends: readonly Value[],
): void {
  const later = new Set(ends.flatMap((end) => endReads(end, state.stored)));
  for (const step of steps.toReversed()) {
    if (step.kind === "put" && canOverwrite(state, step.output, loop, later)) state.inPlace.add(step.output);
    for (const value of step.reads.keys()) later.add(value);
  }
}

function canOverwrite(state: State, output: Value, loop: Loop | undefined, later: ReadonlySet<Value>): boolean {
  const buffer = inputOf(output);
  if (buffer === undefined || buffer.loop !== loop || !state.stored.has(buffer)) return false;
  if (
    buffer.definition.kind === "param" ||
    state.fixed.has(buffer) ||
    state.parts.has(buffer) ||
    state.parts.has(output)
  )
    return false;
  const wished = loop?.ys.includes(output) === true || state.wishes.has(output);
  const read = later.has(buffer) || readsElsewhere(output, buffer, state.stored);
  return !wished && !read && buffer.axes.length === output.axes.length;
}

function readsElsewhere(value: Value, buffer: Value, stored: ReadonlySet<Value>): boolean {
  if (value.definition.kind !== "node" || !isNode(value.definition.node, put)) return true;
  return value.definition.inputs.slice(1).some((input) => endReads(input, stored).includes(buffer));
}
