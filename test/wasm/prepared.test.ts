import { describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { constantSize, namedSize } from "../../src/ir/size.ts";
import type { Axis } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as sums from "../../src/op/make_sum.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { compileWasm } from "../../src/target/wasm/compile.ts";
import { createChance } from "../support/chance.ts";
import { randomTensor } from "../support/tensors.ts";
import { comparison, expectResults, runBound } from "./compare.ts";

const B: Axis = { id: "B", size: namedSize("B") };
const axis = (id: string, size: number): Axis => ({ id, size: constantSize(size) });

/** y = W·x and z = x·V, of which the weights stay from run to run. */
function products(n: number, k: number) {
  const [N, K] = [axis("N", n), axis("K", k)];
  const builder = createBuilder("products");
  const float = (...axes: readonly Axis[]) => ({ dtype: "float" as const, axes });
  const x = builder.param("x", float(B, K));
  const y = sums.contract(builder, builder.param("W", float(N, K)), x, [K]);
  const z = sums.contract(builder, x, builder.param("V", float(K, N)), [K]);
  const both = make.add(builder, make.mul(builder, y, make.num(builder, 2)), z);
  const graph = builder.finish([y, both].map((id, index) => ({ name: `r${index}`, id })));
  const inputs = (batch: number, seed: number) =>
    new Map(
      graph.params.map(({ id, type }) => {
        const tensor = randomTensor(createChance(seed + id.charCodeAt(0)), type, new Map([["B", batch]]), -1, 1);
        return [id, { ...tensor, data: tensor.data.map(Math.fround) }] as const;
      }),
    );
  return { graph, inputs };
}

describe("weights that are packed once", () => {
  for (const n of [1, 31, 32, 33, 40, 71, 96]) {
    test(`${n} columns, any number of rows`, () => {
      for (const k of [1, 7, 64, 300]) {
        const { graph, inputs } = products(n, k);
        const expectSame = comparison(graph, new Map(), { compact: true });
        for (const batch of [0, 1, 2, 3, 5, 13]) {
          const given = { inputs: inputs(batch, k), sizes: new Map([["B", batch]]) };
          expectSame(given, 2e-5, `k = ${k}, B = ${batch}`);
        }
      }
    });
  }

  test("are packed again when they are written, and when sizes change", () => {
    const { graph, inputs } = products(40, 9);
    const runner = createWasmRunner(compileWasm({ graph, sizes: new Map() }));
    for (const [batch, seed] of [
      [1, 1],
      [1, 2],
      [5, 3],
      [2, 4],
    ] as const) {
      const sizes = new Map([["B", batch]]);
      runner.bind(sizes);
      const given = inputs(batch, seed);
      runBound(runner, { inputs: given });
      runner.run();
      expectResults(runner, interpret(graph, given, sizes), 1e-5, `seed ${seed}`);
    }
    const rows = inputs(2, 5).get("x");
    if (rows === undefined) throw new Error("there is no x");
    runner.write("x", rows.data);
    runner.run();
    const wanted = interpret(graph, new Map([...inputs(2, 4), ["x", rows]]), new Map([["B", 2]]));
    expectResults(runner, wanted, 1e-5, "other rows alone");
    expect(compileWasm({ graph, sizes: new Map() }).fixed).toEqual(new Set(["W", "V"]));
  });
});
