import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { Op } from "../../src/ir/op.ts";
import { constantSize } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { NoAttributes } from "../../src/op/elementwise.ts";
import * as maps from "../../src/op/map.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { webGpu } from "./execute.ts";

/** Where functions are hard: next to 0 and to their poles, where digits cancel, where results leave the range, and what is no number. */
const NUMBERS = [
  ...[0, 1e-7, 3e-4, 0.01, 0.3, 0.49, 0.51, 0.999, 1, 1.001, 1.4616, 2, 2.5, 3.1, 6.5, 10, 15.7, 33, 80, 87, 88.8],
  ...[100.5, 710, 1234.5, 1e5, 1e7, 3e10, 2.3e20, 1.7e38],
];
const EDGES = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
const ALL = [...NUMBERS, ...NUMBERS.map((value) => -value), ...EDGES].map(Math.fround);

/** How far results may be off, relative to the result or to this much of 1. */
const UNARY = {
  ...{ exp: 4e-7, log: 4e-7, log1p: 6e-7, sin: 4e-7, cos: 4e-7, tanh: 6e-7, sigmoid: 6e-7, erf: 1e-6, sqrt: 4e-7 },
  ...{ lgamma: 2e-6, digamma: 4e-6, sign: 0, floor: 0, round: 0 },
} as const satisfies Partial<Record<keyof typeof maps, number>>;
type Unary = keyof typeof UNARY;

const PAIRS = [
  ...[
    [2, 10],
    [-2, 3],
    [-2, 0.5],
    [0.999, 5000],
    [1.5, -7],
    [0, 0],
    [0, 3],
    [9, 0.5],
    [7.5, 2],
    [-7.5, 2],
    [7.5, -2],
  ],
  ...[
    [1e30, 3],
    [5, Number.POSITIVE_INFINITY],
    [-5, Number.POSITIVE_INFINITY],
    [Number.NaN, 1],
    [1, Number.NaN],
  ],
] as const satisfies readonly (readonly [number, number])[];
const BINARY = { pow: 4e-6, mod: 0, maximum: 0, minimum: 0 } as const;
type Binary = keyof typeof BINARY;

const OF: Readonly<Record<Unary | Binary, Op<NoAttributes>>> = maps;

function vector(values: readonly number[]): Tensor {
  return { dtype: "float", axes: ["N"], shape: [values.length], data: Float64Array.from(values, Math.fround) };
}

/** Left of 0 the poles of these take the digits of their argument. */
function isHard(name: string, x: number): boolean {
  return (name === "lgamma" || name === "digamma") && x < 0 && Number.isFinite(x);
}

/** Equal up to the tolerance; what is no number, infinite or too small for 32 bits is that here too. */
function isClose(wanted: number, found: number, tolerance: number): boolean {
  const rounded = Math.fround(wanted);
  if (Object.is(rounded, found) || rounded === found) return true;
  if (Number.isNaN(rounded)) return Number.isNaN(found);
  return Math.abs(wanted - found) <= tolerance * Math.max(Math.abs(wanted), 1);
}

describe("functions of single numbers", { timeout: 120_000 }, () => {
  let gpu: GpuDevice;
  beforeAll(async () => {
    gpu = await testGpuDevice();
  });
  afterAll(() => gpu.device.destroy());

  async function differences(
    operands: readonly (readonly number[])[],
    tolerances: Readonly<Partial<Record<Unary | Binary, number>>>,
  ): Promise<readonly string[]> {
    const builder = createBuilder("functions");
    const axes = [{ id: "N", size: constantSize(operands[0]?.length ?? 0) }];
    const ids = operands.map((_, index) => builder.param(`p${index}`, { dtype: "float", axes }));
    const names = Object.keys(tolerances) as (Unary | Binary)[];
    const results = names.map((name) => ({ name, id: builder.add(OF[name], ids, {}) }));
    const graph = builder.finish(results);
    const inputs = new Map(ids.map((id, index) => [id, vector(operands[index] ?? [])]));
    const wanted = interpret(graph, inputs, new Map());
    const found = await webGpu(gpu.device, new Map())(graph)(inputs, new Map());
    return names.flatMap((name) =>
      [...(wanted.get(name)?.data ?? [])].flatMap((value, at) => {
        const args = operands.map((values) => values[at] ?? 0);
        const own = found.get(name)?.data[at] ?? Number.NaN;
        const close = isHard(name, args[0] ?? 0) || isClose(value, own, tolerances[name] ?? 0);
        return close ? [] : [`${name}(${args.join(", ")}) is ${own}, not ${value}`];
      }),
    );
  }

  test("of one", async () => expect(await differences([ALL], UNARY)).toEqual([]));
  test("of two", async () =>
    expect(await differences([PAIRS.map(([x]) => x), PAIRS.map(([, y]) => y)], BINARY)).toEqual([]));
});
