import type { GpuModule } from "../../target/webgpu/module.ts";
import { checkedByGpu, type GpuFindings, raise, watchedByGpu } from "../gpu-errors.ts";
import { requestAdapter, requestDevice } from "../gpu-request.ts";
import { HintedError } from "../hinted-error.ts";
import { createGpuRunner } from "../webgpu.ts";
import { callArguments, type Machine, type OpenProgram } from "./program.ts";
import type { ProgramSpec } from "./spec.ts";

export interface DeviceOptions {
  /** Runs on this device, which stays open; where not said, on one of the fastest adapter, opened when it is first needed. */
  readonly device?: GPUDevice | undefined;
}

/** Runs programs on a graphics device. Opening them throws where there is none. */
export function onWebGpu({ device }: DeviceOptions): Machine<GpuModule> {
  let opened: Promise<GPUDevice> | undefined;
  return {
    async open(spec) {
      opened ??= device === undefined ? openDevice() : Promise.resolve(device);
      return openOn(await opened, spec);
    },
    dispose() {
      if (device === undefined)
        opened?.then(
          (own) => own.destroy(),
          () => undefined,
        );
    },
  };
}

async function openDevice(): Promise<GPUDevice> {
  const gpu = presentGpu();
  if (gpu !== undefined) return requestDevice(await requestAdapter(gpu));
  throw new HintedError(
    "there is no WebGPU here: no navigator.gpu",
    "give a device, or compile with --target auto, which runs on WebAssembly then",
  );
}

/** WebGPU of this browser or process. */
export function presentGpu(): GPU | undefined {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  return navigator?.gpu;
}

function openOn(device: GPUDevice, spec: ProgramSpec<GpuModule>): OpenProgram {
  const { module, results } = spec;
  const runner = createGpuRunner(device, module);
  const names = results.map(({ name }) => name);
  const found: Promise<GpuFindings>[] = [];
  return {
    memory: module,
    bind: runner.bind,
    write: runner.write,
    read: (params) => checkedByGpu(device, module.name, () => runner.readParams(params)),
    start(call, more) {
      const work = (): void => {
        for (const [name, value] of callArguments(spec, module, call, more)) runner.write(name, value);
        runner.run(names);
      };
      found.push(watchedByGpu(device, work));
    },
    async finish() {
      const logged = await checkedByGpu(device, module.name, () => runner.readLog());
      for (const findings of found.splice(0)) await raise(device, module.name, await findings);
      return logged.map((arrays) =>
        Object.fromEntries(results.flatMap(({ as }, at) => (arrays[at] ? [[as, arrays[at]]] : []))),
      );
    },
    dispose: runner.dispose,
  };
}
