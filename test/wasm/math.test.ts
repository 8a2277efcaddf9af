import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import type { Op } from "../../src/ir/op.ts";
import { SCALAR_FUNCTIONS } from "../../src/ir/scalar_functions.ts";
import { namedSize } from "../../src/ir/size.ts";
import * as make from "../../src/op/make.ts";
import { pow } from "../../src/op/map.ts";
import { opByName } from "../../src/op/table.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { variantsOf } from "./compare.ts";

const N = { id: "N", size: namedSize("N") };

function opOf(name: string): Op {
  const op = opByName(name);
  if (op === undefined) throw new Error(`no op ${name}`);
  return op;
}

/** Floats from the whole range: every exponent with a few mantissas, both signs, and what is special. */
function wholeRange(): Float32Array<ArrayBuffer> {
  const bits: number[] = [];
  for (let exponent = 0; exponent < 256; exponent++)
    for (const mantissa of [0, 1, 0x123456, 0x2aaaaa, 0x400000, 0x555555, 0x7fffff])
      bits.push((exponent << 23) | mantissa);
  const positive = new Float32Array(Int32Array.from(bits).buffer);
  const finite = [...positive].filter((value) => Number.isFinite(value));
  // Where the functions bend.
  const near = Array.from({ length: 4001 }, (_, index) => (index - 2000) / 20);
  const special = [0, -0, Infinity, -Infinity, NaN, 1, -1, 2, -2, 88.72, 88.73, -87.33, -103.9, -104.1, 7.9, 0.4];
  return Float32Array.from([...finite, ...finite.map((value) => -value), ...near, ...special]);
}

type Unary =
  | "exp"
  | "log"
  | "log1p"
  | "tanh"
  | "sigmoid"
  | "erf"
  | "sqrt"
  | "sin"
  | "cos"
  | "lgamma"
  | "digamma"
  | "round"
  | "floor"
  | "ceil"
  | "sign"
  | "abs"
  | "neg";

interface Bound {
  /** In units in the last place of the float result. */
  readonly ulp: number;
  /** Allowed besides, where the result is smaller than the error of the argument. */
  readonly absolute?: number;
  readonly domain?: (x: number) => boolean;
}

/** What the functions' comments promise. */
const BOUNDS: Readonly<Record<Unary, Bound>> = {
  exp: { ulp: 2 },
  log: { ulp: 2 },
  log1p: { ulp: 3 },
  tanh: { ulp: 4 },
  // Below -87.3 it stays at the smallest normal number.
  sigmoid: { ulp: 4, absolute: 1.01 * 2 ** -126 },
  erf: { ulp: 8 },
  sqrt: { ulp: 0.5 },
  sin: { ulp: 0.51 },
  cos: { ulp: 0.51 },
  lgamma: { ulp: 0.6, absolute: 1e-14, domain: (x) => x >= 0 || x < -1e7 },
  digamma: { ulp: 0.6, absolute: 1e-14, domain: (x) => x >= 0 },
  ...{ round: { ulp: 0 }, floor: { ulp: 0 }, ceil: { ulp: 0 }, sign: { ulp: 0 }, abs: { ulp: 0 }, neg: { ulp: 0 } },
};

/** The distance to the next float. */
function ulpOf(value: number): number {
  const magnitude = Math.abs(Math.fround(value));
  const exponent = magnitude === 0 ? -126 : Math.max(Math.floor(Math.log2(magnitude)), -126);
  return 2 ** (exponent - 23);
}

function errorOf(actual: number, exact: number, { ulp, absolute = 0 }: Bound): number {
  const wanted = Math.fround(exact);
  if (Object.is(actual, wanted) || actual === wanted) return 0;
  if (!Number.isFinite(actual) || Number.isNaN(wanted)) {
    // Rounding may go over the edge of the range.
    const edge = Number.isFinite(exact) && Math.abs(exact) > 3.4028e38 && Math.abs(actual) > 3.4028e38;
    return edge ? 0 : Number.POSITIVE_INFINITY;
  }
  const error = Math.abs(actual - exact) - absolute;
  return error <= 0 ? 0 : error / ulpOf(exact) / Math.max(ulp, 1e-9);
}

function runUnary(name: Unary, values: Float32Array<ArrayBuffer>): readonly (readonly [string, ArrayLike<number>])[] {
  const builder = createBuilder(name);
  const x = builder.param("x", { dtype: "float", axes: [N] });
  const graph = builder.finish([{ name: "y", id: builder.add(opOf(name), [x], {}) }]);
  return variantsOf(graph).map(([variant, program]) => {
    const runner = createWasmRunner(program);
    runner.bind(new Map([["N", values.length]]));
    runner.write("x", values);
    runner.run();
    return [variant, runner.read("y").data];
  });
}

