import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import type { SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import * as make from "../../src/op/make.ts";
import * as sums from "../../src/op/make_sum.ts";
import { createChance } from "./chance.ts";
import { randomTensor } from "./tensors.ts";

/** A recurrence as equations, with numbers for its params, and where it pays as plain loops. */
export interface Recurrence {
  readonly name: string;
  readonly sizes: SizeBinding;
  /** Adds the equations; returns the values to look at, by name. Floats among them enter the loss. */
  readonly build: (b: Builder) => Readonly<Record<string, string>>;
  /** The same values by loops over arrays: `get(param, ...position)`, results row-major in the given axes. */
  readonly loops?: (get: Get, size: (name: string) => number) => Readonly<Record<string, LoopResult>>;
  /** How many scans the schedule has, nested ones counted. */
  readonly scans: number;
}

export type Get = (param: string, ...position: readonly number[]) => number;

export interface LoopResult {
  readonly axes: readonly string[];
  readonly data: readonly number[];
}

export interface BuiltRecurrence {
  readonly builder: Builder;
  readonly outputs: Readonly<Record<string, string>>;
  /** Float scalar. */
  readonly loss: string;
  /** Float params. */
  readonly wrt: readonly string[];
  readonly inputs: ReadonlyMap<string, Tensor>;
}

/** A recurrence built anew: its outputs, a scalar that depends on all of them, and random numbers for its params. */
export function buildRecurrence(recurrence: Recurrence): BuiltRecurrence {
  const builder = createBuilder(recurrence.name.replaceAll(" ", "_"));
  const outputs = recurrence.build(builder);
  const { params } = builder.finish([]);
  const chance = createChance(7);
  const inputs = new Map(params.map(({ id, type }) => [id, randomTensor(chance, type, recurrence.sizes)]));
  const floats = Object.values(outputs).filter((id) => builder.type(id).dtype === "float");
  const loss = floats
    .map((id, index) => scored(builder, id, index))
    .reduce((sum, part) => make.add(builder, sum, part));
  const wrt = params.filter(({ type }) => type.dtype === "float").map(({ id }) => id);
  return { builder, outputs, loss, wrt, inputs };
}

/** Σ (x + x²/2 + ...) with a weight, so that no entry and no output can stand in for another. */
function scored(b: Builder, id: string, index: number): string {
  const { axes } = b.type(id);
  const ramp = axes.reduce(
    (sum, axis, at) => make.add(b, sum, make.mul(b, make.num(b, 0.1 + 0.07 * at), make.toFloat(b, make.iota(b, axis)))),
    make.num(b, 0.3 + 0.2 * index),
  );
  const curve = make.add(b, id, make.mul(b, make.num(b, 0.5), make.mul(b, id, id)));
  return sums.sumOver(b, make.mul(b, curve, ramp), axes);
}

export function finishRecurrence({ builder, outputs, loss }: BuiltRecurrence): Graph {
  const results = Object.entries(outputs).map(([name, id]) => ({ name, id }));
  return builder.finish([...results, { name: "loss", id: loss }]);
}

/** Reads a tensor by position, axes in the param's order. */
export function getter(inputs: ReadonlyMap<string, Tensor>): Get {
  return (param, ...position) => {
    const tensor = inputs.get(param);
    if (tensor === undefined || position.length !== tensor.axes.length) throw new Error(`${param} is read wrongly`);
    const offset = position.reduce((at, index, axisIndex) => at * (tensor.shape[axisIndex] ?? 1) + index, 0);
    return tensor.data[offset] ?? Number.NaN;
  };
}
