import type * as tfjs from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ParamRole, Program } from "../../src/build/program.ts";
import { bundle } from "../../src/emit/bundle.ts";
import { splitSources } from "../../src/emit/split.ts";
import { emitModule } from "../../src/emit/tfjs/emit.ts";
import type { EmitInput } from "../../src/emit/tfjs/emit-input.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { deriveSeed } from "../../src/ir/random.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { loadTfjs } from "../../src/runtime/tfjs.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { lowerProgram } from "../../src/target/tfjs/lower-program.ts";
import { createTfjsRunner } from "../../src/target/tfjs/run.ts";
import { ON_TFJS } from "../support/typescript.ts";
import { expectClose } from "./compare.ts";
import { BEFORE, CURRENT, type EmittedModule, moduleFolder, strictProblems, writeModule } from "./emitted.ts";
import { ANSWERS, CHARACTERS, CHUNKS, compileFile } from "./programs.ts";

const SIZES = new Map([["V", 7]]);
const ANSWER_SIZES = new Map([
  ["V", 6],
  ["W", 8],
]);
const IDS = [0, 3, 5, 1, 6, 2, 4, 4, 1, 0, 2, 6, 5, 3, 3, 1, 0, 6];
const LENGTHS = [6, 4, 5];

interface Outputs extends Weights {
  readonly loss?: tfjs.Tensor;
  readonly ids?: tfjs.Tensor;
}
type Weights = Readonly<Record<string, tfjs.Tensor>>;
interface Step {
  readonly state: State;
  readonly loss: tfjs.Tensor;
  readonly metrics: Readonly<Record<string, tfjs.Tensor>>;
}
interface State {
  readonly weights: Weights;
  readonly slots: Weights;
  readonly step: number;
}
interface Arrays {
  readonly ids: tfjs.Tensor;
  readonly lengths?: { readonly T?: tfjs.Tensor };
}

/** What the emitted module exports, as a caller sees it. */
interface Emitted {
  init(seed?: number): Weights;
  load(bytes: Uint8Array): Weights;
  save(weights: Weights): Promise<Uint8Array>;
  forward(weights: Weights, inputs: Arrays, options?: { seed?: number; training?: boolean }): Outputs;
  start(weights: Weights): State;
  trainStep(state: State, batch: Arrays, options?: { seed?: number }): Step;
  generate(
    weights: Weights,
    inputs: Arrays,
    options?: { seed?: number; max?: number },
  ): Readonly<Record<string, tfjs.Tensor>>;
}

