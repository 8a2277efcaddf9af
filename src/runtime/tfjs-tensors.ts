import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { inLayout, resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import { type SizeBinding, sizeNames } from "../ir/size.ts";
import { elementCount, stridesOf } from "../ir/tensor.ts";
import { LEFT_OUT } from "../pass/pipeline.ts";
import { compileWebGpu } from "../target/webgpu/compile.ts";
import { gpuModuleOf } from "../target/webgpu/module.ts";
import { throughPasses, USUAL_STAGES } from "./passes.ts";
import { createGpuRunner, type GpuMemory, type GpuRunner } from "./webgpu.ts";
import { createGpuCopier, type GpuNumbers } from "./webgpu-copy.ts";
import { tuningFor } from "./webgpu-tuning.ts";

/** A compiled program on the device of tfjs's webgpu backend: tensors go in and come out, nothing passes through the host. */
export interface TensorRunner {
  /** Lays out memory and compiles shaders for sizes; must be awaited before `run` takes tensors of these sizes. */
  prepare(sizes: SizeBinding): Promise<void>;
  /**
   * Runs once. `tensors` by param id, each with as many numbers as the param; `numbers` are params that the host knows.
   * Results by name belong to the caller. Throws where `prepare` has not seen the sizes.
   */
  run(
    tensors: ReadonlyMap<string, TensorInfo>,
    numbers: ReadonlyMap<string, number>,
    sizes: SizeBinding,
  ): ReadonlyMap<string, TensorInfo>;
  dispose(): void;
}

export function createTensorRunner(backend: WebGPUBackend, source: Program): TensorRunner {
  const { device } = backend;
  const program = throughPasses(LEFT_OUT.webgpu, USUAL_STAGES)(source);
  const { maxComputeWorkgroupStorageSize } = device.limits;
  const tuning = tuningFor({ software: false, limits: { maxComputeWorkgroupStorageSize } });
  const compiled = compileWebGpu(program, new Map(), { tuning });
  const layouts = resultLayouts(program);
  const results = compiled.results.map((slot) => inLayout(slot, layouts.get(slot.name)));
  const names = new Set(compiled.params.map(({ name }) => name));
  const sizeNamesOfParams = new Set(
    program.graph.params.flatMap(({ type }) => type.axes.flatMap(({ size }) => [...sizeNames(size)])),
  );
  // Only what params are laid out by tells one choice of sizes from another.
  const keyOf = (sizes: SizeBinding): string => [...sizeNamesOfParams].map((name) => sizes.get(name)).join();
  const runners = new Map<string, GpuRunner>();
  const copier = createGpuCopier(device);
  const submitted = (record: (encoder: GPUCommandEncoder) => void): void => {
    const encoder = device.createCommandEncoder();
    record(encoder);
    device.queue.submit([encoder.finish()]);
  };
  return {
    async prepare(sizes) {
      if (runners.has(keyOf(sizes))) return;
      const runner = createGpuRunner(device, gpuModuleOf({ ...compiled, results }));
      await runner.bind(sizes);
      runners.set(keyOf(sizes), runner);
    },
    run(tensors, numbers, sizes) {
      const runner = runners.get(keyOf(sizes));
      if (runner === undefined) throw new Error(`${program.name} is not ready: await prepare(${said(sizes)}) before`);
      const given = [...tensors].filter(([id]) => names.has(id));
      for (const [, { dataId }] of given) backend.uploadToGPU(dataId);
      flush(backend);
      submitted((encoder) => {
        for (const [id, tensor] of given) {
          const memory = runner.paramMemory(id);
          copier.copy(encoder, memory.slot.shape, denseNumbers(backend, tensor, memory), numbersAt(memory));
        }
      });
      for (const [id, value] of numbers) if (names.has(id)) runner.write(id, [value]);
      runner.run();
      const made = results.map(({ name }) => [name, runner.resultMemory(name)] as const);
      const outputs = new Map(made.map(([name, memory]) => [name, emptyTensor(backend, memory)]));
      submitted((encoder) => {
        for (const [name, memory] of made) {
          const tensor = outputs.get(name);
          if (tensor === undefined) continue;
          copier.copy(encoder, memory.slot.shape, numbersAt(memory), denseNumbers(backend, tensor, memory));
        }
      });
      return outputs;
    },
    dispose() {
      for (const runner of runners.values()) runner.dispose();
      runners.clear();
      copier.dispose();
    },
  };
}

/** Hands the device what tfjs has recorded so far: our commands come after it. */
function flush(backend: WebGPUBackend): void {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
}

function numbersAt({ arena, slot }: GpuMemory): GpuNumbers {
  const { slot: own, start, strides } = slot;
  return { buffer: arena, dtype: own.dtype === "float" ? "float" : "int", start, strides };
}

/** A tensor's numbers, one after the other. What it holds may be integers although it calls itself float: `cast` copies nothing. */
function denseNumbers(backend: WebGPUBackend, { dataId }: TensorInfo, { slot }: GpuMemory): GpuNumbers {
  const { resource, dtype } = backend.tensorMap.get(dataId);
  if (!(resource instanceof GPUBuffer)) throw new Error("internal: a tensor is not in a buffer of the device");
  return { buffer: resource, dtype: dtype === "float32" ? "float" : "int", start: 0, strides: stridesOf(slot.shape) };
}

function emptyTensor(backend: WebGPUBackend, { slot }: GpuMemory): TensorInfo {
  const tensor = backend.makeTensorInfo([...slot.shape], TF_DTYPE[slot.slot.dtype]);
  if (elementCount(slot.shape) > 0) backend.uploadToGPU(tensor.dataId);
  return tensor;
}

const TF_DTYPE = { float: "float32", int: "int32", bool: "bool" } as const;

function said(sizes: SizeBinding): string {
  return `{ ${[...sizes].map(([name, value]) => `${name}: ${value}`).join(", ")} }`;
}