describe("functions keep to their bounds over the whole range", () => {
  const values = wholeRange();
  const names = Object.keys(BOUNDS).filter((name): name is Unary => name in BOUNDS);
  test.each(names)("%s", (name) => {
    const bound = BOUNDS[name];
    const exact = (x: number): number => SCALAR_FUNCTIONS[name](x, 0, 0);
    for (const [variant, results] of runUnary(name, values)) {
      values.forEach((x, index) => {
        if (bound.domain?.(x) === false) return;
        const actual = results[index] ?? 0;
        if (errorOf(actual, exact(x), bound) > 1)
          expect.fail(`${variant} ${name}(${x}) is ${actual}, exactly ${exact(x)}`);
      });
    }
  });

  test("are documented as they are tested", () => {
    const text = readFileSync(new URL("../../docs/webassembly.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `(\w+)` \| ([\d.]+)/gm)].map(([, name, ulp]) => [name, Number(ulp)]);
    const told = names.filter((name) => BOUNDS[name].ulp > 0).map((name) => [name, BOUNDS[name].ulp]);
    expect(rows).toEqual([...told, ["pow", 1], ["mod", 1]]);
  });

  test("-0 keeps its sign where the function keeps it", () => {
    for (const name of ["tanh", "sin", "erf", "log1p", "sqrt", "floor", "round", "sign"] as const) {
      for (const [, results] of runUnary(name, Float32Array.of(-0))) expect(Object.is(results[0], -0), name).toBe(true);
    }
  });
});

describe("functions of two numbers", () => {
  const SPECIAL = [
    0,
    -0,
    1,
    -1,
    2,
    3,
    -2,
    -3,
    0.5,
    -0.5,
    2.5,
    -7.25,
    1e-30,
    1e30,
    -1e30,
    12345678,
    Infinity,
    -Infinity,
    NaN,
  ];
  const pairs = SPECIAL.flatMap((x) => SPECIAL.map((y) => [Math.fround(x), Math.fround(y)] as const));

  test.each(["pow", "mod", "maximum", "minimum", "div"] as const)("%s", (name) => {
    const intrinsic = { pow: "pow", mod: "mod", maximum: "max", minimum: "min", div: "div" } as const;
    const builder = createBuilder(name);
    const [x, y] = ["x", "y"].map((id) => builder.param(id, { dtype: "float", axes: [N] }));
    const graph = builder.finish([{ name: "z", id: builder.add(opOf(name), [x ?? "", y ?? ""], {}) }]);
    for (const [variant, program] of variantsOf(graph)) {
      const runner = createWasmRunner(program);
      runner.bind(new Map([["N", pairs.length]]));
      runner.write(
        "x",
        pairs.map(([a]) => a),
      );
      runner.write(
        "y",
        pairs.map(([, b]) => b),
      );
      runner.run();
      const results = runner.read("z").data;
      pairs.forEach(([a, b], index) => {
        const exact = SCALAR_FUNCTIONS[intrinsic[name]](a, b, 0);
        const actual = results[index] ?? 0;
        if (errorOf(actual, exact, { ulp: 1 }) > 1)
          expect.fail(`${variant} ${name}(${a}, ${b}) is ${actual}, exactly ${exact}`);
      });
    }
  });

  test.each([-2, -1, 0, 0.5, 1, 2, 3, 2.5, -0.5])("x to the known power %d", (power) => {
    const builder = createBuilder("power");
    const x = builder.param("x", { dtype: "float", axes: [N] });
    const graph = builder.finish([{ name: "y", id: builder.add(pow, [x, make.num(builder, power)], {}) }]);
    const values = Float32Array.from(SPECIAL);
    for (const [variant, program] of variantsOf(graph)) {
      const runner = createWasmRunner(program);
      runner.bind(new Map([["N", values.length]]));
      runner.write("x", values);
      runner.run();
      const results = runner.read("y").data;
      values.forEach((value, index) => {
        const exact = value ** power;
        const actual = results[index] ?? 0;
        if (errorOf(actual, exact, { ulp: 2 }) > 1)
          expect.fail(`${variant} ${value} ** ${power} is ${actual}, exactly ${exact}`);
      });
    }
  });
});
