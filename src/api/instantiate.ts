import { openSizes } from "../compile/open-sizes.ts";
import { EVERYWHERE, joined } from "../emit/standalone/machine.ts";
import { describeGpuPrograms, describePrograms, inputText } from "../emit/standalone/program.ts";
import { choices, constantName, FORWARD, keptBy, wantedPrograms } from "../emit/standalone/wanted.ts";
import { boundSize } from "../plan/bound-size.ts";
import { type Chosen, type GenerateOptions, type GenerationSpec, generateWith } from "../runtime/model/generate.ts";
import { createModel, type Inputs, type Model, runForward } from "../runtime/model/model.ts";
import { onEither } from "../runtime/model/on-either.ts";
import { onWasm } from "../runtime/model/on-wasm.ts";
import { onWebGpu } from "../runtime/model/on-webgpu.ts";
import type { Machine, Output } from "../runtime/model/program.ts";
import type { ModelSpec, ProgramSpec, StartEntry } from "../runtime/model/spec.ts";
import { runStep, type States } from "../runtime/model/step.ts";
import { type TrainedStep, type TrainOptions, trainWith } from "../runtime/model/train.ts";
import { firstWeights, readWeights, saveWeights } from "../runtime/model/weights.ts";
import type { ModelPrograms } from "../runtime/model-programs.ts";
import type { CompiledModel } from "./compile.ts";
import { optimizedFor } from "./modules.ts";

/** How a model is instantiated. */
export interface InstantiateOptions {
  /** WebAssembly where not said, a graphics device, or (`auto`) a graphics card where there is one, else WebAssembly. */
  readonly target?: "wasm" | "webgpu" | "auto";
  /** The device for `webgpu` and `auto`, which stays open; where not said, one of the fastest adapter, opened when it is first needed. */
  readonly device?: GPUDevice;
  /** Also makes code for engines with relaxed SIMD, which is faster there. */
  readonly relaxed?: boolean;
}

/** What an emitted module exports: makes models. */
export interface ModelClass {
  readonly name: string;
  /** A model with the weights of a safetensors file. Rejects where an array is missing or has another shape, and says what was wanted and found. */
  load(bytes: Uint8Array): Promise<InstantiatedModel>;
  /** A model with first weights; each depends on the seed, its name and its shape alone. */
  init(seed?: number): InstantiatedModel;
}

/** A model with its weights. Every array is checked before anything runs; what throws has changed nothing. */
export interface InstantiatedModel {
  /** The parameters of what the model emits, by name: `logits`, or `ids_logits` where two emissions have one. */
  forward(inputs: Inputs): Promise<Readonly<Record<string, Output>>>;
  /**
   * The next piece of sequences, of any length, and the states to go on from, which are the caller's; without states sequences begin.
   * Rejects for a model that cannot be run in pieces.
   */
  step(states: States | undefined, inputs: Inputs): Promise<[Readonly<Record<string, Output>>, States]>;
  /** A training step for each batch; `block` says which train block, where there are several. */
  train(
    batches: Iterable<Inputs> | AsyncIterable<Inputs>,
    options?: TrainOptions & { readonly block?: string | undefined },
  ): AsyncGenerator<TrainedStep, void, undefined>;
  /** What a generate block chooses, a position at a time; `block` says which, where there are several. */
  generate(
    options?: GenerateOptions & { readonly block?: string | undefined },
  ): AsyncGenerator<Chosen, void, undefined>;
  /** The weights as the bytes of a safetensors file. */
  save(): Promise<Uint8Array>;
  /** Frees the model's memory. Any later call throws. */
  dispose(): void;
}

/**
 * The class of a compiled model, as its emitted module has it, without a file: for tools and pages that compile while they run. Throws
 * where a size is not known.
 */
export function instantiate({ name, programs }: CompiledModel, options: InstantiateOptions = {}): ModelClass {
  const [open] = openSizes(programs.forward);
  if (open !== undefined) {
    throw new RangeError(`the size ${open} of ${name} is not known: compile it with sizes: { ${open}: ... }`);
  }
  const steady = { ...programs, train: programs.train.filter(({ changing }) => changing === undefined) };
  return TARGETS[options.target ?? "wasm"](steady, options);
}

type Maker = (programs: ModelPrograms, options: InstantiateOptions) => ModelClass;

