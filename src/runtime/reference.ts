import { feedbackOf } from "../build/feedback.ts";
import { resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import type { Value } from "../ir/graph.ts";
import { interpret } from "../ir/interpret.ts";
import type { SizeBinding } from "../ir/size.ts";
import { layOut } from "../ir/strided.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Executor, HostArray, Prepared } from "./executor.ts";

/**
 * The interpreter as a target: float64 throughout, slow. What is fed back (weights and optimizer state) is rounded to float32 as it
 * is stored, as checkpoints store it, so that a resumed run gives the same numbers.
 */
export function referenceExecutor(): Executor {
  return { name: "reference", precision: "float64", prepare };
}

function prepare(program: Program): Prepared {
  const layouts = resultLayouts(program);
  const feedback = feedbackOf(program);
  const params = new Map(program.graph.params.map((param) => [param.id, param]));
  const keptValues = new Map<string, Tensor>();
  const run = (inputs: ReadonlyMap<string, HostArray>, sizes: SizeBinding): Map<string, HostArray> => {
    const given = new Map(keptValues);
    for (const [id, value] of inputs) {
      const param = params.get(id);
      if (param !== undefined) given.set(id, tensorOf(param, value));
    }
    const results = new Map<string, HostArray>();
    for (const [name, tensor] of interpret(program.graph, given, sizes)) {
      const ordered = inLayout(tensor, layouts.get(name));
      const param = params.get(feedback.get(name) ?? "");
      if (param === undefined) results.set(name, { shape: ordered.shape, data: ordered.data });
      else keptValues.set(param.id, stored(param, ordered));
    }
    return results;
  };
  return {
    keep(id, value) {
      const param = params.get(id);
      if (param !== undefined) keptValues.set(id, tensorOf(param, value));
    },
    async kept(id) {
      const tensor = keptValues.get(id);
      if (tensor === undefined) throw new Error(`internal: %${id} is not kept`);
      return { shape: tensor.shape, data: tensor.data };
    },
    run: async (inputs, sizes) => run(inputs, sizes),
    dispose: () => keptValues.clear(),
  };
}

function tensorOf({ type }: Value, { shape, data }: HostArray): Tensor {
  const numbers = data instanceof Float64Array ? data : Float64Array.from(data);
  return { dtype: type.dtype, axes: type.axes.map((axis) => axis.id), shape, data: numbers };
}

function stored({ type }: Value, tensor: Tensor): Tensor {
  return type.dtype === "float" ? { ...tensor, data: tensor.data.map(Math.fround) } : tensor;
}

function inLayout(tensor: Tensor, layout: readonly string[] | undefined): Tensor {
  if (layout === undefined) return tensor;
  const shape = layout.map((axis) => tensor.shape[tensor.axes.indexOf(axis)] ?? 1);
  return layOut(tensor, layout, shape);
}
