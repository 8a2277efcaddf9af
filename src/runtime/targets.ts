import { PRODUCT_PASSES } from "../pass/pipeline.ts";
import { DataError } from "./data/error.ts";
import type { Executor } from "./executor.ts";
import { behindPasses, type StageChoice, USUAL_STAGES } from "./passes.ts";
import type { TfBackend } from "./tfjs.ts";

/** Starts a target; what it prepares goes through the passes that suit it, or those that are said. */
type Start = (stages?: StageChoice) => Promise<Executor>;

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
  reference: {
    doc: "the interpreter: float64, slow",
    start: startReference,
  },
} as const satisfies Readonly<Record<string, { readonly doc: string; readonly start: Start }>>;

function startTfjs(backend: TfBackend): Start {
  return async (stages = USUAL_STAGES) => {
    refuse([...stages.off, ...stages.shown].includes("fuse"), "tfjs has kernels of its own, so there is no fuse here");
    return behindPasses(await (await import("./tfjs-executor.ts")).tfjsExecutor(backend), new Set(), stages);
  };
}

/** Products are added in place and weights laid out by the kernels themselves: packing them before would only copy. */
async function startWasm(stages: StageChoice = USUAL_STAGES): Promise<Executor> {
  const { wasmExecutor } = await import("./wasm-executor.ts");
  return behindPasses(wasmExecutor(stages), PRODUCT_PASSES, stages);
}

/** What all other numbers are compared with is computed as it is scheduled. */
async function startReference({ on, off, shown }: StageChoice = USUAL_STAGES): Promise<Executor> {
  refuse(on.size + off.size + shown.size > 0, "the interpreter runs graphs as they are scheduled, without passes");
  return (await import("./reference.ts")).referenceExecutor();
}

function refuse(isWrong: boolean, message: string): void {
  if (isWrong) throw new DataError(message, { hint: "leave the option out, or give --target wasm" });
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
