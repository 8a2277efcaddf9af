import { loadTfjs, type TfBackend } from "../../src/runtime/tfjs.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { useSoftwareDriver } from "./gpu.ts";

export const TF_BACKENDS: readonly TfBackend[] = ["cpu", "wasm", "webgpu"];

/** tfjs on a backend; webgpu computes everything on its device, which it leaves to the processor for small tensors otherwise. */
export async function startTfjs(backend: TfBackend): Promise<TfLibrary> {
  if (backend === "webgpu") await useSoftwareDriver();
  const library = await loadTfjs(backend);
  if (backend === "webgpu") library.tf.env().set("WEBGPU_CPU_FORWARD", false);
  return library;
}
