import { joined, transposed } from "./arrays.ts";
import type { Weights } from "./sequence.ts";

/** Which of a cell's weights: by the input, by the state, or the bias. */
export type GateKind = "W" | "U" | "b";

/** The matrices of all gates one below the other, [gates · hidden, columns]; `order` is the other library's. */
export function stackedGates(
  weights: Weights,
  prefix: string,
  kind: GateKind,
  order: readonly string[],
): Float32Array<ArrayBuffer> {
  return joined(order.map((gate) => weightData(weights, `${prefix}${kind}.${gate}`)));
}

/** The same with a gate's units in columns, [columns, gates · hidden], as Keras stores them. */
export function columnGates(
  weights: Weights,
  prefix: string,
  kind: GateKind,
  order: readonly string[],
): Float32Array<ArrayBuffer> {
  const stacked = stackedGates(weights, prefix, kind, order);
  if (kind === "b") return stacked;
  const columns = weights.get(`${prefix}${kind}.${order[0]}`)?.shape[1] ?? 0;
  return transposed(stacked, stacked.length / columns, columns);
}

/** The way back of `columnGates`: every gate's part by its own name. */
export function splitColumnGates(
  packed: Float32Array,
  prefix: string,
  kind: GateKind,
  order: readonly string[],
  hidden: number,
): ReadonlyMap<string, Float32Array> {
  const units = order.length * hidden;
  const stacked = kind === "b" ? packed : transposed(packed, packed.length / units, units);
  const size = stacked.length / order.length;
  return new Map(order.map((gate, at) => [`${prefix}${kind}.${gate}`, stacked.slice(at * size, (at + 1) * size)]));
}

export function weightData(weights: Weights, name: string): Float32Array {
  const found = weights.get(name);
  if (found === undefined) throw new Error(`the problem has no weight ${name}`);
  return found.data;
}
