import { describe, expect, test } from "vitest";
import { deriveSeed, fillRandom, hashStream, philox, randomOrder, uniformOf } from "../../src/ir/random.ts";

/* Known answers of Random123's kat_vectors for philox4x32 with 10 rounds. */
test.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
] as const)("philox(%j, %j)", (counter, key, words) => {
  expect(philox(counter, key)).toEqual(words);
});

test("FNV-1a", () => {
  expect(hashStream("")).toBe(0x811c9dc5);
  expect(hashStream("a")).toBe(0xe40c292c);
  expect(hashStream("foobar")).toBe(0xbf9cf968);
});

test("uniform numbers lie inside (0, 1), and are exact in float32", () => {
  for (const word of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const value = uniformOf(word);
    expect(value).toBeGreaterThan(0);
    expect(value).toBeLessThan(1);
    expect(Math.fround(value)).toBe(value);
  }
});

describe("statistics of 100,000 numbers", () => {
  const count = 100_000;
  const moments = (data: Float64Array): readonly number[] => {
    const mean = data.reduce((sum, x) => sum + x, 0) / count;
    const central = (power: number) => data.reduce((sum, x) => sum + (x - mean) ** power, 0) / count;
    return [mean, central(2), central(3) / central(2) ** 1.5, central(4) / central(2) ** 2];
  };
  const numbers = (distribution: "uniform" | "gaussian", seed: number, stream: string): Float64Array => {
    const data = new Float64Array(count);
    fillRandom(data, distribution, seed, stream);
    return data;
  };

  test("uniform: mean 1/2, variance 1/12, kurtosis 9/5, flat", () => {
    const data = numbers("uniform", 7, "weights");
    const [mean = 0, variance = 0, skewness = 0, kurtosis = 0] = moments(data);
    expect(mean).toBeCloseTo(1 / 2, 2);
    expect(variance).toBeCloseTo(1 / 12, 3);
    expect(skewness).toBeCloseTo(0, 1);
    expect(kurtosis).toBeCloseTo(9 / 5, 1);
    const bins = new Array<number>(20).fill(0);
    for (const x of data) bins[Math.floor(x * 20)]! += 1;
    const chiSquare = bins.reduce((sum, n) => sum + (n - count / 20) ** 2 / (count / 20), 0);
    expect(chiSquare).toBeLessThan(44); // 0.999 quantile at 19 degrees of freedom: 43.8
  });

  test("gaussian: mean 0, variance 1, skewness 0, kurtosis 3", () => {
    const [mean = 0, variance = 0, skewness = 0, kurtosis = 0] = moments(numbers("gaussian", 7, "noise"));
    expect(mean).toBeCloseTo(0, 1);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(Math.abs(skewness)).toBeLessThan(0.04);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.08);
  });

  test("neighbours, streams, seeds and distributions do not correlate", () => {
    const correlation = (a: Float64Array, b: Float64Array): number => {
      const [meanA = 0, varianceA = 0] = moments(a);
      const [meanB = 0, varianceB = 0] = moments(b);
      const together = a.reduce((sum, x, index) => sum + (x - meanA) * ((b[index] ?? 0) - meanB), 0) / count;
      return Math.abs(together) / Math.sqrt(varianceA * varianceB);
    };
    const base = numbers("gaussian", 7, "noise");
    const shifted = Float64Array.from(base, (_, index) => base[(index + 1) % count] ?? 0);
    for (const other of [
      shifted,
      numbers("gaussian", 8, "noise"),
      numbers("gaussian", 7, "noise2"),
      numbers("uniform", 7, "noise"),
    ]) {
      expect(correlation(base, other)).toBeLessThan(4 / Math.sqrt(count));
    }
  });
});

test("a number depends on its position only, not on how many are asked for", () => {
  for (const distribution of ["uniform", "gaussian"] as const) {
    const few = new Float64Array(7);
    const many = new Float64Array(1000);
    fillRandom(few, distribution, -3, "s");
    fillRandom(many, distribution, -3, "s");
    expect(many.subarray(0, 7)).toEqual(few);
  }
});

test("a random order holds every index once, and every place is equally likely", () => {
  const places = new Array<number>(8).fill(0);
  for (let seed = 0; seed < 4000; seed++) {
    const order = randomOrder(8, seed, "shuffle");
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    places[order.indexOf(3)]! += 1;
  }
  for (const times of places) expect(Math.abs(times - 500)).toBeLessThan(5 * Math.sqrt(500));
  expect(randomOrder(0, 1, "shuffle")).toHaveLength(0);
});

test("derived seeds fit a signed 32-bit word and differ", () => {
  const seeds = Array.from({ length: 1000 }, (_, step) => deriveSeed(7, "step", step));
  expect(new Set(seeds).size).toBe(1000);
  for (const seed of seeds) expect(seed === (seed | 0) && seed >= 0).toBe(true);
});
