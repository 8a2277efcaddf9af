import type { SizeBinding } from "../ir/size.ts";
import { type BindOptions, type Bound, type BoundSlot, bindProgram } from "../target/webgpu/bind.ts";
import { isWholeFaster, USUAL_COSTS } from "../target/webgpu/cost.ts";
import type { GpuModule } from "../target/webgpu/module.ts";
import { shaderText, stepVectors } from "../target/webgpu/shader-text.ts";
import { COPY_DST, COPY_SRC, STAGE_COMPUTE, STORAGE, UNIFORM } from "./gpu-constants.ts";
import { checkedByGpu } from "./gpu-errors.ts";
import { HintedError } from "./hinted-error.ts";
import type { Numbers } from "./strided.ts";
import { type GpuArray, wordsOf, wordsSpanned } from "./webgpu-array.ts";
import { createGpuLog } from "./webgpu-log.ts";

/** A compiled program on a device: one arena, whose layout is made anew for each choice of sizes. */
export interface GpuRunner {
  /**
   * Lays out memory for sizes. Params of fixed size keep their values, and so do others whose shape stays as it was. Throws where the
   * device has not so much memory or refuses a shader; then all stays as it was.
   */
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

interface GpuBinding {
  readonly bound: Bound;
  readonly arena: GPUBuffer;
  readonly buffers: readonly GPUBuffer[];
  readonly group: GPUBindGroup;
}

/** Losses are few numbers: enough for many steps. */
const LOG_BYTES = 4096;

/** Shaders are compiled where a binding first needs them. Throws where the device refuses one, or lacks memory. */
export function createGpuRunner(
  device: GPUDevice,
  program: GpuModule,
  { whole = (facts) => isWholeFaster(USUAL_COSTS, facts) }: Partial<Pick<BindOptions, "whole">> = {},
): GpuRunner {
  const layout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: STAGE_COMPUTE, buffer: { type: "storage" } },
      { binding: 1, visibility: STAGE_COMPUTE, buffer: { type: "uniform" } },
      { binding: 2, visibility: STAGE_COMPUTE, buffer: { type: "uniform", hasDynamicOffset: true } },
    ],
  });
  let pipelines = new Map<number, GPUComputePipeline>();
  /** As many as `pipelines` say that the arena has, where they do. */
  let words = 0;
  const stepBytes = device.limits.minUniformBufferOffsetAlignment;
  const counts = { submits: 0, dispatches: 0, bytesWritten: 0, bytesRead: 0, reads: 0 };
  const log = createGpuLog(device, LOG_BYTES);
  let present: GpuBinding | undefined;
  let prepared = false;

  const binding = (): GpuBinding => {
    if (present === undefined) throw new Error(`${program.name}: bind sizes before writing, running or reading`);
    return present;
  };
  const slotOf = (slots: ReadonlyMap<string, BoundSlot>, kind: string, name: string): BoundSlot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new Error(`${program.name} has no ${kind} ${name}`);
    return slot;
  };
  const slotsOf = (results: readonly string[]): readonly BoundSlot[] =>
    results.map((name) => slotOf(binding().bound.results, "result", name));
  const readFrom = async (from: ReturnType<typeof createGpuLog>): Promise<readonly (readonly GpuArray[])[]> => {
    counts.bytesRead += from.bytes();
    counts.reads += from.bytes() > 0 ? 1 : 0;
    return from.read();
  };
  const read = async (slots: readonly BoundSlot[]): Promise<readonly GpuArray[]> => {
    const own = createGpuLog(device);
    const encoder = device.createCommandEncoder();
    own.append(encoder, binding().arena, slots);
    device.queue.submit([encoder.finish()]);
    const [arrays = []] = await readFrom(own);
    return arrays;
  };
  const write = (name: string, values: Numbers): void => {
    const { bound, arena } = binding();
    const slot = slotOf(bound.params, "param", name);
    const words = wordsOf(program.name, slot, values);
    if (words.byteLength > 0) device.queue.writeBuffer(arena, 4 * slot.start, words);
    counts.bytesWritten += words.byteLength;
    if (program.fixed.includes(name)) prepared = false;
  };
  const pipelineOf = async (kernel: number, known: typeof pipelines, size: number): Promise<void> => {
    const source = program.kernels[kernel];
    if (source === undefined || known.has(kernel)) return;
    const frame = { ...program, cells: program.cells.length };
    const code = shaderText(source, program.sized ? { ...frame, words: size } : frame);
    const label = source.label ?? `${program.name} ${kernel}`;
    const module = device.createShaderModule({ code, label });
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    known.set(kernel, await device.createComputePipelineAsync({ label, layout: pipelineLayout, compute: { module } }));
  };

  return {
    async bind(sizes) {
      const bound = bindProgram(program, sizes, {
        whole,
        maxGroups: device.limits.maxComputeWorkgroupsPerDimension,
      });
      checkLimits(device, program, bound);
      const before = present;
      const made: GPUBuffer[] = [];
      const size = program.sized ? Math.max(words, roomFor(device, bound)) : 0;
      const known = size === words ? pipelines : new Map<number, GPUComputePipeline>();
      try {
        present = await checkedByGpu(device, program.name, async () => {
          const bytes = Math.max(bound.bytes, 4 * size);
          const next = allocate(device, layout, bound, { bytes, stepBytes, vectors: stepVectors(program.depth), made });
          const used = [...bound.prepare, ...bound.dispatches].map(({ kernel }) => kernel);
          await Promise.all([...new Set(used)].map((kernel) => pipelineOf(kernel, known, size)));
          if (before !== undefined) keepValues(device, before, next);
          return next;
        });
      } catch (cause) {
        for (const buffer of made) buffer.destroy();
        throw cause;
      }
      pipelines = known;
      words = size;
      prepared = false;
      for (const buffer of before?.buffers ?? []) buffer.destroy();
      return bound;
    },
    write,
    run(logged) {
      const { bound, group, arena } = binding();
      const encoder = device.createCommandEncoder({ label: program.name });
      const pass = encoder.beginComputePass({ label: program.name });
      const dispatches = prepared ? bound.dispatches : [...bound.prepare, ...bound.dispatches];
      for (const { kernel, groups, step } of dispatches) {
        const pipeline = pipelines.get(kernel);
        if (pipeline === undefined) throw new Error(`internal: shader ${kernel} is not compiled`);
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group, [step * stepBytes]);
        pass.dispatchWorkgroups(...groups);
      }
      pass.end();
      if (logged !== undefined) log.append(encoder, arena, slotsOf(logged));
      device.queue.submit([encoder.finish()]);
      prepared = true;
      counts.submits++;
      counts.dispatches += dispatches.length;
    },
    readLog: () => readFrom(log),
    read: (results) => read(slotsOf(results)),
    readParams: (params) => read(params.map((name) => slotOf(binding().bound.params, "param", name))),
    paramMemory(name) {
      const { bound, arena } = binding();
      if (program.fixed.includes(name)) prepared = false;
      return { arena, slot: slotOf(bound.params, "param", name) };
    },
    resultMemory(name) {
      const { bound, arena } = binding();
      return { arena, slot: slotOf(bound.results, "result", name) };
    },
    counts: () => ({ ...counts }),
    dispose() {
      log.dispose();
      for (const buffer of present?.buffers ?? []) buffer.destroy();
      present = undefined;
    },
  };
}

