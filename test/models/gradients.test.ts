import { describe, expect, test } from "vitest";
import { randomFeed } from "../support/feed.ts";
import { compareWithDifferences } from "../support/finite.ts";
import { buildSketch, isSmall, sketches } from "./sketches.ts";

describe("gradients of the sketches against difference quotients", () => {
  for (const sketch of sketches()) {
    for (const dense of [false, true]) {
      const { program, codes } = buildSketch(sketch, dense);
      if (program === undefined) {
        test(`${sketch.name} is refused`, () => expect(codes).toSatisfy(isForLater));
        break;
      }
      if (!isSmall(program, sketch.sizes)) continue;
      test(`${sketch.name}, ${dense ? "dense" : "ragged"}`, () => {
        const { sizes, setting } = sketch;
        const { wrong, flat, compared } = compareWithDifferences(program, randomFeed(program, sizes, setting));
        expect({ wrong, flat }).toEqual({ wrong: [], flat: setting.flat ?? [] });
        expect(compared).toBeGreaterThan(0);
      });
    }
  }

  test("most of the sketches are built, and small enough", () => {
    const built = sketches().filter((sketch) => {
      const { program } = buildSketch(sketch, false);
      return program !== undefined && isSmall(program, sketch.sizes);
    });
    expect(built.length).toBeGreaterThanOrEqual(28);
  });
});

/** What a later version brings, the library's definitions among it. */
function isForLater(codes: readonly string[]): boolean {
  return codes.length > 0 && codes.every((code) => code === "not-yet" || code === "unknown-name");
}
