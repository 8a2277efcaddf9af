import { describe, test } from "vitest";
import { readGraph } from "../../src/ir/read.ts";
import { OPS } from "../../src/op/table.ts";
import { createChance } from "../support/chance.ts";
import { randomTensor } from "../support/tensors.ts";
import { expectSameAsInterpreter } from "./compare.ts";

/** Two loops whose products read the same weight, of different numbers of rows. */
const TEXT = `
graph two(%w: float[H, K<H>], %a: float[A, H], %b: float[B, H]) {
  %lasta: float[A, H] = scan(%w, %a) axis=@T carries=1 consts=1 reverse=false xs=0 body=graph first(%w1: float[H, K<H>], %ha: float[A, H]) {
    %pa: float[A, K<H>] = contract(%ha, %w1) over=["H"]
    %ra: float[A, H] = rename(%pa) from=["K"] to=[@H]
    return a = %ra
  }
  %lastb: float[B, H] = scan(%w, %b) axis=@T carries=1 consts=1 reverse=false xs=0 body=graph second(%w2: float[H, K<H>], %hb: float[B, H]) {
    %pb: float[B, K<H>] = contract(%hb, %w2) over=["H"]
    %rb: float[B, H] = rename(%pb) from=["K"] to=[@H]
    return b = %rb
  }
  return a = %lasta, b = %lastb
}`;

describe("a matrix that is laid out for several products", () => {
  const graph = readGraph(TEXT, OPS);
  test.each([
    [1, 9],
    [9, 1],
    [2, 3],
    [5, 6],
  ])("is there for %d and %d rows", (A, B) => {
    for (const H of [5, 40]) {
      const sizes = new Map(Object.entries({ A, B, H, T: 2 }));
      const chance = createChance(4);
      const inputs = new Map(
        graph.params.map(({ id, type }) => {
          const tensor = randomTensor(chance, type, sizes, -0.3, 0.3);
          return [id, { ...tensor, data: tensor.data.map(Math.fround) }] as const;
        }),
      );
      expectSameAsInterpreter({ graph, inputs, sizes }, new Map([["H", H]]), 1e-5, `${H}`);
    }
  });
});
