import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type * as tfjs from "@tensorflow/tfjs-core";
import type { NamedTensorInfoMap, NamedTensorMap, Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { ParamRole, Program } from "../build/program.ts";
import { cotangentName } from "../build/pullback.ts";
import { pruned } from "../compile/prune.ts";
import type { ValueFunction } from "../compile/value.ts";
import { evaluateSize, type Size, type SizeBinding, sizeNames } from "../ir/size.ts";
import { elementCount, shapeOf } from "../ir/tensor.ts";
import { createTensorRunner, type TensorRunner } from "./tfjs-tensors.ts";

/** A compiled value of a model as an op of tfjs, with its gradient. */
export interface TfOp {
  /**
   * Compiles shaders and lays out memory for sizes, `{ B: 32, T: 20 }`: the batch and every `time`. Must be awaited once for each choice of
   * sizes before `apply` meets it, because tfjs's ops cannot wait.
   */
  prepare(sizes: Readonly<Record<string, number>>): Promise<void>;
  /**
   * The value, float [B, ...], from weights and inputs by their names (float32, int32 for tokens and `T.length`). It computes on the backend's
   * own device, after what tfjs has recorded so far; nothing passes through the host. `tf.grads`, `tf.variableGrads`, optimizers and layers
   * differentiate through it, by float weights and inputs.
   */
  apply(weights: NamedTensorMap, inputs: NamedTensorMap, call?: TfOpCall): Tensor;
  /** Frees its memory and takes the op out of tfjs. */
  dispose(): void;
}

/** What one call of an op is given. */
export interface TfOpCall {
  /** Whether dropout and noise are at work. */
  readonly training?: boolean;
  /** Of this call's random numbers. */
  readonly seed?: number;
}

/**
 * Makes a compiled value an op of tfjs's webgpu backend under a name. `tf` is the tfjs that the caller uses, with that backend current.
 * Throws where another backend is, or the name is taken.
 */
export function registerTfOp(tf: typeof tfjs, name: string, value: ValueFunction): TfOp {
  const backend = webGpuBackend(tf);
  const backwards = `${name}.gradient`;
  for (const kernel of [name, backwards]) {
    if (tf.getKernel(kernel, "webgpu") !== undefined) throw new Error(`tfjs already has an op ${kernel}`);
  }
  const forward = createPart(
    backend,
    pruned(value.forward, () => true),
  );
  const pullback = createPart(
    backend,
    pruned(value.pullback, () => true),
  );
  const keys = [...forward.keys.values()];
  tf.registerKernel({
    kernelName: name,
    backendName: "webgpu",
    kernelFunc: (call) => forward.run(call)[0] ?? missing(name),
  });
  tf.registerKernel({ kernelName: backwards, backendName: "webgpu", kernelFunc: (call) => pullback.run(call) });
  tf.registerGradient({
    kernelName: name,
    inputsToSave: keys,
    gradFunc: (dy, saved, attrs) => {
      if (Array.isArray(dy)) throw new Error("internal: an op of one result has several cotangents");
      const inputs: NamedTensorMap = { [cotangentName(value.name)]: dy };
      keys.forEach((key, at) => {
        if (saved[at] !== undefined) inputs[key] = saved[at];
      });
      const gradients: unknown = tf.engine().runKernel(backwards, inputs, attrs);
      const list = Array.isArray(gradients) ? gradients : [gradients];
      return Object.fromEntries(pullback.results.map((key, at) => [key, () => list[at]]));
    },
  });
  return {
    async prepare(sizes) {
      const all = new Map([...value.forward.sizes, ...Object.entries(sizes)]);
      await forward.runner.prepare(all);
      await pullback.runner.prepare(all);
    },
    apply(weights, inputs, { training = false, seed = 0 } = {}) {
      const given: NamedTensorMap = {};
      for (const key of keys) {
        const tensor = weights[key] ?? inputs[key];
        if (tensor === undefined) throw new Error(`${name}: nothing is given for ${key}; it takes ${keys.join(", ")}`);
        given[key] = tensor;
      }
      const made: unknown = tf.engine().runKernel(name, given, { training, seed });
      if (made instanceof tf.Tensor) return made;
      throw new Error(`internal: ${name} gave no tensor`);
    },
    dispose() {
      for (const kernel of [name, backwards]) tf.unregisterKernel(kernel, "webgpu");
      tf.unregisterGradient(name);
      forward.runner.dispose();
      pullback.runner.dispose();
    },
  };
}

/** One direction of an op. */
interface Part {
  readonly runner: TensorRunner;
  /** By param id, what callers call it. */
  readonly keys: ReadonlyMap<string, string>;
  /** What each result is the gradient of; for the value itself, its name. */
  readonly results: readonly string[];
  readonly run: (call: { readonly inputs: NamedTensorInfoMap; readonly attrs?: object }) => TensorInfo[];
}

function createPart(backend: WebGPUBackend, program: Program): Part {
  const runner = createTensorRunner(backend, program);
  const keys = new Map<string, string>();
  for (const [id, role] of program.params) {
    const key = keyOf(role);
    if (key !== undefined) keys.set(id, key);
  }
  const results = [...program.results.keys()];
  return {
    runner,
    keys,
    results: results.map((name) => name.slice(name.indexOf(".") + 1)),
    run: ({ inputs, attrs }) => {
      const tensors = new Map<string, TensorInfo>();
      for (const [id, key] of keys) {
        const tensor = inputs[key];
        if (tensor !== undefined) tensors.set(id, tensor);
      }
      const made = runner.run(tensors, hostNumbers(program, attrs), checkedSizes(program, keys, tensors));
      return results.map((name) => made.get(name) ?? missing(name));
    },
  };
}

/** What callers call a param; undefined for what the host gives. */
function keyOf(role: ParamRole): string | undefined {
  switch (role.kind) {
    case "weight":
    case "input":
      return role.name;
    case "length":
      return `${role.time}.length`;
    case "present":
      return `${role.emission}.present`;
    case "seed":
    case "training":
      return undefined;
    case "slot":
    case "carry":
    case "fresh":
    case "step":
    case "steps":
    case "steps_per_epoch":
    case "prompt":
    case "prompt_length":
    case "option":
      throw new Error(`internal: an op has a param of kind ${role.kind}`);
    default:
      return role satisfies never;
  }
}

function hostNumbers(program: Program, attrs: object | undefined): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [id, { kind }] of program.params) {
    if (kind === "seed" || kind === "training") numbers.set(id, Number(Reflect.get(attrs ?? {}, kind) ?? 0));
  }
  return numbers;
}

