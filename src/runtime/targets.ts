import { LEFT_OUT } from "../pass/pipeline.ts";
import type { Executor, ExecutorOptions } from "./executor.ts";
import { HintedError } from "./hinted-error.ts";
import { behindPasses, type StageChoice, USUAL_STAGES } from "./passes.ts";
import { startWasm } from "./start-wasm.ts";
import { startWebGpu } from "./start-webgpu.ts";
import type { TfBackend } from "./tfjs.ts";

/** Starts a target; what it prepares goes through the passes that suit it, or those that are said. */
type Start = (stages?: StageChoice, options?: ExecutorOptions) => Promise<Executor>;

/** Where programs can run, with the sentence that help shows; nothing is loaded before it is started. */
export const TARGETS = {
  "tfjs-wasm": {
    doc: "tfjs on its WebAssembly backend",
    start: startTfjs("wasm"),
  },
  "tfjs-cpu": {
    doc: "tfjs on its plain JavaScript backend",
    start: startTfjs("cpu"),
  },
  "tfjs-webgpu": {
    doc: "tfjs on a graphics card",
    start: startTfjs("webgpu"),
  },
  wasm: {
    doc: "WebAssembly of our own",
    start: startWasm,
  },
  webgpu: {
    doc: "WebGPU of our own, on a graphics card",
    start: async (stages?: StageChoice, options: ExecutorOptions = {}) => {
      refuseOptions(options);
      return startWebGpu(undefined, stages);
    },
  },
  auto: {
    doc: "webgpu where there is a graphics card, else wasm",
    start: startAuto,
  },
  reference: {
    doc: "the interpreter: float64, slow",
    start: startReference,
  },
} as const satisfies Readonly<Record<string, { readonly doc: string; readonly start: Start }>>;

function startTfjs(backend: TfBackend): Start {
  return async (stages = USUAL_STAGES, options = {}) => {
    refuseOptions(options);
    refuse([...stages.off, ...stages.shown].includes("fuse"), "tfjs has kernels of its own, so there is no fuse here");
    return behindPasses(await (await import("./tfjs-executor.ts")).tfjsExecutor(backend), LEFT_OUT.tfjs, stages);
  };
}

/** A processor that stands in for a graphics card is slower at it than at WebAssembly. */
async function startAuto(stages: StageChoice = USUAL_STAGES, options: ExecutorOptions = {}): Promise<Executor> {
  const { openGpuDevice } = await import("./gpu-device.ts");
  const found = await openGpuDevice().catch((error: unknown) => {
    if (error instanceof HintedError) return error.reason;
    throw error;
  });
  if (typeof found !== "string" && !found.adapter.software) return startWebGpu(found, stages);
  if (typeof found !== "string") found.device.destroy();
  const why = typeof found === "string" ? found : `${found.adapter.driver || "the adapter"} is a software adapter`;
  return { ...(await startWasm(stages, options)), notice: `${why}, so programs run on wasm` };
}

/** What all other numbers are compared with is computed as it is scheduled. */
async function startReference(
  { on, off, shown }: StageChoice = USUAL_STAGES,
  options: ExecutorOptions = {},
): Promise<Executor> {
  refuseOptions(options);
  refuse(on.size + off.size + shown.size > 0, "the interpreter runs graphs as they are scheduled, without passes");
  return (await import("./reference.ts")).referenceExecutor();
}

function refuseOptions({ threads, memory }: ExecutorOptions): void {
  refuse(memory !== undefined, "only our own WebAssembly keeps within a budget of memory");
  refuse(threads !== undefined, "only our own WebAssembly divides a program among threads");
}

function refuse(isWrong: boolean, message: string): void {
  if (isWrong) throw new HintedError(message, "leave the option out, or give --target wasm");
}

export type TargetName = keyof typeof TARGETS;

/** What trains and generates where nothing is said. */
export const DEFAULT_TARGET: TargetName = "wasm";

export function isTarget(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name);
}

export function targetNames(): readonly TargetName[] {
  return Object.keys(TARGETS).filter(isTarget);
}