/** Words of an arena with room to grow, so that shaders that say how long it is are seldom compiled anew. */
function roomFor({ limits }: GPUDevice, { bytes }: Bound): number {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return Math.min(2 ** Math.ceil(Math.log2(Math.max(bytes, MINIMUM_ROOM))), Math.max(most, bytes)) / 4;
}

const MINIMUM_ROOM = 2 ** 20;

function checkLimits({ limits }: GPUDevice, program: GpuModule, { bytes, table }: Bound): void {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  if (bytes > most) {
    const megabytes = (count: number): string => `${Math.ceil(count / 2 ** 20)} MB`;
    throw new HintedError(
      `${program.name} needs ${megabytes(bytes)} in one piece, the graphics device gives ${megabytes(most)}`,
      "make the batch smaller, or the sequences shorter, or use --target wasm",
    );
  }
  if (table.byteLength > limits.maxUniformBufferBindingSize) {
    throw new Error(`${program.name} is too large for the device: its table of sizes takes ${table.byteLength} bytes`);
  }
}

function allocate(
  device: GPUDevice,
  layout: GPUBindGroupLayout,
  bound: Bound,
  {
    bytes,
    stepBytes,
    vectors,
    made,
  }: { readonly bytes: number; readonly stepBytes: number; readonly vectors: number; readonly made: GPUBuffer[] },
): GpuBinding {
  const buffer = (label: string, size: number, usage: number): GPUBuffer => {
    const one = device.createBuffer({ label, size, usage: usage | COPY_DST });
    made.push(one);
    return one;
  };
  const arena = buffer("arena", bytes, STORAGE | COPY_SRC);
  const table = buffer("table", Math.max(16, Math.ceil(bound.table.byteLength / 16) * 16), UNIFORM);
  device.queue.writeBuffer(table, 0, bound.table);
  const stepWords = new Int32Array((bound.steps.length * stepBytes) / 4);
  bound.steps.forEach((done, index) => {
    stepWords.set(done, (index * stepBytes) / 4);
  });
  const steps = buffer("steps", stepWords.byteLength, UNIFORM);
  device.queue.writeBuffer(steps, 0, stepWords);
  const group = device.createBindGroup({
    layout,
    entries: [
      { binding: 0, resource: { buffer: arena } },
      { binding: 1, resource: { buffer: table } },
      { binding: 2, resource: { buffer: steps, size: 16 * vectors } },
    ],
  });
  return { bound, arena, group, buffers: made };
}

/** Copies params from one layout of memory to the next, on the device. */
function keepValues(device: GPUDevice, before: GpuBinding, next: GpuBinding): void {
  const encoder = device.createCommandEncoder();
  for (const slot of before.bound.params.values()) {
    const other = next.bound.params.get(slot.slot.name);
    if (other === undefined || !sameShape(slot, other)) continue;
    const bytes = 4 * wordsSpanned(slot);
    if (bytes > 0) encoder.copyBufferToBuffer(before.arena, 4 * slot.start, next.arena, 4 * other.start, bytes);
  }
  device.queue.submit([encoder.finish()]);
}

function sameShape({ shape }: BoundSlot, other: BoundSlot): boolean {
  return shape.every((size, axis) => size === other.shape[axis]);
}
