import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { scheduled } from "../../src/compile/program.ts";
import { draftOf } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { compareWithDifferences } from "../support/finite.ts";
import { squaredGradients } from "../support/second.ts";
import { buildSketch, isSmall, type Sketch, sketches } from "./sketches.ts";

describe("gradients of squared gradients against difference quotients", () => {
  for (const sketch of sketches()) {
    const program = squared(sketch);
    if (program === undefined || !isSmall(program, sketch.sizes)) continue;
    test(sketch.name, () => {
      const given = randomFeed(program, sketch.sizes, sketch.setting);
      const { wrong, compared } = compareWithDifferences(program, given, { positions: 1 });
      expect(wrong).toEqual([]);
      expect(compared).toBeGreaterThan(0);
    });
  }
});

function squared(sketch: Sketch): Program | undefined {
  return buildSketch(sketch, false, (job, options) => {
    const draft = draftOf(job, options);
    return draft === undefined ? undefined : scheduled(squaredGradients(draft), job.report);
  }).program;
}
