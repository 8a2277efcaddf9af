import { availableParallelism } from "node:os";
import { instructionProbe } from "../target/wasm/instructions.ts";
import { describeAdapter, findGpu, type GpuAdapterFacts } from "./gpu-device.ts";
import { requestAdapter } from "./gpu-request.ts";
import { HintedError } from "./hinted-error.ts";
import { DEFAULT_TARGET, TARGETS, type TargetName, targetNames } from "./targets.ts";

/** What this machine and process have to run programs with. */
export interface Diagnosis {
  readonly platform: string;
  readonly node: string;
  readonly processors: number;
  readonly wasm: WasmFacts;
  readonly webgpu: WebGpuFacts | Trouble;
  readonly targets: readonly TargetFacts[];
  /** What `train` and `generate` take where nothing is said. */
  readonly chosen: TargetName;
}

export interface WasmFacts {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  /** Memory that threads can share. */
  readonly sharedMemory: boolean;
}

export interface WebGpuFacts {
  /** Whether the process brings WebGPU itself, as browsers and Deno do, or the package `webgpu` does. */
  readonly from: "navigator.gpu" | "package";
  readonly adapter: GpuAdapterFacts;
}

/** Why something is not there, and what to do about it. */
export interface Trouble {
  readonly problem: string;
  readonly hint: string | undefined;
}

export interface TargetFacts {
  readonly name: TargetName;
  readonly doc: string;
  /** Why it does not start; undefined where it does. */
  readonly trouble: Trouble | undefined;
  readonly notice: string | undefined;
}

/** Looks at everything that programs can run on, and starts each target once. */
export async function diagnose(): Promise<Diagnosis> {
  const webgpu = await webGpuFacts();
  const targets: TargetFacts[] = [];
  for (const name of targetNames()) targets.push(await targetFacts(name));
  return {
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    processors: availableParallelism(),
    wasm: wasmFacts(),
    webgpu,
    targets,
    chosen: DEFAULT_TARGET,
  };
}

function wasmFacts(): WasmFacts {
  return {
    simd: WebAssembly.validate(instructionProbe("plain")),
    relaxedSimd: WebAssembly.validate(instructionProbe("relaxed")),
    sharedMemory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer,
  };
}

async function webGpuFacts(): Promise<WebGpuFacts | Trouble> {
  const from = globalThis.navigator?.gpu === undefined ? "package" : "navigator.gpu";
  try {
    return { from, adapter: describeAdapter(await requestAdapter(await findGpu())) };
  } catch (error) {
    return troubleOf(error);
  }
}

async function targetFacts(name: TargetName): Promise<TargetFacts> {
  const { doc, start } = TARGETS[name];
  try {
    const { notice } = await start();
    return { name, doc, trouble: undefined, notice };
  } catch (error) {
    return { name, doc, trouble: troubleOf(error), notice: undefined };
  }
}

/** What is not the user's to know is thrown on. */
function troubleOf(error: unknown): Trouble {
  if (error instanceof HintedError) return { problem: error.reason, hint: error.hint };
  throw error;
}
