import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pruned } from "../../src/compile/prune.ts";
import { emitModule } from "../../src/emit/tfjs/emit.ts";
import { evaluateSize } from "../../src/ir/size.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import type { ModelPrograms } from "../../src/runtime/model-programs.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { encodeSafetensors } from "../../src/target/tfjs/support/safetensors.ts";
import { evaluate, type Results } from "../support/execute.ts";
import { feed, type NamedArray, randomArrays } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { expectArray, readArray } from "../support/read.ts";
import { startTfjs } from "../support/tfjs.ts";
import { ON_TFJS } from "../support/typescript.ts";
import { CURRENT, moduleFolder, strictProblems } from "../target/emitted.ts";
import { programsOf, standaloneText } from "./modules.ts";
import { isSmall, type Sketch, sketches } from "./sketches.ts";
import { together } from "./together.ts";

/*
 * Every example model as modules for each target, made small: they give the interpreter's numbers, and all of them, with their
 * trainings and generations, pass TypeScript's strict checks.
 */

const { write, dispose } = moduleFolder();
afterAll(dispose);

const examples = sketches().filter(({ example }) => example);
const tfjs = await ON_TFJS;

type Target = "wasm" | "webgpu" | "tfjs";
type Arrays = Readonly<Record<string, NamedArray>>;
type Names = Readonly<Record<string, unknown>>;

describe("modules of every example model", async () => {
  const texts: Readonly<Record<Target, string[]>> = { wasm: [], webgpu: [], tfjs: [] };
  let gpu: GpuDevice;
  let library: TfLibrary;
  beforeAll(async () => {
    gpu = await testGpuDevice();
    library = await startTfjs("cpu");
  });
  afterAll(() => gpu.device.destroy());

  for (const sketch of examples) {
    const programs = programsOf(sketch);
    const { forward } = programs;
    const names = [...forward.results].flatMap(([name, role]) => (role.kind === "parameter" ? [name] : []));
    const runs = isSmall(forward, sketch.sizes) && names.length > 0;
    const known = runs ? numbersOf(sketch, programs) : undefined;
    const check = (name: string, found: NamedArray | undefined): void => {
      if (found === undefined || known === undefined) throw new Error(`${sketch.name} gives no ${name}`);
      expectArray(name, found, readArray(forward, known.expected, name), { within: 1e-4 });
    };
    for (const target of ["wasm", "webgpu"] as const) {
      // What trains on graphics devices is checked where there is more time (test/models/all-steps.ts).
      const text = await standaloneText(target === "webgpu" ? { ...programs, train: [] } : programs, target);
      texts[target].push(text);
      if (known === undefined) continue;
      test(`${sketch.name} on ${target}`, { timeout: 60_000 }, async () => {
        const module = await imported(sketch, target, text);
        const options = target === "webgpu" ? { device: gpu.device } : {};
        const model = await classOf(module, programs.model).load(weightsOf(programs, known.arrays), options);
        const outputs = await model.forward(inputsOf(programs, known.arrays));
        expect(Object.keys(outputs).length).toBe(names.length);
        for (const name of names) {
          const [emission = "", parameter = ""] = name.split(".");
          check(name, outputs[parameter] ?? outputs[`${emission}_${parameter}`]);
        }
        model.dispose();
      });
    }
    const text = emitModule(programs, tfjs)[0]?.text ?? "";
    texts.tfjs.push(text);
    if (known === undefined) continue;
    test(`${sketch.name} on tfjs`, async () => {
      const { load, forward: run } = functionsOf(await imported(sketch, "tfjs", text));
      const weights = load === undefined ? {} : load(weightsOf(programs, known.arrays));
      const outputs = run(weights, tensorsOf(library, programs, known.arrays), { seed: 0, training: false });
      for (const name of names) {
        const tensor = outputs[name];
        check(name, tensor && { shape: tensor.shape, data: tensor.dataSync() });
      }
      library.tf.disposeVariables();
    });
  }

  test("pass strict checks", { timeout: 120_000 }, () => {
    const all = [...together(texts.wasm), ...together(texts.webgpu), ...texts.tfjs];
    const files = all.map((text, at) => write(`checked${at}.ts`, text));
    // What tfjs declares is checked elsewhere (test/target/emit.test.ts).
    expect(strictProblems(files, CURRENT, ["--skipLibCheck"])).toEqual([]);
  });
});

