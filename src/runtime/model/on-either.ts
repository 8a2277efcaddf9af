import type { WasmModule } from "../../target/wasm/module.ts";
import type { GpuModule } from "../../target/webgpu/module.ts";
import { isSoftware, MEMORY_LIMITS, requestDevice } from "../gpu-request.ts";
import { onWasm, type WasmCode } from "./on-wasm.ts";
import { type DeviceOptions, onWebGpu, presentGpu } from "./on-webgpu.ts";
import type { Machine, OpenProgram } from "./program.ts";

/** What a model runs on. */
export type Target = "webgpu" | "wasm";

export interface TargetOptions extends DeviceOptions {
  /** What it runs on; where not said, a graphics card where there is one, else WebAssembly. */
  readonly target?: Target | undefined;
}

/** A program for either. */
export interface EitherModule {
  readonly wasm: WasmModule;
  readonly webgpu: GpuModule;
}

export interface EitherMachine extends Machine<EitherModule> {
  /** Finds out what it runs on. */
  target(): Promise<Target>;
}

/** Runs programs on a graphics card where there is one, else as WebAssembly. */
export function onEither(code: WasmCode, { target, device }: TargetOptions): EitherMachine {
  let chosen: Promise<Choice> | undefined;
  const choose = (): Promise<Choice> => {
    chosen ??= choice(code, target, device);
    return chosen;
  };
  return {
    open: async (spec) => (await choose()).open(spec),
    target: async () => (await choose()).target,
    dispose() {
      chosen?.then(
        (one) => one.dispose(),
        () => undefined,
      );
    },
  };
}

interface Choice extends Machine<EitherModule> {
  readonly target: Target;
}

async function choice(code: WasmCode, target: Target | undefined, device: GPUDevice | undefined): Promise<Choice> {
  if (target !== undefined && target !== "webgpu" && target !== "wasm") {
    throw new TypeError(`target is webgpu or wasm, given is ${String(target)}`);
  }
  const own = target === undefined && device === undefined ? await graphicsCard() : undefined;
  if (target === "wasm" || (target === undefined && device === undefined && own === undefined)) {
    const machine = onWasm(code);
    const open = ({ module, ...spec }: Parameters<Choice["open"]>[0]): Promise<OpenProgram> =>
      machine.open({ ...spec, module: module.wasm });
    return { target: "wasm", open, dispose: machine.dispose };
  }
  const machine = onWebGpu({ device: device ?? own });
  return {
    target: "webgpu",
    open: ({ module, ...spec }) => machine.open({ ...spec, module: module.webgpu }),
    dispose() {
      machine.dispose();
      own?.destroy();
    },
  };
}

/** A device on a graphics card; a processor that stands in for one is slower than WebAssembly. */
async function graphicsCard(): Promise<GPUDevice | undefined> {
  const adapter = await presentGpu()?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter || isSoftware(adapter)) return undefined;
  return requestDevice(adapter, MEMORY_LIMITS).catch(() => undefined);
}
