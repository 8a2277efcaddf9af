import type { GpuModule } from "../../target/webgpu/module.ts";
import { checkedByGpu, type GpuFindings, raise, watchedByGpu } from "../gpu-errors.ts";
import { bindOnGpu, boundOn, closeOnGpu, encodeRun, openGpuProgram, slotOf, writeOnGpu } from "../gpu-program.ts";
import { MEMORY_LIMITS, requestAdapter, requestDevice } from "../gpu-request.ts";
import { HintedError } from "../hinted-error.ts";
import { createGpuLog, LOG_BYTES } from "../webgpu-log.ts";
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
  if (gpu !== undefined) return requestDevice(await requestAdapter(gpu), MEMORY_LIMITS);
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
  const program = openGpuProgram(device, module);
  const log = createGpuLog(device, LOG_BYTES);
  const found: Promise<GpuFindings>[] = [];
  /** Does work, then has copies of params or results logged. */
  const submit = (
    kind: "param" | "result",
    names: readonly string[],
    work: (encoder: GPUCommandEncoder) => void,
  ): void => {
    const encoder = device.createCommandEncoder();
    work(encoder);
    const slots = names.map((name) => slotOf(program, kind, name));
    log.append(encoder, boundOn(program).arena, slots);
    device.queue.submit([encoder.finish()]);
  };
  return {
    memory: module,
    bind: (sizes) => bindOnGpu(program, sizes),
    write: (param, values) => writeOnGpu(program, param, values),
    read: (params) =>
      checkedByGpu(device, module.name, async () => {
        submit("param", params, () => undefined);
        return (await log.read())[0] ?? [];
      }),
    start(call, more) {
      const work = (): void => {
        for (const [name, value] of callArguments(spec, module, call, more)) writeOnGpu(program, name, value);
        const names = results.map(({ name }) => name);
        submit("result", names, (encoder) => encodeRun(program, encoder));
      };
      found.push(watchedByGpu(device, work));
    },
    async finish() {
      const logged = await checkedByGpu(device, module.name, log.read);
      for (const findings of found.splice(0)) await raise(device, module.name, await findings);
      return logged.map((arrays) =>
        Object.fromEntries(results.flatMap(({ as }, at) => (arrays[at] ? [[as, arrays[at]]] : []))),
      );
    },
    dispose() {
      log.dispose();
      closeOnGpu(program);
    },
  };
}
