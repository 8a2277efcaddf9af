import { type DeviceCosts, PROCESSOR_COSTS } from "../target/webgpu/cost.ts";
import type { GpuDevice } from "./gpu-device.ts";

/**
 * Measures what a device takes for a dispatch, a barrier and products: some small shaders that depend on one another, run often enough to
 * be timed from outside. A software adapter is not worth measuring.
 */
export async function measureCosts({ device, adapter }: GpuDevice): Promise<DeviceCosts> {
  if (adapter.software) return PROCESSOR_COSTS;
  const probe = createProbe(device);
  const one = { dispatches: 1, groups: 1 } as const;
  const [empty, dispatches] = [
    await probe("", { ...one, repeats: 1 }),
    await probe("", { ...one, dispatches: MANY, repeats: 1 }),
  ];
  const barriers = await probe("storageBarrier();", { ...one, repeats: LONG });
  const product = "sum = fma(bitcast<f32>(memory[(at + i * 61u) % 4096u]), 1.5f, sum);";
  const [alone, together] = [
    await probe(product, { ...one, repeats: LONG }),
    await probe(product, { ...one, repeats: LONG, groups: FLOOD }),
  ];
  probe.dispose();
  const own = (seconds: number): number => Math.max(seconds - empty, 1e-9);
  return {
    dispatch: own(dispatches) / MANY,
    barrier: own(barriers) / LONG,
    product: own(alone) / (LONG * THREADS),
    groups: Math.max(1, Math.round((FLOOD * own(alone)) / own(together))),
  };
}

const THREADS = 256;
const MANY = 500;
/** Enough of what is short to be seen beside the time that any submit takes. */
const LONG = 20_000;
/** More groups than a device runs at once. */
const FLOOD = 1024;
const ROUNDS = 3;

interface Repetition {
  readonly dispatches: number;
  readonly groups: number;
  readonly repeats: number;
}

interface Probe {
  /** The least seconds of a few rounds. */
  (body: string, repetition: Repetition): Promise<number>;
  readonly dispose: () => void;
}

function createProbe(device: GPUDevice): Probe {
  const buffer = device.createBuffer({ size: 4 * 4096, usage: GPUBufferUsage.STORAGE });
  const probe = async (body: string, repetition: Repetition): Promise<number> => {
    const module = device.createShaderModule({ code: probeCode(body, repetition.repeats) });
    const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    });
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++)
      least = Math.min(least, await timed(device, pipeline, group, repetition));
    return least;
  };
  return Object.assign(probe, { dispose: () => buffer.destroy() });
}

async function timed(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  group: GPUBindGroup,
  { dispatches, groups }: Repetition,
): Promise<number> {
  await device.queue.onSubmittedWorkDone();
  const start = performance.now();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  for (let at = 0; at < dispatches; at++) pass.dispatchWorkgroups(groups);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return (performance.now() - start) / 1000;
}

/** Every dispatch reads and writes the same memory, so that it waits for the one before. */
function probeCode(body: string, repeats: number): string {
  return `
@group(0) @binding(0) var<storage, read_write> memory: array<u32>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) at: u32) {
  var sum = bitcast<f32>(memory[at]);
  for (var i = 0u; i < ${repeats}u; i++) {
    ${body}
  }
  memory[at] = bitcast<u32>(sum);
}`;
}
