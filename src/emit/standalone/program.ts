import { printBytes } from "../../base/printable.ts";
import { feedbackOf } from "../../build/feedback.ts";
import { inLayout, resultLayouts } from "../../build/layout.ts";
import type { InputSpec, ParamRole, Program } from "../../build/program.ts";
import { pruned } from "../../compile/prune.ts";
import { evaluateSize, isUnit, sizeConstant } from "../../ir/size.ts";
import type { Axis, DType } from "../../ir/type.ts";
import type { SizeForm } from "../../plan/bound-size.ts";
import { placementOrder } from "../../target/wasm/arrange.ts";
import { compileTogether } from "../../target/wasm/compile.ts";
import type { Instructions } from "../../target/wasm/instructions.ts";
import { describeModule, moduleOf, type WasmModule } from "../../target/wasm/module.ts";
import { placementOrder as orderOnDevices } from "../../target/webgpu/arrange.ts";
import { type CompileOptions, compileWebGpu } from "../../target/webgpu/compile.ts";
import { describeGpuModule, type GpuModule, gpuModuleOf } from "../../target/webgpu/module.ts";
import { tableLength } from "../../target/webgpu/shader-text.ts";

/** A program as it stands in a file: what callers give it and get, and its description for what it runs on. */
export interface ProgramText<M> {
  readonly inputs: readonly InputText[];
  readonly results: readonly ResultText[];
  readonly spec: {
    readonly module: M;
    readonly params: Readonly<Record<string, ParamRole>>;
    readonly inputs: readonly InputText["literal"][];
    readonly results: readonly { readonly name: string; readonly as: string; readonly state?: string }[];
  };
}

/** Programs of a model, by key, and the one module that is their code. */
export interface ProgramTexts<K extends string, S> {
  readonly texts: ReadonlyMap<K, ProgramText<WasmModule<S | number>>>;
  /** The module, as text. */
  readonly code: Readonly<Partial<Record<Instructions, string>>>;
}

export interface InputText {
  readonly spec: InputSpec;
  /** Tokens lie below it, where that is known. */
  readonly below: number | undefined;
  readonly literal: {
    readonly name: string;
    readonly dtype: DType;
    readonly axes: readonly { readonly size: number | string; readonly time?: string }[];
    readonly below?: number;
    readonly end?: number;
  };
}

export interface ResultText {
  readonly as: string;
  /** In the program: `ids.logits`. */
  readonly name: string;
  /** The state that it is, where it is one to go on from. */
  readonly state: string | undefined;
  readonly dtype: DType;
  /** By axis, the batch first: numbers where they are known. */
  readonly shape: readonly { readonly name: string; readonly size: number | undefined }[];
}

/** Results that callers see, by name, with what they call them; the state that one is, where it is carried on. */
export type Shown = ReadonlyMap<string, { readonly as: string; readonly state?: string }>;

/** A program that is to be in the file. */
export interface WantedProgram {
  readonly program: Program;
  readonly shown: Shown;
  /** Whether it writes results over its params: what a training step keeps. */
  readonly feeds: boolean;
}

/**
 * Compiles programs to one WebAssembly module and describes each.
 * @param size what stands for a size that is known when a program runs; the names that are bound then, in their order
 */
export function describePrograms<K extends string, S>(
  wanted: ReadonlyMap<K, WantedProgram>,
  { instructions: variants, fuse = true }: { readonly instructions: readonly Instructions[]; readonly fuse?: boolean },
  size: SizeForm<S>,
): ProgramTexts<K, S> {
  const parts = [...wanted.values()].map(withFeedback);
  const modules = variants.map(
    (instructions) =>
      [instructions, compileTogether(parts, { instructions, fuse, names: false, compact: true })] as const,
  );
  const compiled = modules[0]?.[1] ?? [];
  const texts = parts.map(({ source, shown }, at) => {
    const program = compiled[at];
    if (program === undefined) throw new Error("internal: no variant of the code is asked for");
    const order = placementOrder(moduleOf(program));
    return describeProgram(source, shown, program.results, (results) => ({
      ...describeModule({ ...program, results }, size),
      ...(order && { order }),
    }));
  });
  return {
    texts: new Map([...wanted.keys()].map((key, at) => [key, texts[at] ?? none(key)])),
    code: Object.fromEntries(
      modules.flatMap(([variant, [made]]) => (made ? [[variant, printBytes(made.module)]] : [])),
    ),
  };
}

