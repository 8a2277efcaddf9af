import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import type { TfLibrary } from "../target/tfjs/library.ts";
import { findGpu, requestAdapter } from "./gpu-device.ts";

/** The tfjs backends that lowered programs run on. */
export type TfBackend = "cpu" | "wasm" | "webgpu";

/**
 * Loads tfjs-core with one backend and makes it the current one. The only place that loads tfjs.
 * Throws where the backend's package is not installed or its device does not start.
 */
export async function loadTfjs(backend: TfBackend): Promise<TfLibrary> {
  const tf = await imported("@tensorflow/tfjs-core", () => import("@tensorflow/tfjs-core"));
  // No greeting on the console.
  tf.env().set("PROD", true);
  await REGISTER[backend]();
  const ready = await tf.setBackend(backend).catch((cause: unknown) => notStarted(backend, cause));
  if (!ready || tf.getBackend() !== backend) notStarted(backend, undefined);
  await tf.ready();
  return { tf, support: await import("../target/tfjs/support/tensors.ts") };
}

const REGISTER: Readonly<Record<TfBackend, () => Promise<void>>> = {
  cpu: async () => {
    await imported("@tensorflow/tfjs-backend-cpu", () => import("@tensorflow/tfjs-backend-cpu"));
  },
  wasm: async () => {
    const wasm = await imported("@tensorflow/tfjs-backend-wasm", () => import("@tensorflow/tfjs-backend-wasm"));
    wasm.setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  },
  webgpu: async () => {
    // The backend asks for an adapter itself, but has no words for where there is none.
    await requestAdapter(await findGpu());
    await imported("@tensorflow/tfjs-backend-webgpu", () => import("@tensorflow/tfjs-backend-webgpu"));
  },
};

async function imported<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new Error(`${name} cannot be loaded: is it installed? (npm install ${name}@4.22.0)`, { cause });
  }
}

function notStarted(backend: TfBackend, cause: unknown): never {
  throw new Error(`tfjs: the ${backend} backend does not start${cause instanceof Error ? `: ${cause.message}` : ""}`, {
    cause,
  });
}
