import fc from "fast-check";
import { describe, test } from "vitest";
import { interpret } from "../../src/ir/interpret.ts";
import { DEFAULT_OPTIONS, type PassOptions } from "../../src/pass/pass.ts";
import { PASS_NAMES, PASSES } from "../../src/pass/pipeline.ts";
import { optimize } from "../../src/pass/run.ts";
import { randomGraphs } from "../support/random_graph.ts";
import { expectSame } from "./meaning.ts";

const CHOICES: readonly Partial<PassOptions>[] = [
  {},
  { rows: 1 },
  { memory: 0 },
  { memory: 0, chunk: 2 },
  { unroll: 2 },
  { stagger: 0 },
  { stagger: 0, memory: 0 },
  { unroll: 3, rows: 2 },
  { unroll: "full" },
];

describe("random graphs keep their meaning", () => {
  test.each(PASS_NAMES)("under %s", (pass) => {
    fc.assert(
      fc.property(randomGraphs({ steps: 25 }), fc.constantFrom(...CHOICES), ({ graph, inputs, sizes }, choice) => {
        const before = interpret(graph, inputs, sizes);
        const known = choice.unroll === "full" ? sizes : DEFAULT_OPTIONS.sizes;
        const after = PASSES[pass](graph, { ...DEFAULT_OPTIONS, sizes: known, ...choice });
        if (after !== graph) expectSame(before, after, inputs, sizes, pass);
      }),
      { numRuns: 60 },
    );
  });

  // Axes that are cut and put together again, and several loops where one was.
  test.each(PASS_NAMES)("unrolled by a factor, then under %s", (pass) => {
    fc.assert(
      fc.property(randomGraphs({ steps: 20 }), fc.constantFrom(2, 3), ({ graph, inputs, sizes }, factor) => {
        const unrolled = PASSES.unroll(graph, { ...DEFAULT_OPTIONS, unroll: factor });
        const after = PASSES[pass](unrolled, DEFAULT_OPTIONS);
        expectSame(interpret(graph, inputs, sizes), after, inputs, sizes, pass);
      }),
      { numRuns: 30 },
    );
  });

  test("under all passes", () => {
    fc.assert(
      fc.property(
        randomGraphs({ steps: 40 }),
        fc.constantFrom(...CHOICES),
        fc.subarray([...PASS_NAMES]),
        fc.boolean(),
        ({ graph, inputs, sizes }, choice, off, areKnown) => {
          const before = interpret(graph, inputs, sizes);
          const known = areKnown ? new Map([...sizes].filter(([name]) => name === "H" || name === "E")) : new Map();
          const after = optimize(graph, {
            sizes: choice.unroll === "full" ? sizes : known,
            off: new Set(off),
            check: true,
            ...choice,
          });
          expectSame(before, after, inputs, sizes, `without ${off.join(", ")}`);
        },
      ),
      { numRuns: 200 },
    );
  });
});
