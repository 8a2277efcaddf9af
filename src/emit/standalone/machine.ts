import type { SizeForm } from "../../plan/bound-size.ts";
import type { Instructions } from "../../target/wasm/instructions.ts";
import { type Tuning, USUAL_TUNING } from "../../target/webgpu/compile.ts";
import type { Code, Literal } from "./literal.ts";
import { describeGpuPrograms, describePrograms, type ProgramText } from "./program.ts";
import { createShaderTexts, equationsOf } from "./shaders.ts";
import { type StandaloneInput, wantedPrograms } from "./wanted.ts";

/** What a module runs on; `auto` is a graphics card where there is one, else WebAssembly. */
export type StandaloneTarget = "wasm" | "webgpu" | "auto";

export interface MachineOptions {
  /** WebAssembly where not said. */
  readonly target?: StandaloneTarget;
  /** `plain` runs on every engine with SIMD; `relaxed` beside it is faster where there is relaxed SIMD, and takes as much room again. */
  readonly instructions: readonly Instructions[];
  /** Whether kernels are fused; they are where nothing is said. */
  readonly fuse?: boolean;
  /** The same model as graphics devices run it, where that is not the one given. */
  readonly forDevices?: StandaloneInput;
  /** What suits the devices; where not said, what every device has. */
  readonly tuning?: Tuning;
}

/** A model's programs in a file, and how the file runs them. */
export interface MachineText {
  readonly texts: ReadonlyMap<string, ProgramText<object>>;
  /** The type of what runs a program. */
  readonly module: string;
  /** The expression that makes the machine. */
  readonly create: string;
  /** The type of the options that callers give it, where there are any. */
  readonly options?: string;
  /** The code of all programs, where they are one module of WebAssembly. */
  readonly code?: Literal;
  /** What the parts of a program compute, by program, for the reader. */
  readonly equations?: ReadonlyMap<string, readonly string[]>;
  /** Constants of the file beside the programs, and their names. */
  readonly declarations: readonly string[];
  readonly names: readonly string[];
  /** What it takes of the runtime. */
  readonly uses: readonly string[];
}

export function machineFor(input: StandaloneInput, options: MachineOptions, size: SizeForm<Code>): MachineText {
  return MACHINES[options.target ?? "wasm"](input, options, size);
}

type Maker = (input: StandaloneInput, options: MachineOptions, size: SizeForm<Code>) => MachineText;

const MACHINES: Readonly<Record<StandaloneTarget, Maker>> = { wasm: wasmMachine, webgpu: deviceMachine, auto: either };

function wasmMachine(input: StandaloneInput, options: MachineOptions, size: SizeForm<Code>): MachineText {
  return {
    ...describePrograms(wantedPrograms(input), options, size),
    ...{ module: "WasmModule", create: "onWasm(CODE)", declarations: [], names: [] },
    uses: ["onWasm", "WasmCode"],
  };
}

function deviceMachine(
  input: StandaloneInput,
  { forDevices = input, tuning = EVERYWHERE, fuse = true }: MachineOptions,
  size: SizeForm<Code>,
): MachineText {
  const programs = describeGpuPrograms(wantedPrograms(forDevices), { tuning, fuse }, size);
  const shaders = createShaderTexts();
  const texts = [...programs].map(([key, { spec, ...text }]): [string, ProgramText<object>] => [
    key,
    { ...text, spec: { ...spec, module: shaders.named(spec.module) } },
  ]);
  return {
    texts: new Map(texts),
    equations: new Map([...programs].map(([key, { spec }]) => [key, equationsOf(spec.module)])),
    ...{ module: "GpuModule", create: "onWebGpu(options)", options: "DeviceOptions" },
    ...{ declarations: shaders.declarations(), names: shaders.names(), uses: ["onWebGpu", "DeviceOptions"] },
  };
}

/** What every device has: workgroups' memory is half of what the usual tiles and what else is shared take. */
export const EVERYWHERE: Tuning = { ...USUAL_TUNING, shared: USUAL_TUNING.shared / 2 };

function either(input: StandaloneInput, options: MachineOptions, size: SizeForm<Code>): MachineText {
  const [wasm, device] = [wasmMachine(input, options, size), deviceMachine(input, options, size)];
  const texts = [...wasm.texts].map(([key, text]): [string, ProgramText<object>] => {
    const other = device.texts.get(key);
    if (other === undefined) throw new Error(`internal: ${key} was not compiled for devices`);
    return [key, joined(text, other)];
  });
  return {
    ...device,
    texts: new Map(texts),
    code: wasm.code ?? null,
    ...{ module: "EitherModule", create: "onEither(CODE, options)", options: "TargetOptions" },
    uses: ["onEither", "EitherMachine", "EitherModule", "TargetOptions", "Target", "WasmCode"],
  };
}

/** A program for both: passes may leave other params and inputs out for the one than for the other. */
export function joined<W, D>(
  wasm: ProgramText<W>,
  device: ProgramText<D>,
): ProgramText<{ readonly wasm: W; readonly webgpu: D }> {
  const inputs = [
    ...wasm.inputs,
    ...device.inputs.filter(({ spec }) => wasm.inputs.every((one) => one.spec.name !== spec.name)),
  ];
  return {
    ...wasm,
    inputs,
    spec: {
      ...wasm.spec,
      module: { wasm: wasm.spec.module, webgpu: device.spec.module },
      params: { ...device.spec.params, ...wasm.spec.params },
      inputs: inputs.map(({ literal }) => literal),
    },
  };
}
