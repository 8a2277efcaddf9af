import { type Tuning, USUAL_TUNING } from "../target/webgpu/compile.ts";
import type { GpuAdapterFacts } from "./gpu-device.ts";

/** For a processor that stands in for a graphics card: to it shared memory is only more code to compile. */
export const SMALL_TUNING: Tuning = { threads: 64, shared: 1024 };

export function tuningFor({ software }: GpuAdapterFacts): Tuning {
  return software ? SMALL_TUNING : USUAL_TUNING;
}
