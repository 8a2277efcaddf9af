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

test("every sketch is built", () => {
  const refused = built.flatMap(({ sketch, ragged }) =>
    ragged.program === undefined ? [sketch.name, ragged.findings] : [],
  );
  expect(refused).toEqual([]);
});
