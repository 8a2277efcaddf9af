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

/** Limits that are asked for as high as the adapter goes; the others stay at WebGPU's defaults. */
const RAISED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** A device with all of an adapter's compute limits, and those of the features that it has. */
export function requestDevice(adapter: GPUAdapter, features: readonly GPUFeatureName[] = []): Promise<GPUDevice> {
  return adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]])),
  });
}

/** Whether the processor stands in for a graphics card: right numbers, no speed. */
export function isSoftware({ info }: GPUAdapter): boolean {
  const { architecture, device, description, isFallbackAdapter } = info;
  return isFallbackAdapter || SOFTWARE.test([architecture, device, description].join(" "));
}

/** Drivers that compute on the processor, for browsers that do not say so themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;
