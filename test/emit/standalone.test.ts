import { beforeAll, describe, expect, test } from "vitest";
import { resultLayouts } from "../../src/build/layout.ts";
import { pruned } from "../../src/compile/prune.ts";
import { deriveSeed } from "../../src/ir/random.ts";
import { bindBatch } from "../../src/runtime/bind.ts";
import { initialWeights, writeState } from "../../src/runtime/state.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { CHARS } from "./chars.ts";
import { emitted, imported, programsOf } from "./open.ts";

interface Chars {
  forward(inputs: object): Promise<{ readonly logits: Output }>;
  logits(inputs: object): Promise<Output>;
  step(states: object | undefined, inputs: object): Promise<readonly [{ readonly logits: Output }, object]>;
  train(batches: Iterable<object>, options?: object): AsyncGenerator<{ readonly loss: number; readonly step: number }>;
  generate(options?: object): AsyncGenerator<{ readonly ids: number }>;
  save(): Promise<Uint8Array>;
  dispose(): void;
}
interface Output {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
interface CharsModule {
  readonly Chars: { init(seed?: number): Chars; load(bytes: Uint8Array): Promise<Chars> };
}

const ROWS = [
  [1, 2, 3, 4, 5],
  [6, 5, 4],
];

describe("a module that needs nothing else", () => {
  const programs = programsOf(CHARS, {});
  let module: CharsModule;
  beforeAll(async () => {
    module = await imported<CharsModule>(programs);
  });

  test("is the same bytes every time, imports nothing, and tells its equations", async () => {
    const { path, text } = await emitted(programs);
    expect(path).toBe("Chars.ts");
    expect((await emitted(programsOf(CHARS, {}))).text).toBe(text);
    expect(text).not.toMatch(/^import |\brequire\(|\bimport\(/m);
    for (const part of [
      "//   g  = tanh(W.g @ x + U.g @ (f * h) + b.g)",
      "/** Characters, one after the other. */",
      "Written by seqc from test.seq",
    ])
      expect(text).toContain(part);
  });

  test("gives the numbers of seqc's own run", async () => {
    const { logits } = await module.Chars.init(3).forward({ ids: ROWS });
    const expected = await ownLogits(3);
    expect(logits.shape).toEqual([2, 5, 7]);
    // Behind the end of the shorter row stand legal values that mean nothing.
    for (let at = 0; at < (5 + 3) * 7; at++) expect(logits.data[at]).toBeCloseTo(expected[at] ?? Number.NaN, 5);
  });

  test("goes on piece by piece, from states that are the caller's", async () => {
    const model = module.Chars.init(1);
    const { data } = await model.logits({ ids: [[1, 2, 3, 4, 5]] });
    const [first, states] = await model.step(undefined, { ids: [[1, 2]] });
    for (let again = 0; again < 2; again++) {
      const [second] = await model.step(states, { ids: [[3, 4, 5]] });
      const joined = [...first.logits.data, ...second.logits.data];
      expectNear(joined, data);
    }
    await expect(model.step({}, { ids: [[1]] })).rejects.toThrow("the state cell.h is missing, it should be");
    await expect(model.step(states, { ids: [[1], [2]] })).rejects.toThrow("the state cell.h is [");
  });

  test("generates the same however it is cut, and stops when it is told", async () => {
    const model = module.Chars.init(1);
    const long = await collected(model.generate({ prompt: [1, 2], max: 40, seed: 5 }));
    expect(long).toHaveLength(40);
    expect(await collected(model.generate({ prompt: [1, 2], max: 9, seed: 5 }))).toEqual(long.slice(0, 9));
    expect(await collected(model.generate({ prompt: [1, 2, ...long.slice(0, 20)], max: 20, seed: 5 }))).toEqual(
      long.slice(20),
    );
    const stop = new AbortController();
    const some: number[] = [];
    await expect(async () => {
      for await (const { ids } of model.generate({ prompt: [1], max: 100, signal: stop.signal })) {
        some.push(ids);
        if (some.length === 3) stop.abort(new Error("enough"));
      }
    }).rejects.toThrow("enough");
    expect(some).toHaveLength(3);
    await expect(collected(model.generate({ max: 0 }))).rejects.toThrow("max is a whole number from 1");
  });

  test("draws by the temperature that a call gives", async () => {
    const model = module.Chars.init(3);
    const all = async (options: object): Promise<readonly number[]> => {
      const found: number[] = [];
      for await (const { ids } of model.generate({ max: 40, seed: 5, ...options })) found.push(ids);
      return found;
    };
    expect(await all({ temperature: 0.8 })).toEqual(await all({}));
    expect(await all({ temperature: 0.01 })).not.toEqual(await all({}));
    const cold = await all({ temperature: 0 });
    expect(await all({ temperature: 0, seed: 6 })).toEqual(cold);
    await expect(all({ temperature: Number.NaN })).rejects.toThrow("temperature is a number");
    await expect(all({ heat: 1 })).rejects.toThrow(
      "has no option heat: it has inputs, prompt, max, seed, signal, temperature",
    );
  });

  test("trains as seqc does, and what it has learned is used and saved", async () => {
    const model = module.Chars.init(2);
    const batch = {
      ids: [
        [1, 2, 3, 4, 5, 6],
        [2, 3, 4, 5, 6, 1],
        [3, 4, 5, 6, 1, 2],
        [4, 5, 6, 1, 2, 3],
      ],
    };
    const before = await model.logits({ ids: [[1, 2]] });
    const losses: number[] = [];
    for await (const { loss } of model.train(Array(10).fill(batch))) losses.push(loss);
    const expected = await ownLosses(2, batch.ids, 10);
    expectNear(losses, expected);
    for await (const { step } of model.train([batch])) expect(step).toBe(11);
    const after = await model.logits({ ids: [[1, 2]] });
    expect(after.data).not.toEqual(before.data);
    // As Node reads files: a part of a larger buffer, wherever it begins.
    for (const bytes of [await model.save(), Buffer.concat([Buffer.from([0]), await model.save()]).subarray(1)]) {
      const loaded = await module.Chars.load(bytes);
      expect((await loaded.logits({ ids: [[1, 2]] })).data).toEqual(after.data);
    }
  });

  test("refuses what does not fit, and has changed nothing", async () => {
    const model = module.Chars.init(2);
    const weights = await model.save();
    const wrong: readonly (readonly [object, string])[] = [
      [{ ids: [[7]] }, "ids has 7: it takes whole numbers from 0 to 6"],
      [{ ids: [[1.5]] }, "ids has 1.5"],
      [{ ids: [] }, "ids is empty: it is int32 [B, T], below 7"],
      [{ ids: [[1], []] }, "ids has an example without any position"],
      [{ ids: [1, 2] }, "its lists are nested otherwise"],
      [{ ids: [[[1]]] }, "its lists are nested otherwise"],
      [{ id: [[1]] }, "Chars has no input id: it has ids"],
      [{}, "Chars needs the input ids: int32 [B, T], below 7"],
      [{ ids: { shape: [1, 3], data: [1] } }, "given is [1, 3] with 1 numbers"],
      [{ ids: { shape: [1, 2], data: [1, 2], lengths: [3] } }, "the lengths of ids are 1 whole numbers from 0 to 2"],
    ];
    for (const [inputs, message] of wrong) {
      await expect(model.forward(inputs), JSON.stringify(inputs)).rejects.toThrow(message);
      await expect(collected(model.train([inputs])), JSON.stringify(inputs)).rejects.toThrow(message);
    }
    expect(await model.save()).toEqual(weights);
    const stop = new AbortController();
    stop.abort(new Error("no"));
    await expect(collected(model.train([{ ids: [[1, 2]] }], { signal: stop.signal }))).rejects.toThrow("no");
    expect(await model.save()).toEqual(weights);
  });

  test("refuses the weights of another model, and any use after its end", async () => {
    const other = await imported<CharsModule>(programsOf(CHARS.replace("H = 5", "H = 4"), {}));
    await expect(module.Chars.load(await other.Chars.init().save())).rejects.toThrow(
      /these are no weights of Chars.*\n.*cell.W.f \[5, 3\]: \[4, 3\]/,
    );
    await expect(module.Chars.load(new Uint8Array(3))).rejects.toThrow("no safetensors file");
    const model = module.Chars.init();
    await model.forward({ ids: [[1]] });
    model.dispose();
    await expect(model.forward({ ids: [[1]] })).rejects.toThrow("this Chars was disposed");
    await expect(collected(model.train([{ ids: [[1, 2]] }]))).rejects.toThrow("this Chars was disposed");
    await expect(model.save()).rejects.toThrow("this Chars was disposed");
  });

  async function ownLogits(seed: number): Promise<ArrayLike<number>> {
    const program = pruned(programs.forward, (name) => programs.forward.results.get(name)?.kind === "parameter");
    const prepared = wasmExecutor().prepare(program);
    const data = Int32Array.from([1, 2, 3, 4, 5, 6, 5, 4, 4, 4]);
    const columns = new Map([["ids", { shape: [2, 5], data, lengths: Int32Array.of(5, 3) }]]);
    const moment = { seed: 0, training: false, step: 0, steps: 1, stepsPerEpoch: 1, fresh: true };
    const { inputs, sizes } = bindBatch(program, { size: 2, columns }, moment);
    writeState(
      program,
      prepared,
      { weights: initialWeights(program, seed), slots: new Map(), carries: new Map() },
      sizes,
    );
    const results = await prepared.run(inputs, sizes);
    expect(resultLayouts(program).get("ids.logits")?.[0]).toBe("B");
    return results.get("ids.logits")?.data ?? [];
  }

  async function ownLosses(
    seed: number,
    ids: readonly (readonly number[])[],
    count: number,
  ): Promise<readonly number[]> {
    const program = programs.train[0]?.program;
    if (program === undefined) throw new Error("there is no training");
    const prepared = wasmExecutor().prepare(program);
    const columns = new Map([["ids", { shape: [4, 6], data: Int32Array.from(ids.flat()) }]]);
    const losses: number[] = [];
    for (let step = 0; step < count; step++) {
      const moment = {
        seed: deriveSeed(0, "step", step),
        training: true,
        step,
        steps: count,
        stepsPerEpoch: 1,
        fresh: true,
      };
      const { inputs, sizes } = bindBatch(program, { size: 4, columns }, moment);
      const state = { weights: initialWeights(program, seed), slots: new Map(), carries: new Map() };
      if (step === 0) writeState(program, prepared, state, sizes);
      losses.push((await prepared.run(inputs, sizes)).get("loss")?.data[0] ?? Number.NaN);
    }
    return losses;
  }
});

function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  for (let at = 0; at < found.length; at++) expect(found[at]).toBeCloseTo(expected[at] ?? Number.NaN, 5);
}

async function collected(items: AsyncIterable<object>): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const item of items) found.push("ids" in item && typeof item.ids === "number" ? item.ids : Number.NaN);
  return found;
}
