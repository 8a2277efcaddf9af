import { describe, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { constantSize, namedSize } from "../../src/ir/size.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import { tanh } from "../../src/op/map.ts";
import { scan } from "../../src/op/region.ts";
import { createChance } from "../support/chance.ts";
import { randomTensor } from "../support/tensors.ts";
import { comparison } from "./compare.ts";

const [B, T, D] = ["B", "T", "D"].map((id): Axis => ({ id, size: id === "D" ? constantSize(5) : namedSize(id) }));
const float = (...axes: readonly (Axis | undefined)[]): Type => ({
  dtype: "float",
  axes: axes.filter((axis) => axis !== undefined),
});

/** h' = tanh(V·x + Σ Wᵢ·h), of so many products; their weights come as rows or as columns. */
function recurrence(b: Builder, units: number, products: number): string {
  const [H, K]: readonly Axis[] = ["H", "K"].map((id) => ({ id, size: constantSize(units) }));
  if (H === undefined || K === undefined || T === undefined || D === undefined) throw new Error("no axes");
  const inner = createBuilder("step");
  const weights = Array.from({ length: products }, (_, index) => float(...(index % 2 === 0 ? [H, K] : [K, H])));
  const inside = weights.map((type, index) => inner.param(`w${index}`, type));
  const V = inner.param("v", float(H, D));
  const [h, x] = [inner.param("h", float(B, H)), inner.param("x.in", float(B, D))];
  const k = moves.rename(inner, h, ["H"], [K]);
  const total = inside.reduce(
    (sum, weight) => make.add(inner, sum, sums.contract(inner, weight, k, [K])),
    sums.contract(inner, V, x, [D]),
  );
  const next = inner.add(tanh, [total], {}, "next");
  const body = inner.finish([next, next].map((id, index) => ({ name: `r${index}`, id })));
  const outside = weights.map((type, index) => b.param(`W${index}`, type));
  const start = make.full(b, 0.1, float(B, H));
  const inputs = [...outside, b.param("V", float(H, D)), start, b.param("x", float(B, T, D))];
  const attributes = { axis: T, reverse: false, consts: products + 1, carries: 1, xs: 1, body };
  return b.addAll(scan, inputs, attributes, ["last", "all"])[1] ?? "";
}

describe("sums of products stay in registers", () => {
  for (const units of [6, 40])
    test(`${units} units, up to eleven products, any number of rows`, () => {
      for (const products of [1, 2, 7, 8, 10]) {
        const builder = createBuilder("sums");
        const graph = builder.finish([{ name: "y", id: recurrence(builder, units, products) }]);
        const expectSame = comparison(graph);
        for (const batch of [1, 2, 3, 4, 13]) {
          const sizes = new Map([
            ["B", batch],
            ["T", 3],
          ]);
          const inputs = new Map(
            graph.params.map(({ id, type }, index) => {
              const tensor = randomTensor(createChance(index + batch), type, sizes, -0.2, 0.2);
              return [id, { ...tensor, data: tensor.data.map(Math.fround) }] as const;
            }),
          );
          expectSame({ inputs, sizes }, 2e-5, `${products} products, B = ${batch}`);
        }
      }
    });
});
