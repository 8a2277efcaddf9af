import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { constantSize, namedSize } from "../../src/ir/size.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import { contract } from "../../src/op/make_sum.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { createGpuRunner } from "../../src/runtime/webgpu.ts";
import { PROCESSOR_TUNING } from "../../src/runtime/webgpu-tuning.ts";
import { compileWebGpu } from "../../src/target/webgpu/compile.ts";
import { gpuModuleOf } from "../../src/target/webgpu/module.ts";
import { createChance } from "../support/chance.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { randomTensor } from "../support/tensors.ts";
import { expectNumbers } from "../wasm/compare.ts";
import { SMALL_TUNING, webGpu } from "./execute.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => gpu.device.destroy());

const axis = (id: string, size: number): Axis => ({ id, size: constantSize(size) });
const B: Axis = { id: "B", size: namedSize("B") };
const T: Axis = { id: "T", size: namedSize("T") };
const S: Axis = { id: "S", size: namedSize("S") };
const [N, K, M, H] = [axis("N", 37), axis("K", 19), axis("M", 70), axis("H", 3)];
const float = (...axes: readonly Axis[]): Type => ({ dtype: "float", axes });

/** Operands in every order of axes, sums of products, repeated ones, and sums over what is no single run of memory. */
const SKETCHES: Readonly<Record<string, (b: Builder) => string>> = {
  "x W^T": (b) => contract(b, b.param("W", float(N, K)), b.param("x", float(T, B, K)), [K]),
  "x W": (b) => contract(b, b.param("x", float(B, K)), b.param("W", float(K, N)), [K]),
  "a weight's gradient": (b) => contract(b, b.param("x", float(T, B, N)), b.param("y", float(T, B, K)), [T, B]),
  "over one of two": (b) => contract(b, b.param("x", float(T, B, N)), b.param("y", float(T, B, M)), [T]),
  heads: (b) => contract(b, b.param("q", float(B, T, H, K)), b.param("k", float(B, S, H, K)), [K]),
  "a sum of two": (b) =>
    make.add(
      b,
      contract(b, b.param("W", float(N, K)), b.param("x", float(T, B, K)), [K]),
      contract(b, b.param("U", float(N, M)), b.param("h", float(T, B, M)), [M]),
    ),
};

function graphOf(sketches: readonly (keyof typeof SKETCHES)[]) {
  const builder = createBuilder("products");
  const results = sketches.map((name) => ({ name, id: SKETCHES[name]?.(builder) ?? "" }));
  return builder.finish(results);
}

describe("products give the interpreter's numbers", { timeout: 120_000 }, () => {
  const cases = Object.keys(SKETCHES).flatMap((name) => [
    { name, way: "tiles that threads share", tuning: SMALL_TUNING },
    { name, way: "tiles of four threads each", tuning: { ...PROCESSOR_TUNING, subgroups: true } },
    // The same but for how what is read of the left matrix comes to all threads.
    ...(name === "a weight's gradient" ? [{ name, way: "tiles of one thread each", tuning: PROCESSOR_TUNING }] : []),
  ]);
  for (const { name, way, tuning } of cases) {
    test(`${name}, ${way}`, async () => {
      const graph = graphOf([name]);
      const code = compileWebGpu({ graph, sizes: new Map() }, new Map(), { tuning }).kernels[0]?.stages[0]?.code;
      expect(code).toMatch(tuning.together ? /shared_float/ : /^(?!.*(shared|Barrier)).*var all_ = array<f32/s);
      const run = webGpu(gpu.device, new Map(), true, tuning)(graph);
      for (const [batch, time] of [
        [3, 7],
        [41, 2],
        [1, 1],
      ] as const) {
        const sizes = new Map([
          ["B", batch],
          ["T", time],
          ["S", 33],
        ]);
        const chance = createChance(11);
        const inputs = new Map(graph.params.map((param) => [param.id, randomTensor(chance, param.type, sizes)]));
        const found = await run(inputs, sizes);
        for (const [result, tensor] of interpret(graph, inputs, sizes)) {
          expect(found.get(result)?.shape).toEqual(tensor.shape);
          expectNumbers(found.get(result)?.data ?? [], tensor.data, 1e-5, `${result}, ${batch} x ${time}`);
        }
      }
    });
  }
});

test("shaders that say how long memory is are compiled anew when that does not do, and weights stay", async () => {
  const b = createBuilder("growing");
  const graph = b.finish([{ name: "y", id: make.add(b, b.param("x", float(B, N)), b.param("w", float(N))) }]);
  const program = gpuModuleOf(compileWebGpu({ graph, sizes: new Map() }, new Map(), { tuning: PROCESSOR_TUNING }));
  const runner = createGpuRunner(gpu.device, program);
  const rows = [2, 9000, 3];
  const value = (entry: number): number => entry % 1009;
  for (const [at, batch] of rows.entries()) {
    await runner.bind(new Map([["B", batch]]));
    if (at === 0)
      runner.write(
        "w",
        Float64Array.from({ length: 37 }, (_, column) => column),
      );
    runner.write(
      "x",
      Float64Array.from({ length: 37 * batch }, (_, entry) => value(entry)),
    );
    runner.run();
    const [y] = await runner.read(["y"]);
    expect(y?.data.length).toBe(37 * batch);
    expect([...(y?.data ?? [])].findIndex((found, entry) => found !== value(entry) + (entry % 37))).toBe(-1);
  }
  runner.dispose();
});
