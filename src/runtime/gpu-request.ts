import { HintedError } from "./hinted-error.ts";

/** What of `GPU` finding an adapter takes. */
export interface AdapterSource<A> {
  requestAdapter(options: { readonly powerPreference: "high-performance" }): Promise<A | null>;
}

/** The fastest adapter; throws where there is none. */
export async function requestAdapter<A>(gpu: AdapterSource<A>): Promise<A> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter !== null) return adapter;
  throw new HintedError(
    "WebGPU finds no graphics device",
    "install a graphics driver that it can use (on Linux one for Vulkan, and libvulkan.so.1), or use --target wasm",
  );
}

/** A device with the features that are named, and some limits as high as the adapter goes; the others stay at WebGPU's defaults. */
export function requestDevice(
  adapter: GPUAdapter,
  limits: readonly RaisedLimit[],
  features: readonly GPUFeatureName[] = [],
): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(limits.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ requiredFeatures: [...features], requiredLimits });
}

/** What programs for every device need more of: memory in one piece. */
export const MEMORY_LIMITS: readonly RaisedLimit[] = ["maxBufferSize", "maxStorageBufferBindingSize"];

export type RaisedLimit =
  | "maxBufferSize"
  | "maxStorageBufferBindingSize"
  | "maxStorageBuffersPerShaderStage"
  | "maxComputeWorkgroupStorageSize"
  | "maxComputeInvocationsPerWorkgroup"
  | "maxComputeWorkgroupSizeX"
  | "maxComputeWorkgroupSizeY"
  | "maxComputeWorkgroupSizeZ"
  | "maxComputeWorkgroupsPerDimension";

/** Whether the processor stands in for a graphics card: right numbers, no speed. */
export function isSoftware({ info }: GPUAdapter): boolean {
  const { architecture, device, description, isFallbackAdapter } = info;
  return isFallbackAdapter || SOFTWARE.test([architecture, device, description].join(" "));
}

/** Drivers that compute on the processor, for browsers that do not say so themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;
