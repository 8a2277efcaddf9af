import { describe, expect, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { Op } from "../../src/ir/op.ts";
import { printGraph } from "../../src/ir/print.ts";
import { namedSize } from "../../src/ir/size.ts";
import type { Axis } from "../../src/ir/type.ts";
import { contract } from "../../src/op/contract.ts";
import type { NoAttributes } from "../../src/op/elementwise.ts";
import * as maps from "../../src/op/map.ts";
import { expand } from "../../src/op/move.ts";
import { reduce } from "../../src/op/reduce.ts";
import { constant } from "../../src/op/source.ts";
import { DEFAULT_OPTIONS } from "../../src/pass/pass.ts";
import { PASSES } from "../../src/pass/pipeline.ts";

/** Numbers at which algebra that holds for ordinary ones fails. */
const EXTREMES = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 0.5, -2.5, 3],
  ...[1e100, -1e100, 1e-100, -1e-100, 1e300, -1e300, 2 ** 53 + 2],
];
const N: Axis = { id: "N", size: namedSize("N") };
const M: Axis = { id: "M", size: namedSize("M") };

type Make = (b: Builder, x: string, y: string) => string;

const num = (b: Builder, value: number): string => b.add(constant, [], { value, dtype: "float" });
const map = (b: Builder, op: Op<NoAttributes>, ...inputs: readonly string[]): string => b.add(op, inputs, {});

const CONSTANTS = [0, -0, 1, -1, 2, 3, 4, -2, 0.5, 7, 1e-30, 1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** x op c and c op x for many constants, and forms with a rule of their own. */
const FORMS: Readonly<Record<string, Make>> = {
  ...Object.fromEntries(
    [maps.add, maps.sub, maps.mul, maps.div, maps.pow, maps.maximum, maps.minimum].flatMap((op) =>
      CONSTANTS.flatMap((value) => [
        [`${op.name}(x, ${value})`, ((b, x) => map(b, op, x, num(b, value))) satisfies Make],
        [`${op.name}(${value}, x)`, ((b, x) => map(b, op, num(b, value), x)) satisfies Make],
      ]),
    ),
  ),
  "x - x": (b, x) => map(b, maps.sub, x, x),
  "x / x": (b, x) => map(b, maps.div, x, x),
  "x < x": (b, x) => map(b, maps.toFloat, map(b, maps.lt, x, x)),
  "x <= x": (b, x) => map(b, maps.toFloat, map(b, maps.le, x, x)),
  "x > y": (b, x, y) => map(b, maps.toFloat, map(b, maps.gt, x, y)),
  "not x <= y": (b, x, y) => map(b, maps.toFloat, map(b, maps.not, map(b, maps.le, x, y))),
  "-(-x)": (b, x) => map(b, maps.neg, map(b, maps.neg, x)),
  "-(x - y)": (b, x, y) => map(b, maps.neg, map(b, maps.sub, x, y)),
  "-x + y": (b, x, y) => map(b, maps.add, map(b, maps.neg, x), y),
  "x - -y": (b, x, y) => map(b, maps.sub, x, map(b, maps.neg, y)),
  "-x * -y": (b, x, y) => map(b, maps.mul, map(b, maps.neg, x), map(b, maps.neg, y)),
  "-(x * 3)": (b, x) => map(b, maps.neg, map(b, maps.mul, x, num(b, 3))),
  "-x * 3": (b, x) => map(b, maps.mul, map(b, maps.neg, x), num(b, 3)),
  "x * 3 * 4": (b, x) => map(b, maps.mul, map(b, maps.mul, x, num(b, 3)), num(b, 4)),
  "x + 1e100 + -1e100": (b, x) => map(b, maps.add, map(b, maps.add, x, num(b, 1e100)), num(b, -1e100)),
  "abs(-x)": (b, x) => map(b, maps.abs, map(b, maps.neg, x)),
  "max(x, x)": (b, x) => map(b, maps.maximum, x, x),
  "select(x < y, x, x)": (b, x, y) => map(b, maps.select, map(b, maps.lt, x, y), x, x),
  "exp(x) ** 0.5": (b, x) => map(b, maps.pow, map(b, maps.exp, x), num(b, 0.5)),
  "(x * x) ** 0.5": (b, x) => map(b, maps.pow, map(b, maps.mul, x, x), num(b, 0.5)),
  "0 * (x < y)": (b, x, y) => map(b, maps.mul, num(b, 0), map(b, maps.toFloat, map(b, maps.lt, x, y))),
  "sum of repeated": (b, x) => b.add(reduce, [b.add(expand, [x], { axes: [M] })], { kind: "sum", axes: ["M"] }),
  "max of repeated": (b, x) => b.add(reduce, [b.add(expand, [x], { axes: [M] })], { kind: "max", axes: ["M"] }),
  "contract of repeated": (b, x, y) =>
    b.add(contract, [b.add(expand, [x], { axes: [M] }), b.add(expand, [y], { axes: [M] })], { over: ["M"] }),
};

describe("algebra keeps NaN and infinities", () => {
  test.each(Object.entries(FORMS))("%s", (_name, make) => {
    const b = createBuilder("form");
    const type = { dtype: "float", axes: [N] } as const;
    const [x, y] = [b.param("x", type), b.param("y", type)];
    const graph = b.finish([{ name: "out", id: b.add(maps.mul, [make(b, x, y), num(b, 1)], {}) }]);
    const pairs = EXTREMES.flatMap((left) => EXTREMES.map((right) => [left, right] as const));
    const sizes = new Map([
      ["N", pairs.length],
      ["M", 3],
    ]);
    const tensor = (side: 0 | 1) =>
      ({
        dtype: "float",
        axes: ["N"],
        shape: [pairs.length],
        data: Float64Array.from(pairs, (pair) => pair[side]),
      }) as const;
    const inputs = new Map([
      ["x", tensor(0)],
      ["y", tensor(1)],
    ]);
    const before = interpret(graph, inputs, sizes).get("out")?.data ?? [];
    for (const pass of ["simplify", "fold", "cse"] as const) {
      const simple = PASSES[pass](graph, DEFAULT_OPTIONS);
      const after = interpret(simple, inputs, sizes).get("out")?.data ?? [];
      const wrong = pairs.flatMap((pair, at) =>
        isSame(after[at], before[at]) ? [] : [`${pair}: ${after[at]} for ${before[at]}`],
      );
      expect(wrong, printGraph(simple)).toEqual([]);
    }
  });
});

/** The same but for the sign of zero and the last digits. */
function isSame(value = Number.NaN, wanted = Number.NaN): boolean {
  if (Number.isNaN(wanted) || !Number.isFinite(wanted) || wanted === 0)
    return value === wanted || Object.is(value, wanted);
  return Math.abs(value - wanted) <= 1e-12 * Math.abs(wanted);
}
