import { isSoftware, MEMORY_LIMITS, type RaisedLimit, requestAdapter, requestDevice } from "./gpu-request.ts";
import { HintedError } from "./hinted-error.ts";

/** An open GPU and what is known of its adapter. */
export interface GpuDevice {
  readonly device: GPUDevice;
  readonly adapter: GpuAdapterFacts;
}

declare global {
  // Empty here: what TypeScript knows of WebGPU is added. Declarations before TypeScript 6 know nothing, and users read ours with those.
  interface GPU {}
  interface GPUAdapter {}
  interface GPUDevice {}
}

/** What an adapter says of itself. */
export interface GpuAdapterFacts {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** The driver, in its own words. */
  readonly driver: string;
  /** A processor that stands in for a graphics card: right numbers, no speed. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** Features that are asked for where the adapter has them. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ["subgroups", "timestamp-query"];

const COMPUTE_LIMITS: readonly RaisedLimit[] = [
  ...MEMORY_LIMITS,
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
];

/**
 * Opens a device on the fastest adapter, with all its compute limits and the features that kernels can use.
 * `gpu` is where to look for it, `findGpu()` where nothing is said. Throws where there is no adapter.
 */
export async function openGpuDevice(gpu?: GPU): Promise<GpuDevice> {
  const adapter = await requestAdapter(gpu ?? (await findGpu()));
  const features = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  return { device: await requestDevice(adapter, COMPUTE_LIMITS, features), adapter: describeAdapter(adapter) };
}

/** WebGPU of this process: the browser's or Deno's own, else the `webgpu` package's. Throws where there is neither. */
export async function findGpu(): Promise<GPU> {
  return globalThis.navigator?.gpu ?? (await installPackage());
}

/** What a person asks of an adapter, in plain data. */
export function describeAdapter(adapter: GPUAdapter): GpuAdapterFacts {
  const { info, features, limits } = adapter;
  const { vendor, architecture, device, description } = info;
  return {
    vendor,
    architecture,
    device,
    driver: description,
    software: isSoftware(adapter),
    features: [...features].sort(),
    limits: Object.fromEntries(numbersOf(limits)),
  };
}

/** The sentence for a software adapter; undefined for a graphics card. */
export function softwareNotice({ software, driver, architecture }: GpuAdapterFacts): string | undefined {
  if (!software) return undefined;
  return `${driver || architecture || "the adapter"} is a software adapter: the processor stands in for a graphics card, which is slower than --target wasm`;
}

/**
 * Puts the package's WebGPU where browsers have theirs: `navigator.gpu` and the global constants (GPUBufferUsage and the like), which
 * libraries read too. There it also stays alive: the package must not lose it while anything of a device is under way.
 */
async function installPackage(): Promise<GPU> {
  const { create, globals } = await importPackage();
  for (const [name, value] of Object.entries(globals)) if (!(name in globalThis)) define(globalThis, name, value);
  if (!("navigator" in globalThis)) define(globalThis, "navigator", {});
  const gpu = create([]);
  define(globalThis.navigator, "gpu", gpu);
  return gpu;
}

function define(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
}

async function importPackage(): Promise<typeof import("webgpu")> {
  try {
    return await import("webgpu");
  } catch (cause) {
    throw new HintedError(
      `there is no WebGPU here: no navigator.gpu, and the package webgpu ${whyNot(cause)}`,
      `install it with npm install ${PACKAGE}, or use --target wasm`,
    );
  }
}

/** The package that brings WebGPU to Node. */
export const PACKAGE = "webgpu@0.6.2";

function whyNot(cause: unknown): string {
  if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND") return "is not installed";
  return `does not load: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/** Limits are getters of the prototype. */
function numbersOf(limits: GPUSupportedLimits): readonly (readonly [string, number])[] {
  const found: [string, number][] = [];
  for (const name in limits) {
    const value = Reflect.get(limits, name);
    if (typeof value === "number") found.push([name, value]);
  }
  return found;
}