const TARGETS: Readonly<Record<NonNullable<InstantiateOptions["target"]>, Maker>> = {
  wasm(programs, options) {
    const { input, texts, code } = forProcessors(programs, options);
    return classOf(openPrograms(input, texts), () => onWasm(code));
  },
  webgpu(programs, { device }) {
    const { input, texts } = forDevices(programs);
    return classOf(openPrograms(input, texts), () => onWebGpu({ device }));
  },
  auto(programs, options) {
    const { input, texts, code } = forProcessors(programs, options);
    const others = forDevices(programs).texts;
    const both = [...texts].map(([key, text]) => [key, joined(text, others.get(key) ?? missing(key))] as const);
    return classOf(openPrograms(input, new Map(both)), () => onEither(code, { device: options.device }));
  },
};

function forProcessors(programs: ModelPrograms, { relaxed = false }: InstantiateOptions) {
  const input = optimizedFor(programs, "wasm");
  const instructions = relaxed ? (["plain", "relaxed"] as const) : (["plain"] as const);
  const { texts, code } = describePrograms(wantedPrograms(input), { instructions }, boundSize);
  const { plain = "", ...faster } = code;
  return { input, texts, code: { plain, ...faster } };
}

function forDevices(programs: ModelPrograms) {
  const input = optimizedFor(programs, "webgpu");
  return { input, texts: describeGpuPrograms(wantedPrograms(input), { tuning: EVERYWHERE }, boundSize) };
}

/** A model's programs as data, ready to be run by a machine for `M`. */
interface Opened<M> {
  readonly spec: ModelSpec<StartEntry>;
  readonly forward: ProgramSpec<M>;
  readonly inPieces: boolean;
  /** By block. */
  readonly train: ReadonlyMap<string, { readonly spec: ProgramSpec<M>; readonly seed: number }>;
  readonly generate: ReadonlyMap<string, GenerationSpec<M>>;
}

function openPrograms<M>(
  input: ModelPrograms,
  texts: ReadonlyMap<string, { readonly spec: ProgramSpec<M> }>,
): Opened<M> {
  const specOf = (constant: string): ProgramSpec<M> => texts.get(constant)?.spec ?? missing(constant);
  return {
    spec: keptBy(input),
    forward: specOf(FORWARD),
    inPieces: input.stream !== undefined,
    train: new Map(
      input.train.map(({ name, seed }) => [name, { spec: specOf(constantName("TRAIN", input.train, name)), seed }]),
    ),
    generate: new Map(
      input.generate.map(({ name, program }) => {
        const chosen = choices(program).flatMap(({ as }) => program.inputs.filter((one) => one.name === as));
        const emissions = chosen.map((one) => inputText(program, one).literal);
        const own = specOf(constantName("GENERATE", input.generate, name));
        return [name, { ...own, model: input.model, emissions }];
      }),
    ),
  };
}

/** Each model has a machine of its own. */
function classOf<M>(opened: Opened<M>, machine: () => Machine<M>): ModelClass {
  const { spec } = opened;
  return {
    name: spec.name,
    load: async (bytes) => modelOf(opened, createModel(spec, readWeights(spec, bytes), machine())),
    init: (seed = 0) => modelOf(opened, createModel(spec, firstWeights(spec, seed), machine())),
  };
}

function missing(constant: string): never {
  throw new Error(`internal: ${constant} was not compiled`);
}

function modelOf<M>({ spec, forward, inPieces, train, generate }: Opened<M>, model: Model<M>): InstantiatedModel {
  const step: InstantiatedModel["step"] = async (states, inputs) => {
    if (!inPieces) {
      throw new TypeError(`${spec.name} cannot be run in pieces: it reads ahead, or has no state to go on from`);
    }
    return runStep(model, forward, states, inputs);
  };
  return {
    forward: async (inputs) => (inPieces ? (await step(undefined, inputs))[0] : runForward(model, forward, inputs)),
    step,
    train(batches, { block, ...options } = {}) {
      const { spec: program, seed } = blockNamed(spec.name, "train", train, block);
      return trainWith(model, program, batches, { ...options, seed: options.seed ?? seed });
    },
    generate: ({ block, ...options } = {}) =>
      generateWith(model, blockNamed(spec.name, "generate", generate, block), options),
    save: () => saveWeights(model),
    dispose: () => model.dispose(),
  };
}

/** The block that is asked for, or the only one. */
function blockNamed<B>(
  model: string,
  kind: "train" | "generate",
  blocks: ReadonlyMap<string, B>,
  name: string | undefined,
): B {
  const names = [...blocks.keys()];
  const found = name === undefined && blocks.size === 1 ? [...blocks.values()][0] : blocks.get(name ?? "");
  if (found !== undefined) return found;
  if (blocks.size === 0) throw new TypeError(`${model} has no ${kind} block that one program can hold`);
  const what = name === undefined ? `has several ${kind} blocks` : `has no ${kind} block ${name}`;
  throw new TypeError(`${model} ${what}: give block as one of ${names.join(", ")}`);
}
