import { describe, expect, test } from "vitest";
import { randomFeed } from "../support/feed.ts";
import { compareWithDifferences } from "../support/finite.ts";
import { buildSketch, sketches } from "./sketches.ts";

describe("gradients of the sketches against difference quotients", () => {
  for (const sketch of sketches()) {
    for (const dense of [false, true]) {
      const { program, codes, findings } = buildSketch(sketch, dense);
      if (program === undefined) {
        test.skip(`${sketch.name}: ${codes.join(", ")} ${findings.slice(0, 300)}`, () => undefined);
        continue;
      }
      test(`${sketch.name}, ${dense ? "dense" : "ragged"}`, () => {
        const { wrong, flat, compared } = compareWithDifferences(program, randomFeed(program, sketch.sizes, sketch.setting));
        expect({ wrong, flat }).toEqual({ wrong: [], flat: [] });
        expect(compared).toBeGreaterThan(0);
      });
    }
  }
});
