import { LEFT_OUT } from "../pass/pipeline.ts";
import type { Executor } from "./executor.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { behindPasses, type StageChoice, USUAL_STAGES } from "./passes.ts";

/**
 * Our own WebGPU kernels behind the passes, in Node and in browsers; on the fastest adapter where no device is given. A kernel adds
 * products up itself, and kernels that need nothing of one another share a dispatch: packing them before would only copy.
 */
export async function startWebGpu(on?: GpuDevice, stages: StageChoice = USUAL_STAGES): Promise<Executor> {
  const { openGpuDevice, softwareNotice } = await import("./gpu-device.ts");
  const { measuredFor } = await import("./webgpu-measured.ts");
  const { webgpuExecutor } = await import("./webgpu-executor.ts");
  const gpu = on ?? (await openGpuDevice());
  const executor = behindPasses(webgpuExecutor(gpu, stages, await measuredFor(gpu)), LEFT_OUT.webgpu, stages);
  return { ...executor, notice: softwareNotice(gpu.adapter) };
}
