import type { SizeBinding } from "../ir/size.ts";
import { type BindOptions, type Bound, type BoundSlot, bindProgram } from "../target/webgpu/bind.ts";
import { isWholeFaster, USUAL_COSTS } from "../target/webgpu/cost.ts";
import type { GpuKernel, GpuModule } from "../target/webgpu/module.ts";
import { type Extras, frameOf, shaderText, vectors } from "../target/webgpu/shader-text.ts";
import { COPY_DST, COPY_SRC, STAGE_COMPUTE, STORAGE, UNIFORM } from "./gpu-constants.ts";
import { checkedByGpu } from "./gpu-errors.ts";
import { HintedError } from "./hinted-error.ts";
import type { Numbers } from "./strided.ts";
import { wordsOf, wordsSpanned } from "./webgpu-array.ts";

/** A compiled program on a device: one arena, whose layout is made anew for each choice of sizes. */
export interface GpuProgram {
  readonly device: GPUDevice;
  readonly module: GpuModule;
  readonly options: GpuProgramOptions;
  readonly layout: GPUBindGroupLayout;
  /** By text: shaders are compiled where a binding first needs them. */
  readonly pipelines: Map<string, GPUComputePipeline>;
  present: GpuBinding | undefined;
  /** Whether what follows from fixed params alone is computed. */
  prepared: boolean;
}

export interface GpuProgramOptions extends Partial<Omit<BindOptions, "maxGroups">> {
  /** What a kernel's text has that is for some devices only, where the arena has so many words. */
  readonly extras?: (kernel: GpuKernel, words: number) => Extras;
  /** How many words the arena is to have; as many as it takes where not said. */
  readonly words?: (bound: Bound) => number;
}

/** Sizes, and the memory for them. */
export interface GpuBinding {
  readonly bound: Bound;
  readonly arena: GPUBuffer;
  readonly buffers: readonly GPUBuffer[];
  readonly group: GPUBindGroup;
  /** By kernel. */
  readonly pipelines: ReadonlyMap<number, GPUComputePipeline>;
}

export function openGpuProgram(device: GPUDevice, module: GpuModule, options: GpuProgramOptions = {}): GpuProgram {
  const buffers = [{ type: "storage" }, { type: "uniform" }, { type: "uniform", hasDynamicOffset: true }] as const;
  const layout = device.createBindGroupLayout({
    entries: buffers.map((buffer, binding) => ({ binding, visibility: STAGE_COMPUTE, buffer })),
  });
  return { device, module, options, layout, pipelines: new Map(), present: undefined, prepared: false };
}

/** Throws where no sizes are bound. */
export function boundOn({ present, module }: GpuProgram): GpuBinding {
  if (present === undefined) throw new Error(`${module.name}: bind sizes before writing, running or reading`);
  return present;
}

/** Throws where there is none of the name. */
export function slotOf(program: GpuProgram, kind: "param" | "result", name: string): BoundSlot {
  const slot = boundOn(program).bound[`${kind}s`].get(name);
  if (slot === undefined) throw new Error(`${program.module.name} has no ${kind} ${name}`);
  return slot;
}

/**
 * Lays out memory for sizes. Params of fixed size keep their values, and so do others whose shape stays as it was. Throws where the
 * device has not so much memory or refuses a shader; then all stays as it was.
 */
export async function bindOnGpu(program: GpuProgram, sizes: SizeBinding): Promise<Bound> {
  const { device, module, options, present: before } = program;
  const bound = bindProgram(module, sizes, {
    whole: (facts) => isWholeFaster(USUAL_COSTS, facts),
    ...options,
    maxGroups: device.limits.maxComputeWorkgroupsPerDimension,
  });
  checkLimits(device, module, bound);
  const words = options.words?.(bound) ?? bound.bytes / 4;
  const made: GPUBuffer[] = [];
  try {
    program.present = await checkedByGpu(device, module.name, async () => {
      const memory = allocate(program, bound, words, made);
      const used = new Set([...bound.prepare, ...bound.dispatches].map(({ kernel }) => kernel));
      const pipelines = await Promise.all(
        Array.from(used, async (kernel) => [kernel, await pipelineOf(program, kernel, words)] as const),
      );
      const next = { ...memory, pipelines: new Map(pipelines) };
      if (before !== undefined) keepValues(device, before, next);
      return next;
    });
  } catch (cause) {
    free(made);
    throw cause;
  }
  program.prepared = false;
  free(before?.buffers);
  return bound;
}