/** The sizes that tensors have; those that are only named follow from the inputs. */
function checkedSizes(
  { graph, sizes, name }: Program,
  keys: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, TensorInfo>,
): ReadonlyMap<string, number> {
  const found = new Map(sizes);
  const params = graph.params.filter(({ id }) => tensors.has(id));
  for (const { id, type } of params) {
    const { shape } = tensors.get(id) ?? { shape: [] };
    if (shape.length !== type.axes.length) continue;
    type.axes.forEach(({ size }, axis) => {
      const [own, ...more] = sizeNames(size);
      if (own === size.text && more.length === 0 && !found.has(own)) found.set(own, shape[axis] ?? 0);
    });
  }
  for (const { id, type } of params) {
    const { shape } = tensors.get(id) ?? { shape: [] };
    const isKnown = type.axes.every(({ size }) => evaluateSize(size, found) !== undefined);
    if (isKnown && elementCount(shape) === elementCount(shapeOf(type.axes, found))) continue;
    const axes = type.axes.map(({ size }) => sizeText(size, found)).join(", ");
    throw new Error(`${name}: ${keys.get(id)} is [${axes}], its tensor [${shape.join(", ")}]`);
  }
  return found;
}

/** `T`, `4`, `D = 3` */
function sizeText(size: Size, known: SizeBinding): string {
  const value = evaluateSize(size, known);
  return value === undefined || size.text === String(value) ? size.text : `${size.text} = ${value}`;
}

function webGpuBackend(tf: typeof tfjs): WebGPUBackend {
  const backend: unknown = tf.backend();
  if (isWebGpu(backend)) return backend;
  throw new Error(
    `an op runs on tfjs's webgpu backend, the current one is ${tf.getBackend()}: await tf.setBackend("webgpu")`,
  );
}

function isWebGpu(backend: unknown): backend is WebGPUBackend {
  return typeof backend === "object" && backend !== null && "device" in backend && "uploadToGPU" in backend;
}

function missing(name: string): never {
  throw new Error(`internal: ${name} has no result`);
}
