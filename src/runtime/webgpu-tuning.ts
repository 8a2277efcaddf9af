import { createBuilder } from "../ir/builder.ts";
import { constantSize } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { contract } from "../op/make_sum.ts";
import { compileWebGpu, type Tuning, USUAL_TUNING } from "../target/webgpu/compile.ts";
import { gpuModuleOf } from "../target/webgpu/module.ts";
import { DIRECT_THREADS } from "../target/webgpu/tile-quads.ts";
import type { GpuAdapterFacts, GpuDevice } from "./gpu-device.ts";
import { createGpuRunner } from "./webgpu.ts";

/** For a processor that stands in for a graphics card: to it shared memory and barriers are work, and threads are loops. */
export const PROCESSOR_TUNING: Tuning = { threads: DIRECT_THREADS, shared: 0, together: false, subgroups: false };

/** What else a shader may share among the threads of a group beside tiles of products: partial results of other kinds of numbers. */
const BESIDE = 2 * 4 * USUAL_TUNING.threads;

type Limits = Pick<GpuAdapterFacts, "software" | "limits">;

/** Without measuring: of the devices that WebGPU admits, the least have room for half of the usual tiles. */
export function tuningFor({ software, limits }: Limits): Tuning {
  if (software) return PROCESSOR_TUNING;
  const { maxComputeWorkgroupStorageSize: bytes = 0 } = limits;
  const fits = bytes >= 4 * USUAL_TUNING.shared + BESIDE;
  return fits ? USUAL_TUNING : { ...USUAL_TUNING, shared: USUAL_TUNING.shared / 2 };
}

/** What an adapter's limits allow, from large tiles of products and many threads to small ones. */
export function tuningsWithin({ limits }: Limits): readonly Tuning[] {
  const { maxComputeWorkgroupStorageSize: bytes = 0, maxComputeInvocationsPerWorkgroup: most = 0 } = limits;
  return [256, 128, 64].flatMap((threads) =>
    [4096, 2048, 1024]
      .filter((shared) => threads <= most && 4 * shared + BESIDE <= bytes)
      .map((shared) => ({ ...USUAL_TUNING, threads, shared })),
  );
}

/** The fastest of what an adapter's limits allow, by a few runs of one product each. */
export async function measureTuning(gpu: GpuDevice, within = tuningsWithin(gpu.adapter), size = SIZE): Promise<Tuning> {
  let best = { tuning: tuningFor(gpu.adapter), seconds: Number.POSITIVE_INFINITY };
  for (const tuning of within) {
    const seconds = await productSeconds(gpu.device, tuning, size);
    if (seconds < best.seconds) best = { tuning, seconds };
  }
  return { ...best.tuning, subgroups: await runsInStep(gpu.device) };
}

/** Rows, columns and terms of the product: enough for every part of a card to have something to do. */
const SIZE = 1024;
const ROUNDS = 3;
const RUNS = 4;

async function productSeconds(device: GPUDevice, tuning: Tuning, size: number): Promise<number> {
  const [m, n, k] = ["m", "n", "k"].map((id): Axis => ({ id, size: constantSize(size) }));
  if (m === undefined || n === undefined || k === undefined) throw new Error("internal: a product lacks an axis");
  const b = createBuilder("product");
  const [x, y] = [b.param("x", { dtype: "float", axes: [m, k] }), b.param("y", { dtype: "float", axes: [n, k] })];
  const graph = b.finish([{ name: "product", id: contract(b, x, y, [k]) }]);
  const program = compileWebGpu({ graph, sizes: new Map() }, new Map(), { tuning });
  const runner = createGpuRunner(device, gpuModuleOf(program));
  try {
    await runner.bind(new Map());
    let least = Number.POSITIVE_INFINITY;
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      const start = performance.now();
      for (let run = 0; run < RUNS; run++) runner.run();
      await device.queue.onSubmittedWorkDone();
      if (round > 0) least = Math.min(least, (performance.now() - start) / 1000);
    }
    return least;
  } finally {
    runner.dispose();
  }
}

/** Whether threads can hand each other numbers, and those that run in step have numbers that follow one another, as kernels take for granted. */
export async function runsInStep(device: GPUDevice): Promise<boolean> {
  if (!device.features.has("subgroups")) return false;
  const size = 4 * IN_STEP_GROUPS * USUAL_TUNING.threads;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const found = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
  const copy = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
  const module = device.createShaderModule({ code: IN_STEP });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: found } }],
    }),
  );
  pass.dispatchWorkgroups(IN_STEP_GROUPS);
  pass.end();
  encoder.copyBufferToBuffer(found, 0, copy, 0, size);
  device.queue.submit([encoder.finish()]);
  await copy.mapAsync(GPUMapMode.READ);
  const isRight = new Uint32Array(copy.getMappedRange()).every((one) => one === 1);
  for (const buffer of [found, copy]) buffer.destroy();
  return isRight;
}

const IN_STEP_GROUPS = 4;

/** A thread's neighbour at half the distance must be the one whose number differs in that bit alone. */
const IN_STEP = `enable subgroups;
@group(0) @binding(0) var<storage, read_write> found: array<u32>;
@compute @workgroup_size(${USUAL_TUNING.threads})
fn main(
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_size) in_step: u32,
) {
  var right = (in_step & (in_step - 1u)) == 0u;
  for (var half = 1u; half < in_step; half *= 2u) {
    let other = subgroupShuffleXor(thread, half);
    right = right && other == (thread ^ half);
  }
  found[group.x * ${USUAL_TUNING.threads}u + thread] = select(0u, 1u, right);
}
`;
