import { describe, expect, test } from "vitest";
import { randomFeed } from "../support/feed.ts";
import { compareWithDifferences } from "../support/finite.ts";
import { buildSketch, isSmall, sketches } from "./sketches.ts";

const built = sketches().map((sketch) => ({
  sketch,
  ragged: buildSketch(sketch, false),
  dense: buildSketch(sketch, true),
}));
const small = built.flatMap(({ sketch, ragged, dense }) => {
  const programs = [ragged.program, dense.program].flatMap((program) => program ?? []);
  return programs.length === 2 && programs.every((program) => isSmall(program, sketch.sizes))
    ? [{ sketch, programs }]
    : [];
});

describe("gradients of the sketches against difference quotients", () => {
  for (const { sketch, programs } of small) {
    for (const [place, program] of programs.entries()) {
      test(`${sketch.name}, ${place === 0 ? "ragged" : "dense"}`, () => {
        const { sizes, setting } = sketch;
        const { wrong, flat, compared } = compareWithDifferences(program, randomFeed(program, sizes, setting));
        expect({ wrong, flat }).toEqual({ wrong: [], flat: setting.flat ?? [] });
        expect(compared).toBeGreaterThan(0);
      });
    }
  }
  test("most of the sketches are built, and small enough", () => expect(small.length).toBeGreaterThanOrEqual(28));
});

describe("sketches that are refused", () => {
  for (const { sketch, ragged } of built) {
    if (ragged.program === undefined)
      test(sketch.name, () => expect(ragged.codes, ragged.findings).toSatisfy(isForLater));
  }
});

/** What a later version brings, the library's definitions among it. */
function isForLater(codes: readonly string[]): boolean {
  return codes.length > 0 && codes.every((code) => code === "not-yet" || code === "unknown-name");
}