function none(key: string): never {
  throw new Error(`internal: ${key} was not compiled`);
}

/** The same for graphics devices: what stands in a program's place is its shaders and what runs in which order. */
export function describeGpuPrograms<K extends string, S>(
  wanted: ReadonlyMap<K, WantedProgram>,
  options: Pick<CompileOptions, "tuning" | "fuse">,
  size: SizeForm<S>,
): ReadonlyMap<K, ProgramText<GpuModule<S | number>>> {
  return new Map(
    [...wanted].map(([key, one]) => {
      const { source, shown, feedback } = withFeedback(one);
      const program = compileWebGpu(source, feedback, options);
      const module = gpuModuleOf(program);
      if (tableLength(module) > MOST_CELLS) {
        throw new RangeError(`${program.name} is too large for graphics devices: compile it with --target wasm`);
      }
      const order = orderOnDevices(module);
      const describe = (results: typeof program.results) => ({
        ...describeGpuModule({ ...program, results }, size),
        ...(order && { order }),
      });
      return [key, describeProgram(source, shown, program.results, describe)];
    }),
  );
}

/** Of the table of sizes and addresses, on every device: 64 KB. */
const MOST_CELLS = 2 ** 14;

function withFeedback({ program, shown, feeds }: WantedProgram) {
  const source = pruned(program, (name) => feeds || shown.has(name));
  return { source, shown, feedback: feeds ? feedbackOf(source) : new Map<string, string>() };
}

function describeProgram<R extends ResultSlot, M>(
  program: Program,
  shown: Shown,
  all: readonly R[],
  describe: (results: readonly R[]) => M,
): ProgramText<M> {
  const layouts = resultLayouts(program);
  const results = all.filter(({ name }) => shown.has(name)).map((slot) => inLayout(slot, layouts.get(slot.name)));
  const inputs = usedInputs(program).map((spec) => inputText(program, spec));
  return {
    inputs,
    results: results.map(({ name, dtype, axes }) => ({
      name,
      as: shown.get(name)?.as ?? name,
      state: shown.get(name)?.state,
      dtype,
      shape: axes.map(({ size }) => ({ name: size.text, size: sizeConstant(size) ?? program.sizes.get(size.text) })),
    })),
    spec: {
      module: describe(results),
      params: Object.fromEntries(
        program.graph.params.flatMap(({ id }) => {
          const role = roleOf(program, id);
          return role.kind === "weight" && role.name === id ? [] : [[id, role]];
        }),
      ),
      inputs: inputs.map(({ literal }) => literal),
      results: results.map(({ name }) => {
        const { as, state } = shown.get(name) ?? { as: name };
        return { name, as, ...(state !== undefined && { state }) };
      }),
    },
  };
}

interface ResultSlot {
  readonly name: string;
  readonly dtype: DType;
  readonly axes: readonly Axis[];
}

function roleOf({ params }: Program, id: string): ParamRole {
  const role = params.get(id);
  if (role === undefined) throw new Error("internal: a param has no role");
  return role;
}

function usedInputs(program: Program): readonly InputSpec[] {
  const used = new Set([...program.params.values()].flatMap((role) => (role.kind === "input" ? [role.name] : [])));
  return program.inputs.filter(({ name }) => used.has(name));
}

/** What an input's arrays have: axes of size 1 are left out, as the program does not know them. */
export function inputText(program: Program, spec: InputSpec): InputText {
  const below = spec.vocabulary === undefined ? undefined : evaluateSize(spec.vocabulary, program.sizes);
  const axes = spec.shape.flatMap((size, axis) => {
    if (isUnit(size)) return [];
    const time = spec.times[axis];
    const value = evaluateSize(size, program.sizes);
    return [{ size: value ?? size.text, ...(time !== undefined && { time }) }];
  });
  const place = spec.specials.indexOf("EOS");
  const end = spec.ends && below !== undefined && place >= 0 ? below - spec.specials.length + place : undefined;
  return {
    spec,
    below,
    literal: {
      name: spec.name,
      dtype: spec.dtype,
      axes,
      ...(below !== undefined && { below }),
      ...(end !== undefined && { end }),
    },
  };
}
