import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Initializer, initialize } from "../../src/runtime/initialize.ts";

const glorot: Initializer = { kind: "glorot" };

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

describe("weights at the start", () => {
  test("depend on seed and name alone", () => {
    expect(initialize(glorot, [8, 8], 7, "l1.W")).toEqual(initialize(glorot, [8, 8], 7, "l1.W"));
    expect(initialize(glorot, [8, 8], 7, "l1.W")).not.toEqual(initialize(glorot, [8, 8], 8, "l1.W"));
    expect(initialize(glorot, [8, 8], 7, "l1.W")).not.toEqual(initialize(glorot, [8, 8], 7, "l2.W"));
  });

  test("constant", () => {
    expect(initialize({ kind: "constant", value: -2 }, [3], 0, "b")).toEqual(Float32Array.of(-2, -2, -2));
    expect(initialize({ kind: "constant", value: 1 }, [], 0, "s")).toEqual(Float32Array.of(1));
  });

  test("normal and uniform have their mean and spread", () => {
    const drawn = initialize({ kind: "normal", sigma: 0.5 }, [200, 200], 1, "w");
    expect(deviation(drawn)).toBeCloseTo(0.5, 2);
    const even = initialize({ kind: "uniform", low: -1, high: 3 }, [200, 200], 1, "w");
    expect(Math.min(...even)).toBeGreaterThan(-1);
    expect(Math.max(...even)).toBeLessThan(3);
    expect(deviation(even)).toBeCloseTo(4 / Math.sqrt(12), 1);
  });

  test("glorot looks at the last two axes, he at all but the first", () => {
    const bound = Math.sqrt(6 / (30 + 20));
    const drawn = initialize(glorot, [50, 20, 30], 1, "w");
    const most = drawn.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
    expect(most).toBeLessThanOrEqual(Math.fround(bound));
    expect(most).toBeGreaterThan(0.99 * bound);
    expect(deviation(initialize({ kind: "he" }, [64, 5, 5, 8], 1, "w"))).toBeCloseTo(Math.sqrt(2 / 200), 2);
  });

  test("orthogonal: rows or columns of length 1 at right angles, in each repetition (property)", () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), size, size, fc.nat(), (repeats, rows, columns, seed) => {
        const drawn = initialize({ kind: "orthogonal" }, [repeats, rows, columns], seed, "U");
        const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
        for (let repeat = 0; repeat < repeats; repeat++) {
          const at = (vector: number, element: number): number =>
            drawn[
              repeat * rows * columns + (rows <= columns ? vector * columns + element : element * columns + vector)
            ]!;
          for (let a = 0; a < count; a++)
            for (let b = 0; b <= a; b++) {
              let dot = 0;
              for (let element = 0; element < length; element++) dot += at(a, element) * at(b, element);
              expect(dot).toBeCloseTo(a === b ? 1 : 0, 5);
            }
        }
      }),
    );
  });

  test("orthogonal stays so in a large matrix", () => {
    const drawn = initialize({ kind: "orthogonal" }, [256, 256], 3, "U");
    let worst = 0;
    for (let a = 0; a < 256; a += 17)
      for (let b = 0; b < 256; b++) {
        let dot = 0;
        for (let element = 0; element < 256; element++) dot += drawn[a * 256 + element]! * drawn[b * 256 + element]!;
        worst = Math.max(worst, Math.abs(dot - (a === b ? 1 : 0)));
      }
    expect(worst).toBeLessThan(1e-6);
  });
});
