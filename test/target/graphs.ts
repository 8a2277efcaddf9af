import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { fillRandom } from "../../src/ir/random.ts";
import { constantSize, namedSize, type Size } from "../../src/ir/size.ts";
import { elementCount, shapeOf, type Tensor } from "../../src/ir/tensor.ts";
import type { Axis, DType, Type } from "../../src/ir/type.ts";

/** Hand-built graphs with data for them. */

export interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly sizes: ReadonlyMap<string, number>;
}

export const SIZES: ReadonlyMap<string, number> = new Map([
  ["B", 3],
  ["T", 5],
]);

export function axis(id: string, size: number | string = id): Axis {
  return { id, size: typeof size === "number" ? constantSize(size) : namedSize(size) };
}

export function type(dtype: DType, ...axes: readonly Axis[]): Type {
  return { dtype, axes };
}

export const B = axis("B");
export const T = axis("T");
export const D = axis("D", 4);
export const H = axis("H", 6);

/** Builds a graph whose results are named as given; params get pseudo-random data: integers 0 … 6, booleans, floats around 0. */
export function graphCase(name: string, build: (b: Builder) => Readonly<Record<string, string>>, sizes = SIZES): Case {
  const b = createBuilder(name.replace(/\W+/g, "_"));
  const results = Object.entries(build(b)).map(([result, id]) => ({ name: result, id }));
  const graph = b.finish(results);
  const inputs = new Map(graph.params.map((param) => [param.id, randomTensor(param.id, param.type, sizes)]));
  return { name, graph, inputs, sizes };
}

function randomTensor(name: string, { dtype, axes }: Type, sizes: ReadonlyMap<string, number>): Tensor {
  const shape = shapeOf(axes, sizes);
  const data = new Float64Array(elementCount(shape));
  fillRandom(data, dtype === "float" ? "gaussian" : "uniform", 7, name);
  const limit = dtype === "bool" ? 2 : 7;
  const values = dtype === "float" ? data.map(Math.fround) : data.map((value) => Math.floor(value * limit));
  return { dtype, axes: axes.map((own) => own.id), shape, data: values };
}

export function sizeOf(name: string): Size {
  return namedSize(name);
}
