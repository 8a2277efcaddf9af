import type { SizeBinding } from "../ir/size.ts";
import { planArena } from "../plan/arena.ts";
import type { Bound, BoundSlot } from "../target/webgpu/bind.ts";
import { extrasOf } from "../target/webgpu/extras.ts";
import type { GpuModule } from "../target/webgpu/module.ts";
import { tableLength } from "../target/webgpu/shader-text.ts";
import {
  bindOnGpu,
  boundOn,
  closeOnGpu,
  encodeRun,
  type GpuProgramOptions,
  openGpuProgram,
  slotOf,
  writeOnGpu,
} from "./gpu-program.ts";
import type { Numbers } from "./strided.ts";
import type { GpuArray } from "./webgpu-array.ts";
import { createGpuLog, LOG_BYTES } from "./webgpu-log.ts";

/** A compiled program on a device, and what has been done with it. */
export interface GpuRunner {
  /** See `bindOnGpu`. */
  bind(sizes: SizeBinding): Promise<Bound>;
  /** Gives a param its value, row-major in the order of its axes. Booleans are 0 and 1. */
  write(param: string, values: Numbers): void;
  /**
   * Hands the device one command buffer that runs everything once; results that a param takes back are its value from then on. Copies of
   * the results that are `logged` wait on the device until `readLog`.
   */
  run(logged?: readonly string[]): void;
  /** What runs have logged since the last reading, run by run; waits for the device. */
  readLog(): Promise<readonly (readonly GpuArray[])[]>;
  /** Results of the last run, copies, row-major in the order of their axes; waits for the device. */
  read(results: readonly string[]): Promise<readonly GpuArray[]>;
  /** The present values of params, copies; waits for the device. */
  readParams(params: readonly string[]): Promise<readonly GpuArray[]>;
  /** Where a param lies, for whoever writes it on the device; what is computed from it alone is computed anew. Until the next `bind`. */
  paramMemory(param: string): GpuMemory;
  /** Where a result lies after a run, until the next one. */
  resultMemory(result: string): GpuMemory;
  /** What has been done so far. */
  readonly counts: () => GpuCounts;
  dispose(): void;
}

export interface GpuMemory {
  readonly arena: GPUBuffer;
  readonly slot: BoundSlot;
}

export interface GpuCounts {
  readonly submits: number;
  readonly dispatches: number;
  /** From the host to the device and back; tables of sizes are not counted. */
  readonly bytesWritten: number;
  readonly bytesRead: number;
  /** How often the host has waited for the device. */
  readonly reads: number;
}

export function createGpuRunner(
  device: GPUDevice,
  module: GpuModule,
  { whole }: Pick<GpuProgramOptions, "whole"> = {},
): GpuRunner {
  let most = 0;
  const program = openGpuProgram(device, module, {
    ...(whole && { whole }),
    place: planArena,
    extras: (kernel, words) => extrasOf(kernel, module.sized ? words : undefined),
    ...(module.sized && {
      words(bound: Bound) {
        most = Math.max(most, roomFor(device, bound));
        return most;
      },
    }),
  });
  const counts = { submits: 0, dispatches: 0, bytesWritten: 0, bytesRead: 0, reads: 0 };
  const log = createGpuLog(device, LOG_BYTES);
  let waiting = 0;
  const counted = <T>(bytes: number, arrays: T): T => {
    counts.bytesRead += bytes;
    counts.reads += bytes > 0 ? 1 : 0;
    return arrays;
  };
  const read = async (kind: "param" | "result", names: readonly string[]): Promise<readonly GpuArray[]> => {
    const own = createGpuLog(device);
    const encoder = device.createCommandEncoder();
    const slots = names.map((name) => slotOf(program, kind, name));
    const bytes = own.append(encoder, boundOn(program).arena, slots);
    device.queue.submit([encoder.finish()]);
    const [arrays = []] = counted(bytes, await own.read());
    return arrays;
  };
  const memory = (kind: "param" | "result", name: string): GpuMemory => ({
    arena: boundOn(program).arena,
    slot: slotOf(program, kind, name),
  });
  return {
    async bind(sizes) {
      checkTable(device, module);
      return bindOnGpu(program, sizes);
    },
    write(name, values) {
      counts.bytesWritten += writeOnGpu(program, name, values);
    },
    run(logged) {
      const { arena } = boundOn(program);
      const encoder = device.createCommandEncoder({ label: module.name });
      counts.dispatches += encodeRun(program, encoder);
      if (logged !== undefined) {
        const slots = logged.map((name) => slotOf(program, "result", name));
        waiting += log.append(encoder, arena, slots);
      }
      device.queue.submit([encoder.finish()]);
      counts.submits++;
    },
    async readLog() {
      const bytes = waiting;
      waiting = 0;
      return counted(bytes, await log.read());
    },
    read: (results) => read("result", results),
    readParams: (params) => read("param", params),
    paramMemory(name) {
      if (module.fixed?.includes(name)) program.prepared = false;
      return memory("param", name);
    },
    resultMemory: (name) => memory("result", name),
    counts: () => ({ ...counts }),
    dispose() {
      log.dispose();
      closeOnGpu(program);
    },
  };
}

/** Words of an arena with room to grow, so that shaders that say how long it is are seldom compiled anew. */
function roomFor({ limits }: GPUDevice, { bytes }: Bound): number {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return Math.min(2 ** Math.ceil(Math.log2(Math.max(bytes, MINIMUM_ROOM))), Math.max(most, bytes)) / 4;
}

const MINIMUM_ROOM = 2 ** 20;

function checkTable({ limits }: GPUDevice, module: GpuModule): void {
  const bytes = 4 * tableLength(module);
  if (bytes > limits.maxUniformBufferBindingSize)
    throw new Error(`${module.name} is too large for the device: its table of sizes takes ${bytes} bytes`);
}
