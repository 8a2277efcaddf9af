import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { type GpuDevice, openGpuDevice } from "../../src/runtime/gpu-device.ts";
import { askInPauses } from "./patience.ts";
import { unpacked } from "./unpack.ts";

/** Linux: the library stays loaded although it is no Node add-on (dlopen(3)). */
const RTLD_NODELETE = 0x1000;

// Once for all tests of a process.
askInPauses();

/**
 * A WebGPU device for tests, in this process: on x86-64 Linux always on SwiftShader, a Vulkan driver that computes on the processor and
 * comes with a development package; elsewhere on the machine's own adapter. Throws where there is none. The caller destroys it.
 */
export async function testGpuDevice(): Promise<GpuDevice> {
  await useSoftwareDriver();
  return openGpuDevice();
}

/** Makes SwiftShader the only Vulkan driver of this process; must come before WebGPU is loaded. */
export async function useSoftwareDriver(): Promise<void> {
  if (!hasSoftwareDriver()) return;
  const { LD_LIBRARY_PATH, ...variables } = await softwareDriverVariables();
  Object.assign(process.env, variables);
  // The search path is read when a process starts. A loader that is loaded already is found by its name.
  const loader = join(LD_LIBRARY_PATH, "libvulkan.so.1");
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE);
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.startsWith("Module did not self-register"))) throw cause;
  }
}

/** Environment variables with which a process has SwiftShader as its only Vulkan driver. Empty where there is none to bring along. */
export async function softwareDriverEnvironment(): Promise<Readonly<Record<string, string>>> {
  return hasSoftwareDriver() ? { ...(await softwareDriverVariables()) } : {};
}

interface DriverVariables {
  readonly LD_LIBRARY_PATH: string;
  readonly VK_DRIVER_FILES: string;
  readonly VK_ICD_FILENAMES: string;
  readonly XDG_RUNTIME_DIR: string;
}

async function softwareDriverVariables(): Promise<DriverVariables> {
  const folder = await unpacked("swiftshader.tar.br");
  const driver = join(folder, "vk_swiftshader_icd.json");
  return {
    LD_LIBRARY_PATH: folder,
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  };
}

function hasSoftwareDriver(): boolean {
  return process.platform === "linux" && process.arch === "x64";
}
