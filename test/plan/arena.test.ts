import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ALIGNMENT, aligned, lowerBound, placeInOrder, planArena, type Span } from "../../src/plan/arena.ts";
import { usualOrder } from "../../src/plan/usual-order.ts";

const spans = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 0, max: 5000 }), first: fc.nat(20), length: fc.nat(8) })
    .map(({ bytes, first, length }): Span => ({ bytes, first, last: first + length })),
  { maxLength: 30 },
);

describe("an arena", () => {
  test("keeps apart what is alive together, and is no smaller than it must be", () => {
    fc.assert(
      fc.property(spans, (given) => {
        const { offsets, bytes } = planArena(given);
        given.forEach((a, i) => {
          expect((offsets[i] ?? 0) % ALIGNMENT).toBe(0);
          expect((offsets[i] ?? 0) + a.bytes).toBeLessThanOrEqual(bytes);
          given.slice(i + 1).forEach((b, rest) => {
            const j = i + 1 + rest;
            const together = a.first <= b.last && b.first <= a.last && a.bytes > 0 && b.bytes > 0;
            const apart =
              (offsets[i] ?? 0) + a.bytes <= (offsets[j] ?? 0) || (offsets[j] ?? 0) + b.bytes <= (offsets[i] ?? 0);
            expect(!together || apart).toBe(true);
          });
        });
        expect(bytes).toBeGreaterThanOrEqual(lowerBound(given));
      }),
    );
  });

  test("of what lives one after another takes the largest", () => {
    const given = [100, 4000, 300].map((bytes, at): Span => ({ bytes, first: 2 * at, last: 2 * at + 1 }));
    expect(planArena(given).bytes).toBe(aligned(4000));
    expect(planArena([])).toEqual({ offsets: [], bytes: 0, order: [] });
  });

  test("places earlier what juts out, where no order is tight", () => {
    const lives = [
      [6, 4, 8],
      [8, 7, 7],
      [1, 3, 4],
      [7, 2, 3],
      [7, 0, 4],
    ] as const;
    const given = lives.map(([units, first, last]): Span => ({ bytes: units * ALIGNMENT, first, last }));
    expect(planArena(given).bytes).toBe(lowerBound(given));
  });

  test("takes the tightest of several orders", () => {
    // By size alone: 3 units at the bottom, then 2, then 1 above both though there is room below.
    const unit = ALIGNMENT;
    const given: readonly Span[] = [
      { bytes: 3 * unit, first: 4, last: 6 },
      { bytes: 2 * unit, first: 0, last: 4 },
      { bytes: 2 * unit, first: 2, last: 3 },
    ];
    expect(planArena(given).bytes).toBe(5 * unit);
  });

  test("has one order for all sizes, which is about as tight as a search where all spans grow alike", () => {
    fc.assert(
      fc.property(spans, (given) => {
        const grown = (by: number): readonly Span[] =>
          given.map((span) => ({ ...span, bytes: span.bytes * by * ALIGNMENT }));
        const order = usualOrder(["B"], ([batch = 0]) => grown(batch)) ?? [...given.keys()];
        expect([...order].sort((a, b) => a - b)).toEqual([...given.keys()]);
        const { bytes } = placeInOrder(grown(5), order);
        expect(bytes).toBeLessThanOrEqual(1.05 * planArena(grown(5)).bytes);
      }),
      { numRuns: 40 },
    );
  });
});
