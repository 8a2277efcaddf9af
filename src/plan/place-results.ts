import type { Action, Plan } from "./plan.ts";
import { here, isComputed, ownPlace, type State, touch, use } from "./state.ts";
import { endReads, outputsOf, type Step } from "./steps.ts";
import type { Value, ValueGraph } from "./value.ts";

/** The param that takes a result, by result name. */
export function feedbackParams(graph: ValueGraph, feedback: ReadonlyMap<string, string>): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  for (const [result, id] of feedback) {
    const param = graph.params.find((each) => each.name === id);
    if (param !== undefined) found.set(result, param);
  }
  return found;
}

/** Lets results that replace a param be computed over it, where nothing reads the param afterwards. */
export function wishForParams(
  state: State,
  steps: readonly Step[],
  graph: ValueGraph,
  backs: ReadonlyMap<string, Value>,
): void {
  const atEnd = new Set(graph.results.flatMap(({ value }) => endReads(value, state.stored)));
  for (const { name, value } of graph.results) {
    const param = backs.get(name);
    const place = param === undefined ? undefined : state.places.get(param);
    if (param === undefined || place === undefined || atEnd.has(param)) continue;
    if (
      state.fixed.has(value) ||
      !isComputed(value) ||
      value.loop !== undefined ||
      !state.stored.has(value) ||
      state.wishes.has(value)
    )
      continue;
    if (sameShape(value, param) && isReadBefore(steps, param, value)) state.wishes.set(value, place);
  }
}

/** Whether nothing reads a param after a value is computed, and the value's kernel at its own positions only. */
function isReadBefore(steps: readonly Step[], param: Value, value: Value): boolean {
  const maker = steps.findIndex((step) =>
    step.kind === "loop" ? step.loop.collected.includes(value) : outputsOf(step).includes(value),
  );
  const last = steps.findLastIndex((step) => step.reads.has(param));
  return maker >= 0 && (last < maker || (last === maker && steps[maker]?.reads.get(param) === true));
}

function sameShape(a: Value, b: Value): boolean {
  const fits = a.axes.every(({ id, size }) => b.axes.some((axis) => axis.id === id && axis.size.text === size.text));
  return a.dtype === b.dtype && a.axes.length === b.axes.length && fits;
}

/**
 * Results that are not computed where they are to lie are copied there: first all that need memory of their own, then those that
 * replace a param, since these may overwrite what the former read.
 */
export function placeResults(
  state: State,
  graph: ValueGraph,
  backs: ReadonlyMap<string, Value>,
): { readonly actions: readonly Action[]; readonly results: Plan["results"] } {
  const own: Action[] = [];
  const back: Action[] = [];
  state.position++;
  for (const { value } of graph.results) for (const read of endReads(value, state.stored)) use(state, read);
  const results = graph.results.map(({ name, value }) => {
    const param = backs.get(name);
    const home = param === undefined ? undefined : state.places.get(param);
    const given = state.stored.has(value) && value.definition.kind !== "param" ? state.places.get(value) : undefined;
    const place = given ?? ownPlace(state, value);
    if (given === undefined) own.push({ ...here(state), kind: "copy", from: value, source: undefined, to: place });
    if (home !== undefined && home !== place)
      back.push({ ...here(state), kind: "copy", from: value, source: place, to: home });
    return { name, value, place };
  });
  state.position++;
  for (const { place } of results) for (const buffer of place.buffers) touch(state, buffer);
  return { actions: [...own, ...back], results };
}
