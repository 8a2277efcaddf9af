import { describe, expect, test } from "vitest";
import type { Op } from "../../src/ir/op.ts";
import type { ScalarExpression } from "../../src/ir/scalar.ts";
import { evaluateScalar, INTRINSIC_ARITY, SCALAR_FUNCTIONS } from "../../src/ir/scalar_functions.ts";
import * as maps from "../../src/op/map.ts";
import { OPS } from "../../src/op/table.ts";

/* The scalar expression of every elementwise op against JavaScript's own functions, at ordinary and at extreme operands. */

const POINTS = [-1e300, -745, -37.5, -1.5, -1, -0.5, -1e-9, 0, 1e-9, 0.5, 1, 1.5, 2, 2.5, 37.5, 709, 1e300];
const ENDS = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN];

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  to_float: (x) => x,
  to_int: Math.trunc,
  stop_gradient: (x) => x,
};

const BINARY: Readonly<Record<string, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  pow: (x, y) => x ** y,
  maximum: Math.max,
  minimum: Math.min,
  lt: (x, y) => Number(x < y),
  le: (x, y) => Number(x <= y),
  gt: (x, y) => Number(x > y),
  ge: (x, y) => Number(x >= y),
  eq: (x, y) => Number(x === y),
  ne: (x, y) => Number(x !== y),
};

function value(op: Op | undefined, ...operands: readonly number[]): number {
  return op?.scalar === undefined ? Number.NaN : evaluateScalar(op.scalar, operands);
}

function named(name: string): Op | undefined {
  return OPS.find((op) => op.name === name);
}

function expectEqual(actual: number, expected: number, what: string): void {
  if (actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return;
  expect(Math.abs(actual - expected), what).toBeLessThanOrEqual(4e-16 * Math.abs(expected));
}

describe("one operand", () => {
  test.each(Object.entries(UNARY))("%s", (name, expected) => {
    for (const x of [...POINTS, ...ENDS]) expectEqual(value(named(name), x), expected(x), `${name}(${x})`);
  });
});

describe("two operands", () => {
  test.each(Object.entries(BINARY))("%s", (name, expected) => {
    for (const x of [...POINTS, ...ENDS])
      for (const y of [...POINTS, ...ENDS])
        expectEqual(value(named(name), x, y), expected(x, y), `${name}(${x}, ${y})`);
  });
});

test("round goes to the even of two nearest integers", () => {
  const rounded = [-2.5, -1.5, -0.5, 0.4, 0.5, 0.6, 1.5, 2.5, 1e300].map((x) => value(maps.round, x));
  expect(rounded.map((x) => x + 0)).toEqual([-2, -2, 0, 0, 0, 1, 2, 2, 1e300]);
});

test("mod has the sign of the divisor", () => {
  expect(value(maps.mod, -7, 3)).toBe(2);
  expect(value(maps.mod, 7, -3)).toBe(-2);
  expect(value(maps.mod, -6, 3) + 0).toBe(0);
  expect(value(maps.mod, 5.5, 2)).toBe(1.5);
});

test("sigmoid neither overflows nor loses small values", () => {
  expect(value(maps.sigmoid, -745)).toBeCloseTo(Math.exp(-745), 320);
  expect(value(maps.sigmoid, -40) / Math.exp(-40)).toBeCloseTo(1, 15);
  expect(value(maps.sigmoid, -1e300)).toBe(0);
  expect(value(maps.sigmoid, 1e300)).toBe(1);
  expect(value(maps.sigmoid, 0)).toBe(0.5);
});

test("softplus neither overflows nor loses small values", () => {
  expect(value(maps.softplus, 1e300)).toBe(1e300);
  expect(value(maps.softplus, -1e300)).toBe(0);
  expect(value(maps.softplus, -40) / Math.exp(-40)).toBeCloseTo(1, 15);
  expect(value(maps.softplus, 0)).toBe(Math.log(2));
  expect(value(maps.softplus, Number.NEGATIVE_INFINITY)).toBe(0);
  expect(value(maps.softplus, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});

test("logic", () => {
  const pairs = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const;
  expect(pairs.map(([x, y]) => value(maps.and, x, y))).toEqual([0, 0, 0, 1]);
  expect(pairs.map(([x, y]) => value(maps.or, x, y))).toEqual([0, 1, 1, 1]);
  expect([value(maps.not, 0), value(maps.not, 1)]).toEqual([1, 0]);
  expect([value(maps.select, 1, 5, 6), value(maps.select, 0, 5, 6)]).toEqual([5, 6]);
  expect([value(maps.orelse, 5, 6, 1), value(maps.orelse, 5, 6, 0)]).toEqual([5, 6]);
});

test("every scalar expression applies intrinsics to as many operands as they take, and reads its own", () => {
  for (const op of OPS.filter((other) => other.form === "map")) {
    const count = [1, 2, 3].find((n) => accepts(op, n)) ?? 0;
    const walk = (expression: ScalarExpression | undefined): void => {
      if (expression?.kind === "operand") expect(expression.index, op.name).toBeLessThan(count);
      if (expression?.kind !== "apply") return;
      expect(expression.args, op.name).toHaveLength(INTRINSIC_ARITY[expression.intrinsic]);
      expect(SCALAR_FUNCTIONS[expression.intrinsic].length, op.name).toBe(INTRINSIC_ARITY[expression.intrinsic]);
      expression.args.forEach(walk);
    };
    expect(op.scalar, op.name).toBeDefined();
    walk(op.scalar);
  }
});

function accepts(op: Op, count: number): boolean {
  const dtypes = ["float", "int", "bool"] as const;
  const lists = Array.from({ length: 3 ** count }, (_, code) =>
    Array.from({ length: count }, (_, at) => ({ dtype: dtypes[Math.floor(code / 3 ** at) % 3] ?? "float", axes: [] })),
  );
  return lists.some((types) => typeof op.infer(types, { ranges: [], ragged: false }) !== "string");
}

test("dtypes: ints stay ints but under division, powers and real functions; mixed are float", () => {
  const dtype = (op: Op, ...types: readonly ("float" | "int" | "bool")[]) => {
    const inferred = op.infer(
      types.map((own) => ({ dtype: own, axes: [] })),
      {},
    );
    return typeof inferred === "string" ? inferred : inferred[0]?.dtype;
  };
  expect(dtype(maps.add, "int", "int")).toBe("int");
  expect(dtype(maps.add, "int", "float")).toBe("float");
  expect(dtype(maps.mod, "int", "int")).toBe("int");
  expect(dtype(maps.div, "int", "int")).toBe("float");
  expect(dtype(maps.pow, "int", "int")).toBe("float");
  expect(dtype(maps.exp, "int")).toBe("float");
  expect(dtype(maps.lt, "int", "float")).toBe("bool");
  expect(dtype(maps.select, "bool", "int", "float")).toBe("float");
  expect(dtype(maps.select, "bool", "bool", "bool")).toBe("bool");
  expect(dtype(maps.add, "bool", "int")).toBe("needs numbers, not bool and int");
  expect(dtype(maps.and, "bool", "int")).toBe("needs booleans, not bool and int");
  expect(dtype(maps.select, "int", "int", "int")).toBe("chooses by a boolean, not by int");
});

test("names are unique", () => {
  expect(new Set(OPS.map((op) => op.name)).size).toBe(OPS.length);
});
