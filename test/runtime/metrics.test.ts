import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance, nearest } from "../../src/base/nearest.ts";
import {
  accuracy,
  addToMean,
  beforeEnd,
  type Counts,
  countClass,
  EMPTY_COUNTS,
  EMPTY_MEAN,
  editRate,
  exact,
  f1Of,
  meanOf,
  type Pair,
} from "../../src/runtime/metrics.ts";

const pairs: readonly Pair[] = [
  { found: [1, 2, 3], wanted: [1, 2, 3] },
  { found: [1, 3], wanted: [1, 2, 3, 4] },
];

describe("metrics", () => {
  test("means are weighted, and unknown where nothing counts", () => {
    expect(meanOf(addToMean(addToMean(EMPTY_MEAN, 2, 3), 6, 1))).toBe(3);
    expect(meanOf(addToMean(EMPTY_MEAN, Number.NaN, 0))).toBeUndefined();
  });

  test("rates over all pairs", () => {
    expect(meanOf(pairs.reduce(editRate, EMPTY_MEAN))).toBeCloseTo(2 / 7);
    expect(meanOf(pairs.reduce(exact, EMPTY_MEAN))).toBe(0.5);
    expect(meanOf(pairs.reduce(accuracy, EMPTY_MEAN))).toBeCloseTo(4 / 7);
  });

  test("f1 of a class", () => {
    const counts = countClass(EMPTY_COUNTS, { found: [1, 1, 0, 0, 1], wanted: [1, 0, 0, 1, 1] }, 1);
    expect(counts).toEqual<Counts>({ both: 2, found: 3, wanted: 3 });
    expect(f1Of(counts)).toBeCloseTo(2 / 3);
    expect(f1Of(EMPTY_COUNTS)).toBeUndefined();
  });

  test("what stands before the end", () => {
    expect(beforeEnd([4, 5, 9, 6], 9)).toEqual([4, 5]);
    expect(beforeEnd([4, 5], undefined)).toEqual([4, 5]);
  });
});

describe("edit distance", () => {
  test.each([
    ["kitten", "sitting", 3],
    ["", "abc", 3],
    ["flaw", "lawn", 2],
  ])("%s to %s", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  const word = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 8 });
  test("is a metric (property)", () => {
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });

  test("the nearest name, where one is near", () => {
    expect(nearest("windws", ["words", "windows", "join"])).toBe("windows");
    expect(nearest("CSV", ["tsv", "csv"])).toBe("csv");
    expect(nearest("frobnicate", ["words", "windows"])).toBeUndefined();
  });
});
