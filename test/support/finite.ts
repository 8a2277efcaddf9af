import type { Program } from "../../src/build/program.ts";
import { orderNodes } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { createChance } from "./chance.ts";
import { numberOf, resultOf } from "./execute.ts";
import type { Feed } from "./feed.ts";

export interface FiniteOptions {
  /** Positions looked at for each weight and input; one of them is where the gradient is largest. */
  readonly positions?: number;
  /** Relative to the gradient; beside it 1e-9 is allowed for rounding. */
  readonly tolerance?: number;
  readonly step?: number;
}

export interface FiniteReport {
  /** What was compared: `gradient.` results by the name behind it. */
  readonly names: readonly string[];
  readonly compared: number;
  /** `l1.W.i[3] is 0.1, the difference quotient 0.2`. */
  readonly wrong: readonly string[];
  /** Names whose gradient is 0 everywhere. */
  readonly flat: readonly string[];
}

/** Compares every `gradient.` result with central differences of the loss, on the reference interpreter. */
export function compareWithDifferences(
  program: Program,
  { inputs, sizes }: Feed,
  options: FiniteOptions = {},
): FiniteReport {
  const { positions = 3, tolerance = 1e-5, step = 3e-5 } = options;
  const results = interpret(program.graph, inputs, sizes);
  const lossOnly = onlyResult(program.graph, "loss");
  const lossAt = (id: string, place: number, value: number): number => {
    const tensor = inputs.get(id);
    if (tensor === undefined) throw new Error(`no input %${id}`);
    const data = Float64Array.from(tensor.data);
    data[place] = value;
    return numberOf(interpret(lossOnly, new Map(inputs).set(id, { ...tensor, data }), sizes), "loss");
  };
  const wrong: string[] = [];
  const flat: string[] = [];
  const names: string[] = [];
  let compared = 0;
  const loss = numberOf(results, "loss");
  if (!Number.isFinite(loss)) wrong.push(`the loss is ${loss}`);
  for (const [result, role] of program.results) {
    if (role.kind !== "gradient") continue;
    const tensor = inputs.get(role.weight);
    const gradient = resultOf(results, result);
    if (tensor === undefined) throw new Error(`no param %${role.weight}`);
    names.push(role.weight);
    const at = (place: number): number => gradient.data[samePlace(tensor, gradient, place)] ?? Number.NaN;
    const all = Array.from(tensor.data, (_, place) => at(place));
    if (all.every((value) => value === 0)) flat.push(role.weight);
    for (const place of chosenPlaces(all, positions, role.weight)) {
      const value = tensor.data[place] ?? 0;
      const found = at(place);
      const quotient =
        (lossAt(role.weight, place, value + step) - lossAt(role.weight, place, value - step)) / (2 * step);
      const error = Math.abs(found - quotient);
      compared++;
      if (!(error <= tolerance * Math.max(Math.abs(found), Math.abs(quotient)) + 1e-9)) {
        wrong.push(`${role.weight}[${place}] is ${found}, the difference quotient ${quotient}`);
      }
    }
  }
  return { names, compared, wrong, flat };
}

/** The graph with what one result needs. */
export function onlyResult(graph: Graph, name: string): Graph {
  const results = graph.results.filter((result) => result.name === name);
  return { ...graph, results, nodes: orderNodes(graph.nodes, results) };
}

/** Where the gradient is largest, and others. */
function chosenPlaces(gradient: readonly number[], count: number, name: string): readonly number[] {
  const largest = gradient.reduce(
    (best, value, place) => (Math.abs(value) > Math.abs(gradient[best] ?? 0) ? place : best),
    0,
  );
  const others = createChance(name.length * 131 + gradient.length).shuffled(gradient.map((_, place) => place));
  return [...new Set([largest, ...others])].slice(0, count);
}

/** The row-major place in `to` of the entry at `place` in `from`; both have the same axes, perhaps in another order. */
function samePlace(
  from: { readonly axes: readonly string[]; readonly shape: readonly number[] },
  to: { readonly axes: readonly string[]; readonly shape: readonly number[] },
  place: number,
): number {
  const position = new Map<string, number>();
  let rest = place;
  for (let axis = from.axes.length - 1; axis >= 0; axis--) {
    const size = from.shape[axis] ?? 1;
    position.set(from.axes[axis] ?? "", rest % size);
    rest = Math.floor(rest / size);
  }
  return to.axes.reduce((sum, axis, index) => sum * (to.shape[index] ?? 1) + (position.get(axis) ?? 0), 0);
}
