import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { Results } from "../support/execute.ts";
import { resultOf } from "../support/execute.ts";
import { type FeedOptions, feed, randomArrays } from "../support/feed.ts";
import { type Arrays, alone, insideEntries, isRagged, ownSizes, withJunk } from "../support/ragged.ts";
import { buildSketch, isSmall, sketches } from "./sketches.ts";

const ragged = sketches().flatMap((sketch) => {
  const { program } = buildSketch(sketch, false);
  return program !== undefined && isRagged(program) && isSmall(program, sketch.sizes) ? [{ sketch, program }] : [];
});

describe("padding changes no number", () => {
  for (const { sketch, program } of ragged) {
    test(sketch.name, () => {
      const arrays = randomArrays(program, sketch.sizes, sketch.setting);
      const before = run(program, arrays, { sizes: sketch.sizes });
      for (const [more, seed] of [
        [0, 1],
        [3, 2],
      ] as const) {
        const after = run(program, withJunk(program, arrays, sketch.sizes, more, seed), {});
        for (const [name, tensor] of before) {
          const [was, is] = [insideEntries(tensor, arrays), insideEntries(resultOf(after, name), arrays)];
          expect(was.size).toBeGreaterThan(0);
          expect(is.size, name).toBe(was.size);
          expect(differences(was, is), name).toEqual([]);
        }
      }
    });
  }
});

describe("an example by itself is what it is in a batch", () => {
  for (const { sketch, program } of ragged) {
    test(sketch.name, () => {
      const arrays = randomArrays(program, sketch.sizes, sketch.setting);
      const options = { training: false, sizes: sketch.sizes };
      const together = run(program, arrays, options);
      const outputs = [...program.results].filter(([, role]) => role.kind === "parameter").map(([name]) => name);
      for (let example = 0; example < (sketch.sizes.B ?? 0); example++) {
        const own = ownSizes(program, arrays, sketch.sizes, example);
        const single = run(program, alone(program, arrays, sketch.sizes, example), { training: false, sizes: own });
        expect(Number.isFinite(resultOf(single, "loss").data[0])).toBe(true);
        for (const name of outputs) {
          const is = insideEntries(resultOf(single, name), arrays, example);
          expect(is.size).toBeGreaterThan(0);
          expect(differences(is, insideEntries(resultOf(together, name), arrays)), `${name} of ${example}`).toEqual([]);
        }
      }
    });
  }
});

function run(program: Program, arrays: Arrays, options: FeedOptions): Results {
  const { inputs, sizes } = feed(program, arrays, options);
  return interpret(program.graph, inputs, sizes);
}

/** The entries of the first that the second has not, or has with other numbers. */
function differences(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
  return [...before].flatMap(([position, value]) => {
    const now = after.get(position) ?? Number.NaN;
    const same = Math.abs(now - value) <= 1e-12 * Math.max(1, Math.abs(value));
    return same ? [] : [`${position} was ${value}, is ${now}`];
  });
}
