import { feedbackOf } from "../build/feedback.ts";
import { inLayout, resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import type { SizeBinding } from "../ir/size.ts";
import { sameSizes } from "../ir/size.ts";
import { printPlan } from "../plan/print.ts";
import { compileWebGpu } from "../target/webgpu/compile.ts";
import { type DeviceCosts, isWholeFaster, USUAL_COSTS } from "../target/webgpu/cost.ts";
import type { Executor, HostArray, Prepared } from "./executor.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { checkedByGpu } from "./gpu-errors.ts";
import { type StageChoice, USUAL_STAGES } from "./passes.ts";
import { createGpuRunner } from "./webgpu.ts";
import { tuningFor } from "./webgpu-tuning.ts";

/** Our own shaders on a device: what is kept stays in its memory. */
export function webgpuExecutor(
  gpu: GpuDevice,
  stages: StageChoice = USUAL_STAGES,
  costs: DeviceCosts = USUAL_COSTS,
): Executor {
  return { name: "webgpu", precision: "float32", prepare: (program) => prepare(program, gpu, stages, costs) };
}

function prepare(
  program: Program,
  { device, adapter }: GpuDevice,
  { off, shown, show }: StageChoice,
  costs: DeviceCosts,
): Prepared {
  const feedback = feedbackOf(program);
  const compiled = compileWebGpu(program, feedback, {
    tuning: tuningFor(adapter),
    fuse: !off.has("fuse"),
    planned: (plan) => {
      if (shown.has("fuse")) show("fuse", program.name, printPlan(plan));
    },
  });
  const layouts = resultLayouts(program);
  const results = compiled.results
    .filter(({ name }) => !feedback.has(name))
    .map((slot) => inLayout(slot, layouts.get(slot.name)));
  const runner = createGpuRunner(device, { ...compiled, results }, { whole: (facts) => isWholeFaster(costs, facts) });
  const names = results.map(({ name }) => name);
  // Where a param lies depends on the sizes: until they are known, values wait here.
  const waiting = new Map<string, HostArray>();
  let bound: SizeBinding | undefined;
  const bind = async (sizes: SizeBinding): Promise<void> => {
    if (bound === undefined || !sameSizes(bound, sizes)) {
      await runner.bind(sizes);
      bound = new Map(sizes);
    }
    for (const [id, { data }] of waiting) runner.write(id, data);
    waiting.clear();
  };
  const params = new Set(program.graph.params.map(({ id }) => id));
  return {
    keep(id, value) {
      if (params.has(id)) waiting.set(id, value);
    },
    kept: async (id) => waiting.get(id) ?? runner.readParam(id),
    async run(inputs, sizes) {
      await bind(sizes);
      const found = await checkedByGpu(device, program.name, async () => {
        for (const [id, { data }] of inputs) if (params.has(id)) runner.write(id, data);
        runner.run();
        return runner.read(names);
      });
      return new Map(
        names.flatMap((name, index) => {
          const array = found[index];
          return array === undefined ? [] : [[name, array] as const];
        }),
      );
    },
    dispose() {
      waiting.clear();
      runner.dispose();
    },
  };
}
