import { expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { fillRandom } from "../../src/ir/random.ts";
import { namedSize } from "../../src/ir/size.ts";
import type { Axis } from "../../src/ir/type.ts";
import * as moves from "../../src/op/make_move.ts";
import { random } from "../../src/op/source.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { expectNumbers, variantsOf } from "./compare.ts";

const axis = (id: string): Axis => ({ id, size: namedSize(id) });
const SIZES = new Map([
  ["B", 5],
  ["T", 7],
  ["H", 13],
]);

test.each(["uniform", "gaussian"] as const)("%s numbers are those of ir/random.ts", (distribution) => {
  const builder = createBuilder("random");
  const seed = builder.param("seed", { dtype: "int", axes: [] });
  const axes = [axis("B"), axis("T"), axis("H")];
  const drawn = builder.add(random, [seed], { distribution, stream: "dropout l1", axes });
  // Laid out otherwise, a position keeps its number.
  const turned = moves.rename(builder, drawn, ["B"], [{ id: "Z", size: namedSize("B") }]);
  const graph = builder.finish([
    { name: "drawn", id: drawn },
    { name: "turned", id: turned },
  ]);
  const wanted = new Float64Array(5 * 7 * 13);
  for (const [variant, program] of variantsOf(graph, new Map([["H", 13]]))) {
    const runner = createWasmRunner(program);
    runner.bind(SIZES);
    for (const number of [0, 1, 7, 2 ** 31 - 1]) {
      fillRandom(wanted, distribution, number, "dropout l1");
      runner.write("seed", [number]);
      runner.run();
      const { data } = runner.read("drawn");
      if (distribution === "uniform") expect([...data]).toEqual([...wanted]);
      else expectNumbers(data, wanted, 1e-6, variant);
      expect([...runner.read("turned").data]).toEqual([...data]);
    }
  }
});
