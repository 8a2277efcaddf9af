import { type Tuning, USUAL_TUNING } from "../target/webgpu/compile.ts";
import type { GpuAdapterFacts } from "./gpu-device.ts";

/** For a processor that stands in for a graphics card: to it shared memory is only more code to compile. */
export const SMALL_TUNING: Tuning = { threads: 64, shared: 1024 };

/** What else a shader may share among the threads of a group beside tiles of products: partial results of other kinds of numbers. */
const BESIDE = 2 * 4 * USUAL_TUNING.threads;

/** As much as the adapter gives: of the devices that WebGPU admits, the least have room for half of the usual tiles. */
export function tuningFor({ software, limits }: Pick<GpuAdapterFacts, "software" | "limits">): Tuning {
  if (software) return SMALL_TUNING;
  const { maxComputeWorkgroupStorageSize: bytes = 0 } = limits;
  const fits = bytes >= 4 * USUAL_TUNING.shared + BESIDE;
  return fits ? USUAL_TUNING : { ...USUAL_TUNING, shared: USUAL_TUNING.shared / 2 };
}
