import { feedbackOf } from "../build/feedback.ts";
import { inLayout, resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import type { SizeBinding } from "../ir/size.ts";
import { sameSizes } from "../ir/size.ts";
import { printPlan } from "../plan/print.ts";
import { compileWebGpu } from "../target/webgpu/compile.ts";
import { isWholeFaster } from "../target/webgpu/cost.ts";
import { gpuModuleOf } from "../target/webgpu/module.ts";
import type { Executor, HostArray, Prepared, Results } from "./executor.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { checkedByGpu, type GpuFindings, raise, watchedByGpu } from "./gpu-errors.ts";
import { type StageChoice, USUAL_STAGES } from "./passes.ts";
import { createGpuRunner } from "./webgpu.ts";
import type { GpuArray } from "./webgpu-array.ts";
import { type Measured, usuallyMeasured } from "./webgpu-measured.ts";

/** Our own shaders on a device: what is kept stays in its memory. */
export function webgpuExecutor(
  gpu: GpuDevice,
  stages: StageChoice = USUAL_STAGES,
  measured: Measured = usuallyMeasured(gpu),
): Executor {
  return { name: "webgpu", precision: "float32", prepare: (program) => prepare(program, gpu, stages, measured) };
}

function prepare(
  program: Program,
  { device }: GpuDevice,
  { off, shown, show }: StageChoice,
  { costs, tuning }: Measured,
): Prepared {
  const feedback = feedbackOf(program);
  const compiled = compileWebGpu(program, feedback, {
    tuning,
    fuse: !off.has("fuse"),
    planned: (plan) => {
      if (shown.has("fuse")) show("fuse", program.name, printPlan(plan));
    },
  });
  const layouts = resultLayouts(program);
  const results = compiled.results
    .filter(({ name }) => !feedback.has(name))
    .map((slot) => inLayout(slot, layouts.get(slot.name)));
  const runner = createGpuRunner(device, gpuModuleOf({ ...compiled, results }), {
    whole: (facts) => isWholeFaster(costs, facts),
  });
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
  const start = (inputs: ReadonlyMap<string, HostArray>): void => {
    for (const [id, { data }] of inputs) if (params.has(id)) runner.write(id, data);
    runner.run(names);
  };
  const resultsOf = (arrays: readonly GpuArray[]): Results =>
    new Map(arrays.map((array, index) => [names[index] ?? "", array]));
  const found: Promise<GpuFindings>[] = [];
  const ready: Results[] = [];
  const enqueue = async (inputs: ReadonlyMap<string, HostArray>, sizes: SizeBinding): Promise<void> => {
    await bind(sizes);
    found.push(watchedByGpu(device, () => start(inputs)));
  };
  const drain = async (): Promise<readonly Results[]> => {
    const logged = await checkedByGpu(device, program.name, () => runner.readLog());
    for (const findings of found.splice(0)) await raise(device, program.name, await findings);
    return [...ready.splice(0), ...logged.map(resultsOf)];
  };
  return {
    keep(id, value) {
      if (params.has(id)) waiting.set(id, value);
    },
    kept: async (id) => waiting.get(id) ?? (await runner.readParams([id]))[0] ?? neverRead(id),
    async run(inputs, sizes) {
      await enqueue(inputs, sizes);
      const all = await drain();
      ready.push(...all.slice(0, -1));
      return all.at(-1) ?? new Map();
    },
    queue: { enqueue, drain },
    dispose() {
      waiting.clear();
      runner.dispose();
    },
  };
}

function neverRead(id: string): never {
  throw new Error(`internal: %${id} was not read`);
}
