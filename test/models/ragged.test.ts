import { describe, expect, test } from "vitest";
import { interpret } from "../../src/ir/interpret.ts";
import { resultOf } from "../support/execute.ts";
import { feed, randomArrays } from "../support/feed.ts";
import { insideEntries, isRagged, withJunk } from "../support/ragged.ts";
import { buildSketch, isSmall, sketches } from "./sketches.ts";

describe("padding changes no number", () => {
  for (const sketch of sketches()) {
    const { program } = buildSketch(sketch, false);
    if (program === undefined || !isRagged(program) || !isSmall(program, sketch.sizes)) continue;
    test(sketch.name, () => {
      const arrays = randomArrays(program, sketch.sizes, sketch.setting);
      const plain = feed(program, arrays, { sizes: sketch.sizes });
      const before = interpret(program.graph, plain.inputs, plain.sizes);
      for (const [more, seed] of [
        [0, 1],
        [3, 2],
      ] as const) {
        const junk = withJunk(program, arrays, sketch.sizes, more, seed);
        const padded = feed(program, junk, {});
        const after = interpret(program.graph, padded.inputs, padded.sizes);
        for (const [name, tensor] of before) expect(differences(insideEntries(tensor, arrays), insideEntries(resultOf(after, name), arrays)), name).toEqual([]);
      }
    });
  }
});

function differences(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
  if (before.size === 0 || before.size !== after.size) return [`${before.size} entries became ${after.size}`];
  return [...before].flatMap(([position, value]) => {
    const now = after.get(position) ?? Number.NaN;
    const same = Math.abs(now - value) <= 1e-12 * Math.max(1, Math.abs(value));
    return same ? [] : [`${position} was ${value}, is ${now}`];
  });
}
