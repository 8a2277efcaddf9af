import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import type { GPUDevice as KnownDevice } from "../../src/runtime/model/gpu-types.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { CHARS } from "./chars.ts";
import { imported, importedText, programsOf, textFor } from "./open.ts";

type Inputs = Readonly<Record<string, unknown>>;
interface Model {
  forward(inputs: Inputs): Promise<Readonly<Record<string, Output>>>;
  step(states: object | undefined, inputs: Inputs): Promise<readonly [Readonly<Record<string, Output>>, object]>;
  train(batches: Iterable<Inputs>, options?: object): AsyncGenerator<{ readonly loss: number; readonly step: number }>;
  generate(options?: object): AsyncGenerator<{ readonly ids: number }>;
  readonly target: Promise<string>;
  save(): Promise<Uint8Array>;
  dispose(): void;
}
interface Output {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
interface ModelClass {
  init(seed: number, options?: object): Model;
  load(bytes: Uint8Array, options?: object): Promise<Model>;
}

/** Checked by the compiler: a device of TypeScript's own declarations fits what modules know of devices. */
const asModulesKnowIt = (device: GPUDevice): KnownDevice => device;

const BATCH = {
  ids: [
    [1, 2, 3, 4, 5, 6],
    [3, 4, 5, 6],
  ],
};

describe("a module for graphics devices that needs nothing else", { timeout: 60_000 }, () => {
  const programs = programsOf(CHARS, {});
  let gpu: GpuDevice;
  let wasm: ModelClass;
  let webgpu: ModelClass;
  beforeAll(async () => {
    gpu = await testGpuDevice();
    wasm = (await imported<{ readonly Chars: ModelClass }>(programs)).Chars;
    webgpu = (await importedText<{ readonly Chars: ModelClass }>(await textFor(programs, "webgpu"))).Chars;
  });
  afterAll(() => gpu.device.destroy());
  const both = (seed: number): readonly [Model, Model] => [
    webgpu.init(seed, { device: asModulesKnowIt(gpu.device) }),
    wasm.init(seed),
  ];

  test("is the same bytes every time, needs no other packages, and has its equations with the shaders", async () => {
    const { path, text } = await textFor(programs, "webgpu");
    expect(path).toBe("Chars.ts");
    expect((await textFor(programsOf(CHARS, {}), "webgpu")).text).toBe(text);
    expect(text).not.toMatch(/^import |\brequire\(|\bimport\(|WebAssembly\./m);
    expect(text).toMatch(/^\/\/ kernel \d+, stage \d+: .* = .*sigmoid\(/m);
  });

  test("runs whole sequences and pieces, calls at once too, as on WebAssembly", async () => {
    const [model, expected] = both(3);
    const [{ logits }, again, own] = await Promise.all([
      model.forward(BATCH),
      model.forward({ ids: [[2, 1]] }),
      expected.forward(BATCH),
    ]);
    expect(logits?.shape).toEqual(own.logits?.shape);
    // Behind the end of the shorter row stand legal values that mean nothing.
    expectNear(logits?.data.subarray(0, 10 * 7), own.logits?.data.subarray(0, 10 * 7));
    expectNear(again.logits?.data, (await expected.forward({ ids: [[2, 1]] })).logits?.data);
    const whole = await model.forward({ ids: [[1, 2, 3, 4]] });
    const [first, states] = await model.step(undefined, { ids: [[1, 2]] });
    for (let time = 0; time < 2; time++) {
      const [second] = await model.step(states, { ids: [[3, 4]] });
      expectNear([...(first.logits?.data ?? []), ...(second.logits?.data ?? [])], whole.logits?.data);
    }
    model.dispose();
    await expect(model.forward(BATCH)).rejects.toThrow("this Chars was disposed");
  });

  test("generates what WebAssembly does, however it is cut", async () => {
    const [model, expected] = both(1);
    const options = { prompt: [1, 2], max: 20, seed: 5 };
    const all = await Array.fromAsync(model.generate(options));
    expect(all).toEqual(await Array.fromAsync(expected.generate(options)));
    expect(await Array.fromAsync(model.generate({ ...options, max: 9 }))).toEqual(all.slice(0, 9));
    model.dispose();
  });

  test("trains as WebAssembly does, also with several steps between readings, and saves what it has learned", async () => {
    const [model, expected] = both(2);
    const batches = Array.from({ length: 10 }, (_, at) =>
      at % 3 === 0 ? BATCH : { ids: BATCH.ids.map((row) => row.slice(1)) },
    );
    const steps = await Array.fromAsync(expected.train(batches));
    const own = [
      ...(await Array.fromAsync(model.train(batches.slice(0, 3)))),
      ...(await Array.fromAsync(model.train(batches.slice(3), { ahead: 4 }))),
    ];
    expect(own.map(({ step }) => step)).toEqual(steps.map(({ step }) => step));
    expectNear(
      own.map(({ loss }) => loss),
      steps.map(({ loss }) => loss),
    );
    const { logits } = await model.forward(BATCH);
    const loaded = await webgpu.load(await model.save(), { device: gpu.device });
    expect((await loaded.forward(BATCH)).logits?.data).toEqual(logits?.data);
    expectNear(logits?.data.subarray(0, 70), (await expected.forward(BATCH)).logits?.data.subarray(0, 70));
    for (const one of [model, loaded]) one.dispose();
  });

  test("refuses what does not fit, changed by nothing; says what is missing or gone", async () => {
    const [model] = both(2);
    const weights = await model.save();
    await expect(model.forward({ ids: [[7]] })).rejects.toThrow("ids has 7: it takes whole numbers from 0 to 6");
    await expect(Array.fromAsync(model.train([{ ids: [[7]] }]))).rejects.toThrow("ids has 7");
    await expect(Array.fromAsync(model.train([BATCH], { ahead: 0 }))).rejects.toThrow("ahead is a whole number from 1");
    expect(await model.save()).toEqual(weights);
    const limits = { maxBufferSize: 1000, maxStorageBufferBindingSize: 1000 };
    const small = new Proxy(gpu.device, {
      get: (device, name) => {
        if (name === "limits") return { ...limitsOf(device), ...limits };
        const value = Reflect.get(device, name);
        return typeof value === "function" ? value.bind(device) : value;
      },
    });
    await expect(webgpu.init(1, { device: small }).forward(BATCH)).rejects.toThrow(
      /Chars.* needs 1 MB in one piece, the graphics device gives 1 MB/,
    );
    const own = await testGpuDevice();
    const lost = webgpu.init(1, { device: own.device });
    await lost.forward(BATCH);
    own.device.destroy();
    await expect(lost.forward(BATCH)).rejects.toThrow(/the graphics device is gone while Chars/);
    model.dispose();
  });

  test("for either, it is WebAssembly where the processor would stand in for a graphics card", async () => {
    const { Chars } = await importedText<{ readonly Chars: ModelClass }>(await textFor(programs, "auto"));
    const [found, given, forced] = [
      Chars.init(1),
      Chars.init(1, { device: gpu.device }),
      Chars.init(1, { device: gpu.device, target: "wasm" }),
    ];
    expect(await Promise.all([found.target, given.target, forced.target])).toEqual(["wasm", "webgpu", "wasm"]);
    const options = { prompt: [3], max: 5, seed: 2 };
    const texts = await Promise.all([found, given].map((model) => Array.fromAsync(model.generate(options))));
    expect(texts[0]).toEqual(texts[1]);
    await expect(Chars.init(1, { target: "cuda" }).forward(BATCH)).rejects.toThrow("target is webgpu or wasm");
    for (const model of [found, given, forced]) model.dispose();
  });
});

/** Limits are getters of the prototype. */
function limitsOf({ limits }: GPUDevice): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name in limits) found[name] = Reflect.get(limits, name);
  return found;
}

function expectNear(found: ArrayLike<number> | undefined, expected: ArrayLike<number> | undefined): void {
  expect(found?.length).toBe(expected?.length);
  expect(found?.length).toBeGreaterThan(0);
  for (let at = 0; at < (found?.length ?? 0); at++) expect(found?.[at]).toBeCloseTo(expected?.[at] ?? Number.NaN, 4);
}
