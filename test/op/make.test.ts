import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { printGraph } from "../../src/ir/print.ts";
import { constantSize, namedSize } from "../../src/ir/size.ts";
import { layOut } from "../../src/ir/strided.ts";
import { type Axis, sameAxes, type Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import { contract, product, sumOver } from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import { expand } from "../../src/op/move.ts";
import { reduce } from "../../src/op/reduce.ts";
import { createChance } from "../support/chance.ts";
import { expectClose, randomTensor } from "../support/tensors.ts";

const axis = (id: string, size = namedSize(id)): Axis => ({ id, size });
const [B, T, H] = [axis("B"), axis("T"), axis("H")];
const SIZES = new Map([
  ["B", 2],
  ["T", 3],
  ["H", 4],
]);
const TYPES: Readonly<Record<string, Type>> = {
  x: { dtype: "float", axes: [B, T] },
  y: { dtype: "float", axes: [T, H] },
  z: { dtype: "float", axes: [B] },
  s: { dtype: "float", axes: [] },
  i: { dtype: "int", axes: [T] },
  m: { dtype: "bool", axes: [B] },
};

/** Two ways to a value in one graph: the same type and the same numbers. */
function expectSame(build: (b: Builder, p: Readonly<Record<string, string>>) => readonly [string, string]): void {
  const b = createBuilder("both");
  const ids = Object.fromEntries(Object.entries(TYPES).map(([name, type]) => [name, b.param(name, type)]));
  const [actual, expected] = build(b, ids);
  const [a, e] = [b.type(actual), b.type(expected)];
  expect(a.dtype).toBe(e.dtype);
  expect(sameAxes(a.axes, e.axes), `${a.axes.map(({ id }) => id)} is not ${e.axes.map(({ id }) => id)}`).toBe(true);
  const graph = b.finish([
    { name: "actual", id: actual },
    { name: "expected", id: expected },
  ]);
  const chance = createChance(3);
  const inputs = new Map(Object.entries(TYPES).map(([name, type]) => [name, randomTensor(chance, type, SIZES)]));
  const results = interpret(graph, inputs, SIZES);
  const [found, wanted] = [results.get("actual"), results.get("expected")];
  if (found === undefined || wanted === undefined) throw new Error("no result");
  expectClose(layOut(found, wanted.axes, wanted.shape), wanted, 1e-12, printGraph(graph));
}

describe("shortcuts keep the value and its type", () => {
  const short = { add: make.add, sub: make.sub, mul: make.mul, div: make.div, pow: make.pow };
  const raw = {
    add: (b: Builder, x: string, y: string) => b.add(maps.add, [x, y], {}),
    sub: (b: Builder, x: string, y: string) => b.add(maps.sub, [x, y], {}),
    mul: (b: Builder, x: string, y: string) => b.add(maps.mul, [x, y], {}),
    div: (b: Builder, x: string, y: string) => b.add(maps.div, [x, y], {}),
    pow: (b: Builder, x: string, y: string) => b.add(maps.pow, [x, y], {}),
  };
  const operations = Object.keys(raw) as readonly (keyof typeof raw)[];

  test.each(operations)("%s with constants, of every dtype and shape", (name) => {
    for (const value of [0, 1, -1, 2, 0.5]) {
      for (const operand of ["x", "i", "s"]) {
        for (const wide of [false, true]) {
          const constant = (b: Builder): string => {
            const number = operand === "i" && Number.isInteger(value) ? make.int(b, value) : make.num(b, value);
            return wide ? moves.expand(b, number, [H]) : number;
          };
          expectSame((b, p) => [
            short[name](b, p[operand] ?? "", constant(b)),
            raw[name](b, p[operand] ?? "", constant(b)),
          ]);
          if (name === "pow" || (name === "div" && operand === "i")) continue;
          expectSame((b, p) => [
            short[name](b, constant(b), p[operand] ?? ""),
            raw[name](b, constant(b), p[operand] ?? ""),
          ]);
        }
      }
      expectSame((b) => [
        short[name](b, make.num(b, value), make.num(b, 2)),
        raw[name](b, make.num(b, value), make.num(b, 2)),
      ]);
    }
  });

  test("negation", () => {
    expectSame((b, { x = "" }) => [make.neg(b, make.neg(b, x)), x]);
    expectSame((b, { x = "", z = "" }) => [make.add(b, x, make.neg(b, z)), raw.sub(b, x, z)]);
    expectSame((b, { x = "", z = "" }) => [make.add(b, make.neg(b, z), x), raw.sub(b, x, z)]);
    expectSame((b, { x = "", z = "" }) => [make.sub(b, x, make.neg(b, z)), raw.add(b, x, z)]);
    expectSame((b, { x = "", z = "" }) => [make.neg(b, make.sub(b, x, z)), raw.sub(b, z, x)]);
  });

  test("logic and choice", () => {
    const [yes, no] = [(b: Builder) => make.bool(b, true), (b: Builder) => make.bool(b, false)];
    const and = (b: Builder, x: string, y: string) => b.add(maps.and, [x, y], {});
    const or = (b: Builder, x: string, y: string) => b.add(maps.or, [x, y], {});
    const select = (b: Builder, ...ids: readonly string[]) => b.add(maps.select, ids, {});
    for (const known of [yes, no, (b: Builder) => moves.expand(b, make.bool(b, true), [T])]) {
      expectSame((b, { m = "" }) => [make.and(b, known(b), m), and(b, known(b), m)]);
      expectSame((b, { m = "" }) => [make.or(b, m, known(b)), or(b, m, known(b))]);
      expectSame((b, { x = "", z = "" }) => [make.select(b, known(b), x, z), select(b, known(b), x, z)]);
      expectSame((b, { i = "", z = "" }) => [make.select(b, known(b), i, z), select(b, known(b), i, z)]);
    }
    expectSame((b, { m = "", x = "" }) => [make.select(b, m, x, x), select(b, m, x, x)]);
    expectSame((b, { m = "" }) => [make.not(b, make.not(b, m)), m]);
  });

  test("a repeat that another operand makes anyway is dropped", () => {
    const b = createBuilder("g");
    const [x, z] = [b.param("x", TYPES.x as Type), b.param("z", TYPES.z as Type)];
    const sum = b.definition(make.add(b, x, moves.expand(b, z, [T])));
    expect(sum?.inputs).toEqual([x, z]);
    const wide = b.definition(make.add(b, x, moves.expand(b, z, [H])));
    expect(wide?.inputs).toEqual([x, "expand_1"]);
  });

  test("renaming", () => {
    const [U, V] = [axis("U", namedSize("T")), axis("V", namedSize("T"))];
    expectSame((b, { x = "" }) => [moves.rename(b, moves.rename(b, x, ["T"], [U]), ["U"], [T]), x]);
    const b = createBuilder("g");
    const x = b.param("x", TYPES.x as Type);
    const twice = moves.rename(b, moves.rename(b, x, ["T"], [U]), ["U"], [V]);
    expect(b.definition(twice)?.inputs).toEqual([x]);
    expect(b.type(twice).axes.map(({ id }) => id)).toEqual(["B", "V"]);
    expect(moves.rename(b, x, ["H"], [H])).toBe(x);
  });
});

describe("sums", () => {
  const sum = (b: Builder, x: string, ids: readonly string[]) => b.add(reduce, [x], { kind: "sum", axes: ids });
  const mul = (b: Builder, x: string, y: string) => b.add(maps.mul, [x, y], {});

  test("of anything over any axes is what reduce gives", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const chance = createChance(seed);
        expectSame((b, p) => {
          const term = (depth: number): string => {
            const leaf = p[chance.pick(["x", "y", "z", "s"])] ?? "";
            if (depth === 0) return leaf;
            const kind = chance.below(6);
            if (kind === 0) return b.add(maps.neg, [term(depth - 1)], {});
            if (kind === 1) return moves.expand(b, term(depth - 1), chance.some([B, T, H]));
            if (kind === 2) return b.add(maps.add, [term(depth - 1), term(depth - 1)], {});
            return mul(b, term(depth - 1), term(depth - 1));
          };
          const value = term(3);
          const axes = chance.some([B, T, H]);
          const whole = b.add(expand, [value], { axes });
          return [
            sumOver(b, value, axes),
            sum(
              b,
              whole,
              axes.map(({ id }) => id),
            ),
          ];
        });
      }),
      { numRuns: 200 },
    );
  });

  test("of a product is a contraction; what lacks the axis stays outside", () => {
    const b = createBuilder("g");
    const [x = "", y = "", s = ""] = ["x", "y", "s"].map((name) => b.param(name, TYPES[name] as Type));
    const total = sumOver(b, make.mul(b, make.mul(b, x, y), s), [T, B]);
    const text = printGraph(b.finish([{ name: "r", id: total }]));
    expect(text).toBe(`graph g(%x: float[B, T], %y: float[T, H], %s: float[]) {
  %reduce: float[T] = reduce(%x) axes=["B"] kind="sum"
  %contract: float[H] = contract(%reduce, %y) over=["T"]
  %mul: float[H] = mul(%contract, %s)
  return r = %mul
}
`);
  });

  test("int sums stay ints", () => {
    expectSame((b, { i = "" }) => [
      sumOver(b, i, [T, H]),
      b.add(maps.mul, [sum(b, i, ["T"]), make.sizeInt(b, H.size)], {}),
    ]);
  });

  test("contract and product", () => {
    expectSame((b, { x = "", y = "" }) => [contract(b, x, y, [T, H]), sum(b, mul(b, x, y), ["T", "H"])]);
    expectSame((b, { z = "" }) => [
      product(b, z, [B, T]),
      b.add(reduce, [b.add(expand, [z], { axes: [T] })], { kind: "prod", axes: ["B", "T"] }),
    ]);
  });
});