describe("an emitted module", () => {
  let input: EmitInput;
  let emitted: EmittedModule;
  let library: TfLibrary;
  let module: Emitted;

  beforeAll(async () => {
    library = await loadTfjs("cpu");
    input = compileFile(CHARACTERS, SIZES);
    emitted = await writeModule(input);
    module = await import(emitted.file);
  });
  afterAll(() => emitted.dispose());

  /** Runs against the same arrays as tensors, and checks that nothing but what is disposed is left. */
  const withTensors = (use: (ids: tfjs.Tensor, lengths: tfjs.Tensor) => void): void => {
    const { tf } = library;
    const before = tf.memory().numTensors;
    const ids = tf.tensor2d(IDS, [3, 6], "int32");
    const lengths = tf.tensor1d(LENGTHS, "int32");
    use(ids, lengths);
    tf.dispose([ids, lengths]);
    expect(tf.memory().numTensors, "tensors left").toBe(before);
  };

  /** Values of a program's params, from the roles. */
  const paramValues = (
    program: Program,
    of: (role: ParamRole) => tfjs.Tensor | number | boolean,
  ): Map<string, tfjs.Tensor | number | boolean> => new Map([...program.params].map(([id, role]) => [id, of(role)]));

  it("is the same bytes every time", async () => {
    const again = emitModule(compileFile(CHARACTERS, SIZES), await ON_TFJS);
    expect(again[0]?.text).toBe(emitted.text);
  });

  it("carries the user's names, equations and comments", () => {
    for (const part of [
      "A model of a test.",
      " * It has a doc comment of two lines.",
      "Written by seqc from characters.seq",
      "LSTM: Long short-term memory.",
      "/** Continues a text. */",
    ])
      expect(emitted.text).toContain(part);
    expect(emitted.text).toContain('readonly "l1.W.i": tf.Tensor2D;');
    expect(emitted.text).toContain("// l1: c' = f * c + i * g\n");
    expect(emitted.text).toContain("for (let t = 0; t < T; t++) {");
  });

  it("imports tfjs-core and nothing else", () => {
    expect(emitted.text.match(/^import .*$/gm)).toEqual(['import * as tf from "@tensorflow/tfjs-core";']);
    expect(emitted.text).not.toMatch(/\brequire\(|\bimport\(/);
  });

  it("has no code that grows with the length", async () => {
    const support = await ON_TFJS;
    const size = (length: number): number => {
      const sizes = new Map([...SIZES, ["T", length]]);
      const fixed = <P extends { readonly program: Program }>(one: P): P => ({
        ...one,
        program: { ...one.program, sizes },
      });
      const train = input.train.map(fixed);
      return (
        emitModule(
          { ...input, train, forward: { ...input.forward, sizes: new Map([...input.forward.sizes, ["T", length]]) } },
          support,
        )[0]?.text.length ?? 0
      );
    };
    expect(Math.abs(size(20) - size(90))).toBe(0);
  });

  it("gives the same outputs as the interpreter and the runner", () => {
    const weights = module.init(3);
    withTensors((ids, lengths) => {
      const outputs = module.forward(weights, { ids, lengths: { T: lengths } }, { seed: 5, training: true });
      const program = lowerProgram(input.forward);
      const values = paramValues(input.forward, (role) =>
        role.kind === "weight"
          ? (weights[role.name] ?? 0)
          : role.kind === "input"
            ? ids
            : role.kind === "length"
              ? lengths
              : role.kind === "seed"
                ? 5
                : true,
      );
      const ran = createTfjsRunner(program, library)(
        values,
        new Map([
          ["B", 3],
          ["T", 6],
        ]),
      );
      const tensors = new Map(
        input.forward.graph.params.map((param) => [
          param.id,
          hostTensor(
            param.type.axes.map((axis) => axis.id),
            param.type.dtype,
            values.get(param.id),
          ),
        ]),
      );
      const wanted = interpret(input.forward.graph, tensors, new Map([...input.forward.sizes, ["B", 3], ["T", 6]]));
      expect(Object.keys(outputs).sort()).toEqual([...ran.keys()].sort());
      for (const [name, tensor] of Object.entries(outputs)) {
        expect([...tensor.dataSync()]).toEqual([...(ran.get(name)?.dataSync() ?? [])]);
        const role = input.forward.results.get(name);
        if (role?.kind === "loss") expectClose(name, tensor.dataSync(), wanted.get(name)?.data ?? [], 1e-5);
      }
      library.tf.dispose([...Object.values(outputs), ...ran.values()]);
    });
    library.tf.dispose(Object.values(weights));
  });

  it("takes whole sequences where no lengths are given", () => {
    const weights = module.init(3);
    withTensors((ids, lengths) => {
      const full = library.tf.fill([3], 6, "int32");
      const outputs = [
        module.forward(weights, { ids }),
        module.forward(weights, { ids, lengths: { T: full } }),
        module.forward(weights, { ids, lengths: { T: lengths } }),
      ];
      const [plain, same, shorter] = outputs.map((output) => output.loss?.dataSync()[0]);
      expect(plain).toBe(same);
      expect(plain).not.toBe(shorter);
      library.tf.dispose([full, ...outputs.flatMap((output) => Object.values(output))]);
    });
    library.tf.dispose(Object.values(weights));
  });

  it("trains as the runner does, and frees what it replaces", () => {
    const { tf } = library;
    withTensors((ids, lengths) => {
      let state = module.start(module.init(3));
      const owned = tf.memory().numTensors;
      const wanted = lossesOfRunner(state, ids, lengths, 4);
      const losses = wanted.map(() => {
        const next = module.trainStep(state, { ids, lengths: { T: lengths } });
        state = next.state;
        const loss = next.loss.dataSync()[0] ?? Number.NaN;
        tf.dispose([next.loss, ...Object.values(next.metrics)]);
        return loss;
      });
      expect(losses).toEqual(wanted);
      expect(losses[3]).toBeLessThan(losses[0] ?? 0);
      expect(state.step).toBe(4);
      expect(tf.memory().numTensors).toBe(owned);
      tf.dispose([...Object.values(state.weights), ...Object.values(state.slots)]);
    });
  });

  /** Trains a copy of the state with the runner. */
  const lossesOfRunner = (state: State, ids: tfjs.Tensor, lengths: tfjs.Tensor, steps: number): readonly number[] => {
    const { tf } = library;
    const program = input.train[0]?.program ?? input.forward;
    const run = createTfjsRunner(lowerProgram(program), library);
    const arrays = new Map<string, tfjs.Tensor>();
    for (const [name, tensor] of Object.entries(state.weights)) arrays.set(`weight.${name}`, tf.clone(tensor));
    for (const [name, tensor] of Object.entries(state.slots)) arrays.set(`slot.${name}`, tf.clone(tensor));
    const losses = Array.from({ length: steps }, (_, step) => {
      const values = paramValues(program, (role) => {
        if (role.kind === "weight") return arrays.get(`weight.${role.name}`) ?? 0;
        if (role.kind === "slot") return arrays.get(`slot.${role.weight}.${role.name}`) ?? 0;
        if (role.kind === "input") return ids;
        if (role.kind === "length") return lengths;
        return role.kind === "seed" ? deriveSeed(7, "step", step) : role.kind === "training" ? true : step;
      });
      const results = run(
        values,
        new Map([
          ["B", 3],
          ["T", 6],
        ]),
      );
      const loss = results.get("loss")?.dataSync()[0] ?? Number.NaN;
      for (const [name, tensor] of results) {
        const role = program.results.get(name);
        const key =
          role?.kind === "weight"
            ? `weight.${role.name}`
            : role?.kind === "slot"
              ? `slot.${role.weight}.${role.name}`
              : undefined;
        tf.dispose(key === undefined ? tensor : (arrays.get(key) ?? []));
        if (key !== undefined) arrays.set(key, tensor);
      }
      return loss;
    });
    tf.dispose([...arrays.values()]);
    return losses;
  };

  it("continues a prompt, the same for the same seed", () => {
    const weights = module.init(3);
    withTensors((ids) => {
      const { tf } = library;
      const prompt = tf.slice(ids, [0, 0], [3, 2]);
      const made = [5, 5, 6].map((seed) => module.generate(weights, { ids: prompt }, { seed, max: 12 }));
      const [first = [], second = [], other = []] = made.map((output) => [...(output.ids?.dataSync() ?? [])]);
      expect(made[0]?.ids?.shape).toEqual([3, 12]);
      expect(first).toEqual(second);
      expect(first).not.toEqual(other);
      expect([0, 1, 2].flatMap((row) => first.slice(12 * row, 12 * row + 2))).toEqual([0, 3, 4, 4, 5, 3]);
      expect(first.every((id) => Number.isInteger(id) && id >= 0 && id < 7)).toBe(true);
      tf.dispose([prompt, ...made.flatMap((output) => Object.values(output))]);
    });
    library.tf.dispose(Object.values(weights));
  });

  it("reads what it wrote, and says what does not fit", async () => {
    const { tf } = library;
    const weights = module.init(3);
    const bytes = await module.save(weights);
    const again = module.load(bytes);
    for (const [name, tensor] of Object.entries(weights))
      expect([...(again[name]?.dataSync() ?? [])]).toEqual([...tensor.dataSync()]);
    expect(() => module.load(bytes.slice(0, 40))).toThrow("this is no safetensors file, or it is cut off");
    const renamed = new TextDecoder("latin1").decode(bytes).replace('"head.b"', '"head.x"');
    expect(() => module.load(Uint8Array.from(renamed, (letter) => letter.charCodeAt(0)))).toThrow(
      "the file has no array head.b",
    );
    tf.dispose([...Object.values(weights), ...Object.values(again)]);
  });
});

function hostTensor(
  axes: readonly string[],
  dtype: Tensor["dtype"],
  value: tfjs.Tensor | number | boolean | undefined,
): Tensor {
  if (typeof value !== "object") return { dtype, axes, shape: [], data: Float64Array.of(Number(value ?? 0)) };
  return { dtype, axes, shape: value.shape, data: Float64Array.from(value.dataSync()) };
}

describe("a model trained in chunks", () => {
  it("carries its state, without an optimizer's", { timeout: 60_000 }, async () => {
    const { tf } = await loadTfjs("cpu");
    const emitted = await writeModule(compileFile(CHUNKS, new Map()));
    try {
      const module: ChunksModule = await import(emitted.file);
      const before = tf.memory().numTensors;
      let state = module.start(module.init(1));
      expect("slots" in state).toBe(false);
      const x = tf.tensor2d([0.1, 0.2, 0.3, 0.4, -0.5, 0.5, -0.5, 0.5], [2, 4]);
      const losses = [0, 1, 2].map(() => {
        const next = module.trainStep(state, { x, y: x }, { steps: 10, stepsPerEpoch: 5, fresh: false });
        state = next.state;
        const loss = next.loss.dataSync()[0] ?? Number.NaN;
        tf.dispose([next.loss, ...Object.values(next.metrics)]);
        return loss;
      });
      expect(Object.values(state.carry ?? {}).map((tensor) => tensor.shape)).toEqual([[2, 5]]);
      expect(losses[2]).toBeLessThan(losses[0] ?? 0);
      tf.dispose([x, ...Object.values(state.weights), ...Object.values(state.carry ?? {})]);
      expect(tf.memory().numTensors).toBe(before);
    } finally {
      emitted.dispose();
    }
  });
});

interface ChunksModule {
  init(seed: number): Weights;
  start(weights: Weights): ChunksState;
  trainStep(
    state: ChunksState,
    batch: { x: tfjs.Tensor; y: tfjs.Tensor },
    options: { steps: number; stepsPerEpoch: number; fresh?: boolean },
  ): { readonly state: ChunksState; readonly loss: tfjs.Tensor; readonly metrics: Weights };
}
interface ChunksState {
  readonly weights: Weights;
  readonly carry?: Weights;
}

describe("a model that answers", () => {
  it("generates with and without a beginning", { timeout: 60_000 }, async () => {
    const { tf } = await loadTfjs("cpu");
    const emitted = await writeModule(compileFile(ANSWERS, ANSWER_SIZES));
    try {
      const module: AnswersModule = await import(emitted.file);
      const before = tf.memory().numTensors;
      const weights = module.init(1);
      const word = tf.tensor2d([1, 2, 3, 4, 5, 0], [2, 3], "int32");
      const phones = tf.tensor2d([5, 6], [2, 1], "int32");
      const free = module.generate(weights, { word }, { max: 4 });
      const begun = module.generate(weights, { word, phones }, { max: 4 });
      expect([free.phones?.shape, begun.phones?.shape]).toEqual([
        [2, 4],
        [2, 4],
      ]);
      const first = begun.phones?.dataSync() ?? [];
      expect([first[0], first[4]]).toEqual([5, 6]);
      tf.dispose([word, phones, ...Object.values(weights), ...Object.values(free), ...Object.values(begun)]);
      expect(tf.memory().numTensors).toBe(before);
    } finally {
      emitted.dispose();
    }
  });
});

interface AnswersModule {
  init(seed: number): Weights;
  generate(
    weights: Weights,
    inputs: { word: tfjs.Tensor; phones?: tfjs.Tensor },
    options: { max: number },
  ): Readonly<Record<string, tfjs.Tensor>>;
}

describe("modules of every kind", () => {
  it("pass strict checks", { timeout: 60_000 }, async () => {
    const support = await ON_TFJS;
    const { write, dispose } = moduleFolder();
    const inputs = [compileFile(CHARACTERS, SIZES), compileFile(CHUNKS, new Map()), compileFile(ANSWERS, ANSWER_SIZES)];
    const files = inputs.flatMap((input) => emitModule(input, support)).map(({ path, text }) => write(path, text));
    expect(files.length).toBe(3);
    for (const compiler of [CURRENT, BEFORE] as const) expect(strictProblems(files, compiler), compiler).toEqual([]);
    dispose();
  });
});

describe("bundling", () => {
  it("takes what is needed, with its comments, and refuses two of one name", () => {
    const files = [
      {
        path: "a.ts",
        text: "/** One. */\nexport function one() {\n  return two();\n}\n\nfunction two() {\n  return { three: 3 };\n}\n\nexport const three = 3;\n",
      },
      { path: "b.ts", text: 'import { one } from "./a.ts";\nexport const four = () => one();\n' },
    ];
    expect(bundle(splitSources(files), ["four"])).toBe(
      "/** One. */\nfunction one() {\n  return two();\n}\n\nfunction two() {\n  return { three: 3 };\n}\n\nconst four = () => one();",
    );
    expect(() => bundle(splitSources(files), ["five"])).toThrow("no support file declares five");
    const third = { path: "c.ts", text: "export const five = () => two;\nconst two = 2;" };
    expect(bundle(splitSources([...files, third]), ["five"])).toBe("const five = () => two;\n\nconst two = 2;");
    expect(() => bundle(splitSources([...files, third]), ["four", "five"])).toThrow("two support files declare two");
  });
});
