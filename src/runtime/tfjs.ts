import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import type { TfLibrary } from "../target/tfjs/library.ts";
import { DataError } from "./data/error.ts";
import { findGpu } from "./gpu-device.ts";
import { requestAdapter } from "./gpu-request.ts";

/** The tfjs backends that lowered programs run on. */
export type TfBackend = "cpu" | "wasm" | "webgpu";

/**
 * Loads tfjs-core with one backend and makes it the current one. The only place that loads tfjs.
 * Throws where the backend's package is not installed or its device does not start.
 */
export async function loadTfjs(backend: TfBackend): Promise<TfLibrary> {
  const tf = await imported(backend, "@tensorflow/tfjs-core", () => import("@tensorflow/tfjs-core"));
  // No greeting on the console.
  tf.env().set("PROD", true);
  await REGISTER[backend]();
  const ready = await tf.setBackend(backend).catch((cause: unknown) => notStarted(backend, cause));
  if (!ready || tf.getBackend() !== backend) notStarted(backend, undefined);
  await tf.ready();
  return { tf, support: await import("../target/tfjs/support/tensors.ts") };
}

/** The device of tfjs's webgpu backend, once that is loaded. */
export async function tfjsGpuDevice({ tf }: TfLibrary): Promise<GPUDevice> {
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  const backend = tf.findBackend("webgpu");
  if (backend instanceof WebGPUBackend) return backend.device;
  throw new Error("internal: tfjs's webgpu backend is not loaded");
}

/** Of tfjs, whose packages must fit each other. */
const VERSION = "4.22.0";

const REGISTER: Readonly<Record<TfBackend, () => Promise<void>>> = {
  cpu: async () => {
    await imported("cpu", "@tensorflow/tfjs-backend-cpu", () => import("@tensorflow/tfjs-backend-cpu"));
  },
  wasm: async () => {
    const wasm = await imported("wasm", "@tensorflow/tfjs-backend-wasm", () => import("@tensorflow/tfjs-backend-wasm"));
    wasm.setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
  },
  webgpu: async () => {
    // The backend asks for an adapter itself, but has no words for where there is none.
    await requestAdapter(await findGpu());
    await imported("webgpu", "@tensorflow/tfjs-backend-webgpu", () => import("@tensorflow/tfjs-backend-webgpu"));
  },
};

async function imported<Module>(backend: TfBackend, name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new DataError(`${name} cannot be loaded: ${reason}`, {
      hint: `npm install @tensorflow/tfjs-core@${VERSION} @tensorflow/tfjs-backend-${backend}@${VERSION}`,
    });
  }
}

function notStarted(backend: TfBackend, cause: unknown): never {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  throw new DataError(`tfjs: the ${backend} backend does not start${reason}`, { hint: "use --target wasm" });
}
