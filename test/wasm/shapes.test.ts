import { describe, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { constantSize, namedSize } from "../../src/ir/size.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import { concat } from "../../src/op/move.ts";
import { argmax, reduce } from "../../src/op/reduce.ts";
import { createChance } from "../support/chance.ts";
import { randomTensor } from "../support/tensors.ts";
import { comparison } from "./compare.ts";

const axis = (id: string, size: number): Axis => ({ id, size: constantSize(size) });
const B: Axis = { id: "B", size: namedSize("B") };
const T: Axis = { id: "T", size: namedSize("T") };
const float = (...axes: readonly Axis[]): Type => ({ dtype: "float", axes });

interface Sketch {
  readonly name: string;
  readonly build: (b: Builder) => string;
}

/** At some sizes, one after the other. */
function check({ name, build }: Sketch, all: readonly Readonly<Record<string, number>>[], tolerance = 1e-5): void {
  const builder = createBuilder("shapes");
  const id = build(builder);
  const graph = builder.finish([{ name: "out", id }]);
  const expectSame = comparison(graph);
  for (const one of all) {
    const sizes = new Map(Object.entries(one));
    const chance = createChance(11);
    const inputs = new Map(graph.params.map((param) => [param.id, randomTensor(chance, param.type, sizes)]));
    expectSame({ inputs, sizes }, tolerance, `${name} at ${[...sizes].join(" ")}`);
  }
}

const ODD = [1, 3, 17, 129];
const BATCHES = [1, 2, 3, 5, 7, 8, 32, 41];

/** Contractions with operands in every order of axes: rows or columns next to one another, packed or not, many rows or one. */
const PRODUCTS: readonly ((n: number, k: number) => Sketch)[] = [
  (n, k) => ({
    name: `x[B,${k}] W[${n},${k}]`,
    build: (b) =>
      sums.contract(b, b.param("W", float(axis("N", n), axis("K", k))), b.param("x", float(B, axis("K", k))), [
        axis("K", k),
      ]),
  }),
  (n, k) => ({
    name: `x[B,${k}] W[${k},${n}]`,
    build: (b) =>
      sums.contract(b, b.param("x", float(B, axis("K", k))), b.param("W", float(axis("K", k), axis("N", n))), [
        axis("K", k),
      ]),
  }),
  (n, k) => ({
    name: `x[T,B,${n}] y[T,B,${k}] over T, B`,
    build: (b) =>
      sums.contract(b, b.param("x", float(T, B, axis("N", n))), b.param("y", float(T, B, axis("K", k))), [T, B]),
  }),
  (n, k) => ({
    name: `q[B,T,${n},${k}] k[B,S,${n},${k}] by head`,
    build: (b) => {
      const [N, K, S] = [axis("N", n), axis("K", k), { id: "S", size: namedSize("T") }];
      return sums.contract(b, b.param("q", float(B, T, N, K)), b.param("k", float(B, S, N, K)), [K]);
    },
  }),
];

describe("products of every shape", () => {
  for (const [index, product] of PRODUCTS.entries()) {
    test(product(0, 0).name.replaceAll("0", "."), () => {
      for (const n of ODD)
        for (const k of ODD) {
          if (index === 3 && n * k > 300) continue;
          check(
            product(n, k),
            [1, 3, 17].map((batch) => ({ B: batch, T: 5 })),
          );
        }
    });
  }

  test("any number of rows", () => {
    for (const product of PRODUCTS.slice(0, 2))
      check(
        product(13, 300),
        BATCHES.map((rows) => ({ B: rows, T: 1 })),
        3e-5,
      );
  });

  test("nothing to add gives zeros, no rows give nothing", () => {
    for (const product of PRODUCTS)
      check(product(5, 7), [
        { B: 0, T: 2 },
        { B: 3, T: 0 },
      ]);
  });

  test("sums of products, of one matrix by itself too", () => {
    const [H, K] = [axis("H", 20), axis("K", 9)];
    const product = (b: Builder, name: string) =>
      sums.contract(b, b.param(`W${name}`, float(H, K)), b.param(`x${name}`, float(B, K)), [K]);
    const twice = (b: Builder): string => {
      const one = product(b, "a");
      return make.add(b, make.add(b, one, product(b, "b")), make.add(b, product(b, "c"), one));
    };
    check(
      { name: "sum", build: twice },
      [1, 4, 33].map((rows) => ({ B: rows })),
    );
  });

  test("integers are multiplied as integers", () => {
    const int = (...axes: readonly Axis[]): Type => ({ dtype: "int", axes });
    const K = axis("K", 7);
    check(
      { name: "int", build: (b) => sums.contract(b, b.param("x", int(B, K)), b.param("y", int(K, axis("N", 5))), [K]) },
      [{ B: 4 }],
      0,
    );
  });
});

describe("reductions and elementwise chains of every shape", () => {
  const chain = (axes: readonly Axis[], reduced: readonly string[], kind: "sum" | "max" | "min"): Sketch => ({
    name: `${kind} over ${reduced} of ${axes.map((own) => own.id)}`,
    build: (b) => {
      const x = make.map(b, maps.tanh, b.param("x", float(...axes)));
      const shifted = make.sub(b, make.mul(b, x, b.param("s", float(axes.at(-1) ?? B))), make.num(b, 0.5));
      return b.add(reduce, [shifted], { kind, axes: reduced });
    },
  });
  test.each(ODD)("inner axis of %i", (size) => {
    const H = axis("H", size);
    for (const kind of ["sum", "max", "min"] as const)
      for (const reduced of [["H"], ["B"], ["T"], ["T", "B"], ["T", "B", "H"]]) {
        check(chain([T, B, H], reduced, kind), [
          { B: 1, T: 1 },
          { B: 3, T: 17 },
          { B: 2, T: 0 },
        ]);
      }
  });

  test("gather, argmax, shift, concat and reshape over axes of odd sizes", () => {
    for (const size of ODD) {
      const H = axis("H", size);
      const build = (b: Builder): string => {
        const x = b.param("x", float(T, B, H));
        const best = b.add(argmax, [x], { axis: "H" });
        const first = moves.gather(b, x, best, "H");
        const before = moves.shift(b, x, "T", -1);
        const HH = axis("HH", 2 * size);
        const both = make.add(b, x, first);
        const joined = b.add(concat, [both, before], { axes: ["H", "H"], to: HH });
        const [two, each, flat2] = [axis("two", 2), axis("each", size), axis("flat", 2 * size)];
        const parts = moves.reshape(b, joined, [HH], [two, each]);
        const flat = moves.reshape(b, parts, [each, two], [flat2]);
        return make.mul(b, flat, make.toFloat(b, make.iota(b, flat2)));
      };
      check(
        { name: `moves of ${size}`, build },
        [1, 4].map((time) => ({ B: 3, T: time })),
      );
    }
  });
});