/** Random arrays, and what the interpreter makes of them; all examples are as long as the longest. */
function numbersOf(sketch: Sketch, programs: ModelPrograms): { readonly arrays: Arrays; readonly expected: Results } {
  const { forward } = programs;
  // What reads nothing is run for one example.
  const sizes = readBy(programs).length === 0 ? { ...sketch.sizes, B: 1 } : sketch.sizes;
  const lengths = Object.fromEntries(
    Object.entries(sketch.sizes).map(([name, size]) => [name, Array(sketch.sizes.B ?? 1).fill(size)]),
  );
  const arrays = randomArrays(forward, sizes, { lengths, draw: sketch.setting.draw ?? {} });
  return { arrays, expected: evaluate(forward.graph, feed(forward, arrays, { sizes, training: false, seed: 0 })) };
}

function imported({ name }: Sketch, target: Target, text: string): Promise<Names> {
  return import(write(`${name.replace(/\W+/g, "_")}_${target}.ts`, text));
}

interface Loaded {
  forward(inputs: Arrays): Promise<Arrays>;
  dispose(): void;
}

function classOf(module: Names, name: string): { load(bytes: Uint8Array, options: object): Promise<Loaded> } {
  const found = module[name];
  if (typeof found !== "function" || !hasLoad(found)) throw new Error(`the module exports no class ${name}`);
  return found;
}

function hasLoad(found: object): found is { load(bytes: Uint8Array, options: object): Promise<Loaded> } {
  return "load" in found;
}

type Tensors = Readonly<Record<string, ReturnType<TfLibrary["tf"]["tensor"]>>>;

interface OnTfjs {
  /** None where the model has no weights. */
  readonly load?: (bytes: Uint8Array) => Tensors;
  readonly forward: (weights: Tensors, inputs: object, options: object) => Tensors;
}

function functionsOf(module: Names): OnTfjs {
  if (!isOnTfjs(module)) throw new Error("the module exports no forward");
  return module;
}

function isOnTfjs(module: object): module is OnTfjs {
  return "forward" in module && typeof module.forward === "function";
}

/** Inputs as tensors, labels too. */
function tensorsOf({ tf }: TfLibrary, { forward }: ModelPrograms, arrays: Arrays): Tensors {
  const tensors: Record<string, Tensors[string]> = {};
  for (const { id, type } of forward.graph.params) {
    const role = forward.params.get(id);
    const array = role?.kind === "input" ? arrays[role.name] : undefined;
    if (role?.kind !== "input" || array === undefined) continue;
    const dtype = type.dtype === "float" ? "float32" : type.dtype === "int" ? "int32" : "bool";
    tensors[role.name] = tf.tensor(Array.from(array.data), [...array.shape], dtype);
  }
  return tensors;
}

function weightsOf({ forward }: ModelPrograms, arrays: Arrays): Uint8Array {
  return encodeSafetensors(
    new Map(
      forward.weights.map(({ name, shape }) => {
        const sizes = shape.map((size) => evaluateSize(size, forward.sizes) ?? Number.NaN);
        return [name, { shape: sizes, data: Float32Array.from(arrays[name]?.data ?? []) }];
      }),
    ),
  );
}

/** What the parameters are computed from: labels are not. */
function readBy({ forward }: ModelPrograms): readonly string[] {
  const { params } = pruned(forward, (name) => forward.results.get(name)?.kind === "parameter");
  return [...params.values()].flatMap((role) => (role.kind === "input" ? [role.name] : []));
}

function inputsOf(programs: ModelPrograms, arrays: Arrays): Arrays {
  return Object.fromEntries(readBy(programs).map((name) => [name, arrays[name] ?? { shape: [], data: [] }]));
}
