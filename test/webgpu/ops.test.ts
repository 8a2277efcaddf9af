import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { OPS } from "../../src/op/table.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { createChance } from "../support/chance.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { randomCase, SIZES } from "../support/op_cases.ts";
import { randomGraph } from "../support/random_graph.ts";
import { expectNumbers } from "../wasm/compare.ts";
import { webGpu } from "./execute.ts";

let gpu: GpuDevice;
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => gpu.device.destroy());

interface Case {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly sizes: SizeBinding;
}

/** Applications of several ops in one graph: they share dispatches, and shaders that take long to compile. */
function manyOps(names: readonly string[], seeds: readonly number[]): Case {
  const builder = createBuilder("ops");
  const inputs = new Map<string, Tensor>();
  const results: { readonly name: string; readonly id: string }[] = [];
  for (const op of OPS.filter(({ name }) => names.includes(name)))
    for (const seed of seeds) {
      const one = randomCase(op, createChance(77 * seed + 5));
      const ids = one.types.map((type, index) => builder.param(`${op.name}_${seed}_${index}`, type));
      ids.forEach((id, index) => {
        const tensor = one.inputs[index];
        if (tensor !== undefined) inputs.set(id, tensor);
      });
      const outputs = builder.addAll(op, ids, one.attributes, [`${op.name}_${seed}`]);
      outputs.forEach((id, index) => {
        results.push({ name: `${op.name} ${seed} ${index}`, id });
      });
    }
  return { graph: builder.finish(results), inputs, sizes: SIZES };
}

async function expectSame({ graph, inputs, sizes }: Case, known: SizeBinding, tolerance: number, whole = true) {
  const wanted = interpret(graph, inputs, sizes);
  const found = await webGpu(gpu.device, known, whole)(graph)(inputs, sizes);
  for (const [name, tensor] of wanted) {
    expect(found.get(name)?.shape, `shape of ${name}`).toEqual(tensor.shape);
    expectNumbers(found.get(name)?.data ?? [], tensor.data, tolerance, name);
  }
}

describe("every op gives the interpreter's numbers", { timeout: 120_000 }, () => {
  const names = OPS.map(({ name }) => name);
  const size = Math.ceil(names.length / 6);
  const parts = Array.from({ length: 6 }, (_, index) => names.slice(index * size, (index + 1) * size));
  test.each(parts.map((part) => [part.join(" "), part] as const))("%s", async (_, part) => {
    await expectSame(manyOps(part, [0, 1, 2]), new Map(), 5e-6);
    await expectSame(manyOps(part, [3]), SIZES, 5e-6);
  });
});

describe("random graphs give the interpreter's numbers", { timeout: 120_000 }, () => {
  test.each([0, 1, 2, 3, 4, 5])("seed %i", async (seed) => {
    await expectSame(randomGraph(seed), seed % 2 === 0 ? new Map() : new Map([["H", 3]]), 2e-5, seed < 3);
  });
});
