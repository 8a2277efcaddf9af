import type { Executor } from "./executor.ts";

/** Where programs can run, with the sentence that help shows; nothing is loaded before it is started. */
export const TARGETS = {
  "tfjs-wasm": {
    doc: "tfjs on its WebAssembly backend",
    start: async () => (await import("./tfjs-executor.ts")).tfjsExecutor("wasm"),
  },
  "tfjs-cpu": {
    doc: "tfjs on its plain JavaScript backend",
    start: async () => (await import("./tfjs-executor.ts")).tfjsExecutor("cpu"),
  },
  "tfjs-webgpu": {
    doc: "tfjs on a graphics card",
    start: async () => (await import("./tfjs-executor.ts")).tfjsExecutor("webgpu"),
  },
  wasm: {
    doc: "WebAssembly of our own",
    start: async () => (await import("./wasm-executor.ts")).wasmExecutor(),
  },
  reference: {
    doc: "the interpreter: float64, slow",
    start: async () => (await import("./reference.ts")).referenceExecutor(),
  },
} as const satisfies Readonly<Record<string, { readonly doc: string; readonly start: () => Promise<Executor> }>>;

export type TargetName = keyof typeof TARGETS;

/** What trains and generates where nothing is said. */
export const DEFAULT_TARGET: TargetName = "wasm";

export function isTarget(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name);
}

export function targetNames(): readonly TargetName[] {
  return Object.keys(TARGETS).filter(isTarget);
}