/** Gives a param its value, row-major in the order of its axes; how many bytes go to the device. */
export function writeOnGpu(program: GpuProgram, name: string, values: Numbers): number {
  const { device, module } = program;
  const slot = slotOf(program, "param", name);
  const words = wordsOf(module.name, slot, values);
  device.queue.writeBuffer(boundOn(program).arena, 4 * slot.start, words);
  if (module.fixed?.includes(name)) program.prepared = false;
  return words.byteLength;
}

/** Encodes everything once, to be submitted; how many dispatches that are. */
export function encodeRun(program: GpuProgram, encoder: GPUCommandEncoder): number {
  const { bound, group, pipelines } = boundOn(program);
  const pass = encoder.beginComputePass({ label: program.module.name });
  const dispatches = program.prepared ? bound.dispatches : [...bound.prepare, ...bound.dispatches];
  for (const { kernel, groups, step } of dispatches) {
    const pipeline = pipelines.get(kernel);
    if (pipeline === undefined) throw new Error(`internal: shader ${kernel} is not compiled`);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group, [step * stepBytes(program)]);
    pass.dispatchWorkgroups(...groups);
  }
  pass.end();
  program.prepared = true;
  return dispatches.length;
}

export function closeOnGpu(program: GpuProgram): void {
  free(program.present?.buffers);
  program.present = undefined;
}

function free(buffers: readonly GPUBuffer[] = []): void {
  for (const buffer of buffers) buffer.destroy();
}

async function pipelineOf(
  { device, module, options, layout, pipelines }: GpuProgram,
  kernel: number,
  words: number,
): Promise<GPUComputePipeline> {
  const source = module.kernels[kernel];
  if (source === undefined) throw new Error(`internal: there is no shader ${kernel}`);
  const label = source.label ?? `${module.name} ${kernel}`;
  const code = shaderText(source, frameOf(module, kernel), options.extras?.(source, words));
  const known = pipelines.get(code);
  if (known !== undefined) return known;
  const made = await device.createComputePipelineAsync({
    label,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code, label }) },
  });
  pipelines.set(code, made);
  return made;
}

function checkLimits({ limits }: GPUDevice, { name }: GpuModule, { bytes }: Bound): void {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  if (bytes > most) {
    const megabytes = (count: number): string => `${Math.ceil(count / 2 ** 20)} MB`;
    throw new HintedError(
      `${name} needs ${megabytes(bytes)} in one piece, the graphics device gives ${megabytes(most)}`,
      "make the batch smaller, or the sequences shorter, or use --target wasm",
    );
  }
}

/** From one entry of `steps` to the next. */
function stepBytes({ device }: GpuProgram): number {
  return device.limits.minUniformBufferOffsetAlignment;
}

function allocate(program: GpuProgram, bound: Bound, size: number, made: GPUBuffer[]): Omit<GpuBinding, "pipelines"> {
  const { device, module, layout } = program;
  const buffer = (label: string, size: number, usage: number, words?: Int32Array<ArrayBuffer>): GPUBuffer => {
    const one = device.createBuffer({ label, size, usage: usage | COPY_DST });
    made.push(one);
    if (words !== undefined) device.queue.writeBuffer(one, 0, words);
    return one;
  };
  const apart = stepBytes(program) / 4;
  const words = new Int32Array(bound.steps.length * apart);
  bound.steps.forEach((done, at) => {
    words.set(done, at * apart);
  });
  const arena = buffer("arena", 4 * size, STORAGE | COPY_SRC);
  const table = buffer("table", 16 * vectors(bound.table.length), UNIFORM, bound.table);
  const steps = buffer("steps", words.byteLength, UNIFORM, words);
  const resources = [{ buffer: arena }, { buffer: table }, { buffer: steps, size: 16 * vectors(module.depth) }];
  const entries = resources.map((resource, binding) => ({ binding, resource }));
  return { bound, arena, buffers: made, group: device.createBindGroup({ layout, entries }) };
}

/** Copies params from one layout of memory to the next, on the device. */
function keepValues(device: GPUDevice, before: GpuBinding, next: GpuBinding): void {
  const encoder = device.createCommandEncoder();
  for (const [name, slot] of before.bound.params) {
    const other = next.bound.params.get(name);
    if (other?.shape.join() === slot.shape.join())
      encoder.copyBufferToBuffer(before.arena, 4 * slot.start, next.arena, 4 * other.start, 4 * wordsSpanned(slot));
  }
  device.queue.submit([encoder.finish()]);
}