test("masks", () => {
  const b = createBuilder("g");
  const length = b.param("length", { dtype: "int", axes: [B] });
  const results = [
    make.positionLess(b, T, length),
    make.inside(b, T, 1, 0),
    make.inside(b, T, 0, 1),
    make.inside(b, T, 1, 1),
    make.inside(b, T, 0, 0),
  ];
  expect(results.at(-1)).toBeUndefined();
  const graph = b.finish(results.flatMap((id, index) => (id === undefined ? [] : [{ name: `${index}`, id }])));
  const lengths = { dtype: "int" as const, axes: ["B"], shape: [2], data: Float64Array.of(1, 3) };
  const values = interpret(graph, new Map([["length", lengths]]), SIZES);
  expect([...values.values()].map(({ data }) => [...data].join(""))).toEqual(["110101", "011", "110", "010"]);
});

test("constants are known through repeats, and sizes that are numbers are constants", () => {
  const b = createBuilder("g");
  expect(make.constantValue(b, make.full(b, 2.5, TYPES.x as Type))).toBe(2.5);
  expect(make.constantValue(b, make.sizeNumber(b, constantSize(7)))).toBe(7);
  expect(make.constantValue(b, make.sizeNumber(b, namedSize("H")))).toBeUndefined();
  expect(make.constantValue(b, make.exp(b, make.num(b, 0)))).toBe(1);
});
