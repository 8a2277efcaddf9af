import type { SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { createGpuRunner } from "../../src/runtime/webgpu.ts";
import type { BindOptions } from "../../src/target/webgpu/bind.ts";
import { compileWebGpu, type Tuning, USUAL_TUNING } from "../../src/target/webgpu/compile.ts";
import { gpuModuleOf } from "../../src/target/webgpu/module.ts";
import type { Executor } from "../support/execute.ts";

/** As on a small graphics card: shaders that a processor does not take too long to compile. */
export const SMALL_TUNING: Tuning = { ...USUAL_TUNING, threads: 64, shared: 1024 };

/** Our shaders on a device; `known` sizes are fixed in the code. `whole` says whether (or which) loops run in one stage where they can. */
export function webGpu(
  device: GPUDevice,
  known: SizeBinding,
  whole: boolean | BindOptions["whole"] = true,
  tuning = SMALL_TUNING,
): Executor {
  return (graph) => {
    const program = compileWebGpu({ graph, sizes: known }, new Map(), { tuning });
    const runner = createGpuRunner(device, gpuModuleOf(program), {
      whole: typeof whole === "boolean" ? () => whole : whole,
    });
    return async (inputs, sizes) => {
      await runner.bind(sizes);
      for (const { id } of graph.params) runner.write(id, inputs.get(id)?.data ?? []);
      runner.run();
      const found = await runner.read(program.results.map(({ name }) => name));
      return new Map(
        program.results.map(({ name, dtype, axes }, index): readonly [string, Tensor] => {
          const { shape = [], data = new Float32Array() } = found[index] ?? {};
          return [name, { dtype, axes: axes.map(({ id }) => id), shape, data: Float64Array.from(data) }];
        }),
      );
    };
  };
}
