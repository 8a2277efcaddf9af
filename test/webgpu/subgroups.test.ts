import { afterAll, beforeAll, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { namedSize } from "../../src/ir/size.ts";
import type { Axis } from "../../src/ir/type.ts";
import { lt } from "../../src/op/map.ts";
import { reduce } from "../../src/op/reduce.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { compileWebGpu } from "../../src/target/webgpu/compile.ts";
import { extrasOf } from "../../src/target/webgpu/extras.ts";
import { frameOf, shaderText } from "../../src/target/webgpu/shader-text.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { SMALL_TUNING, webGpu } from "./execute.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => gpu.device.destroy());

test("threads that run in step give the bits of those that share memory", { timeout: 60_000 }, async (context) => {
  if (!gpu.device.features.has("subgroups")) return context.skip("this adapter has no subgroups");
  const [B, N]: readonly [Axis, Axis] = [
    { id: "B", size: namedSize("B") },
    { id: "N", size: namedSize("N") },
  ];
  const b = createBuilder("reductions");
  const x = b.param("x", { dtype: "float", axes: [B, N] });
  const y = b.param("y", { dtype: "float", axes: [B, N] });
  const isLess = b.add(lt, [x, y], {});
  const graph = b.finish([
    ...(["sum", "prod", "max", "min"] as const).map((kind) => ({
      name: kind,
      id: b.add(reduce, [x], { kind, axes: ["N"] }),
    })),
    ...(["any", "all"] as const).map((kind) => ({ name: kind, id: b.add(reduce, [isLess], { kind, axes: ["N"] }) })),
  ]);
  const sizes = new Map(Object.entries({ B: 3, N: 150 }));
  const count = 3 * 150;
  const at = (salt: number) => Array.from({ length: count }, (_, index) => Math.sin(salt + 12.9898 * index) * 1.3);
  const tensor = (data: readonly number[]) =>
    ({ dtype: "float", axes: ["B", "N"], shape: [3, 150], data: Float64Array.from(data) }) as const;
  const inputs = new Map([
    ["x", tensor(at(1).map((value, index) => (index === 170 ? Number.NaN : value)))],
    ["y", tensor(at(1).map((value, index) => value + (index < 150 || index % 3 === 0 ? 0.1 : -0.1)))],
  ]);
  const tunings = [false, true].map((subgroups) => ({ ...SMALL_TUNING, subgroups }));
  const [apart, inStep] = await Promise.all(
    tunings.map((tuning) => webGpu(gpu.device, new Map(), true, tuning)(graph)(inputs, sizes)),
  );
  expect(apart).toEqual(inStep);
  expect([...(apart?.get("any")?.data ?? [])]).toEqual([1, 1, 1]);
  expect([...(apart?.get("all")?.data ?? [])]).toEqual([1, 0, 0]);
  expect(apart?.get("max")?.data[1]).toBeNaN();
  expect(apart?.get("max")?.data[0]).toBe(Math.fround(Math.max(...at(1).slice(0, 150))));
  const [plain, stepped] = tunings.map((tuning) => {
    const program = compileWebGpu({ graph, sizes: new Map() }, new Map(), { tuning });
    return program.kernels.map((kernel, at) => shaderText(kernel, frameOf(program, at), extrasOf(kernel)));
  });
  expect(plain?.some((code) => code.includes("subgroup"))).toBe(false);
  expect(stepped?.every((code) => code.startsWith("enable subgroups;"))).toBe(true);
});
