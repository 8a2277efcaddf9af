import { type Graph, valueTypes } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { optimize } from "../../src/pass/run.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { compileWasm } from "../../src/target/wasm/compile.ts";
import type { Feed } from "./feed.ts";

/** By result name; a result's axes come in any order. */
export type Results = ReadonlyMap<string, Tensor>;

export type Run = (inputs: ReadonlyMap<string, Tensor>, sizes: SizeBinding) => Results | Promise<Results>;

/** A way to run scheduled graphs: it makes a graph ready once, the function that it gives runs it. */
export type Executor = (graph: Graph) => Run;

/** The reference, in float64. */
export const interpreter = (graph: Graph) => (inputs: ReadonlyMap<string, Tensor>, sizes: SizeBinding) =>
  interpret(graph, inputs, sizes);

/** Our own WebAssembly after all passes, with relaxed SIMD or without; `known` sizes are fixed in the code. */
export function webAssembly(known: SizeBinding, relaxed: boolean): Executor {
  return (graph) => {
    const source = { graph: optimize(graph, { sizes: known, off: new Set() }), sizes: known };
    const program = compileWasm(source, new Map(), { instructions: relaxed ? "relaxed" : "plain" });
    const runner = createWasmRunner(program);
    return (inputs, sizes) => {
      runner.bind(sizes);
      for (const [id, { data }] of inputs) runner.write(id, data);
      runner.run();
      return new Map(
        program.results.map(({ name, dtype, axes }) => {
          const { shape, data } = runner.read(name);
          return [name, { dtype, axes: axes.map((axis) => axis.id), shape, data: Float64Array.from(data) }];
        }),
      );
    };
  };
}

/** One run on the interpreter. */
export function evaluate(graph: Graph, { inputs, sizes }: Feed): Results {
  return interpret(graph, inputs, sizes);
}

/** A result that must be there. */
export function resultOf(results: Results, name: string): Tensor {
  const found = results.get(name);
  if (found === undefined) throw new Error(`no result ${name}; there are ${[...results.keys()].join(", ")}`);
  return found;
}

export function numberOf(results: Results, name: string): number {
  return resultOf(results, name).data[0] ?? Number.NaN;
}

/** The axes of a value of a graph, param or not. */
export function axesOf(graph: Graph, id: string): readonly string[] {
  return (valueTypes(graph).get(id)?.axes ?? []).map((axis) => axis.id);
}
