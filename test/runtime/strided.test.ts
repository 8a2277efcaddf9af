import fc from "fast-check";
import { expect, test } from "vitest";
import { copyWalk, planWalk } from "../../src/runtime/strided.ts";

/** A shape, and for each side an order of its axes in memory and gaps behind them. */
const ARRANGEMENTS = fc
  .array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 })
  .filter((shape) => shape.reduce((all, size) => all * Math.max(size, 1), 1) < 20_000)
  .chain((shape) => fc.record({ shape: fc.constant(shape), from: stridesFor(shape), to: stridesFor(shape) }));

function stridesFor(shape: readonly number[]): fc.Arbitrary<readonly number[]> {
  const axes = shape.map((_, axis) => axis);
  const gaps = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: shape.length, maxLength: shape.length });
  return fc.tuple(fc.shuffledSubarray(axes, { minLength: axes.length }), gaps).map(([order, gap]) => {
    const strides = new Array<number>(shape.length).fill(0);
    let stride = 1;
    for (const axis of order) {
      strides[axis] = stride;
      stride = stride * Math.max(1, shape[axis] ?? 1) + (gap[axis] ?? 0);
    }
    return strides;
  });
}

test("every number gets to its place, and nothing else is written", () => {
  fc.assert(
    fc.property(ARRANGEMENTS, fc.constantFrom("typed", "plain"), ({ shape, from, to }, kind) => {
      const places = positions(shape).map((at) => [dot(at, from) + 3, dot(at, to) + 5] as const);
      const ends = [0, 1].map((side) => Math.max(0, ...places.map((place) => place[side] ?? 0)) + 2);
      const source = Float32Array.from({ length: ends[0] ?? 0 }, (_, at) => at + 1);
      const wanted = new Float32Array(ends[1] ?? 0);
      for (const [here, there] of places) wanted[there] = source[here] ?? Number.NaN;
      const target = new Float32Array(wanted.length);
      copyWalk(planWalk(shape, from, to), kind === "typed" ? source : [...source], 3, target, 5);
      expect(target).toEqual(wanted);
    }),
  );
});

test("neighbours without a gap are copied as one", () => {
  expect(planWalk([2, 1, 3, 4], [12, 7, 4, 1], [24, 9, 4, 1])).toEqual({
    ...{ count: 24, shape: [2, 12], from: [12, 1], to: [24, 1] },
  });
  expect(planWalk([5, 6], [6, 1], [6, 1])).toEqual({ count: 30, shape: [30], from: [1], to: [1] });
});

function positions(shape: readonly number[]): readonly (readonly number[])[] {
  return shape.reduce<readonly (readonly number[])[]>(
    (all, size) => all.flatMap((start) => Array.from({ length: size }, (_, at) => [...start, at])),
    [[]],
  );
}

function dot(position: readonly number[], strides: readonly number[]): number {
  return position.reduce((sum, at, axis) => sum + at * (strides[axis] ?? 0), 0);
}
