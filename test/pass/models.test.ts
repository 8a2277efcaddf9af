import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { isNode } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { contract } from "../../src/op/contract.ts";
import { DEFAULT_OPTIONS } from "../../src/pass/pass.ts";
import { PASS_NAMES, PASSES } from "../../src/pass/pipeline.ts";
import { optimize } from "../../src/pass/run.ts";
import { buildSketch, isSmall, type Sketch, sketches, stepsOf } from "../models/sketches.ts";
import { randomFeed } from "../support/feed.ts";
import { sameAs } from "./meaning.ts";

/**
 * Every model that is built and small enough to interpret: padded, with its loss and gradients; and whole, with the first training step of
 * its file where there is one.
 */
describe("models keep their numbers under each pass and all passes", () => {
  let tested = 0;
  for (const sketch of sketches()) {
    for (const dense of [true, false]) {
      const { program } = buildSketch(sketch, dense);
      const way = dense ? "dense" : "ragged";
      if (program === undefined || !isSmall(program, sketch.sizes)) continue;
      tested++;
      const [step] = dense ? stepsOf(sketch) : [];
      if (step === undefined || !isSmall(step[1], sketch.sizes))
        test(`${sketch.name}, ${way}: gradients`, () => checkPasses(program, sketch));
      else test(`${sketch.name}, ${way}: training step ${step[0]}`, () => checkPasses(step[1], sketch));
    }
  }

  test("most of them are tested", () => {
    expect(tested).toBeGreaterThanOrEqual(40);
  });
});

function checkPasses(program: Program, sketch: Sketch): void {
  const { graph } = program;
  const { inputs, sizes } = randomFeed(program, sketch.sizes, sketch.setting);
  const expectSame = sameAs(interpret(graph, inputs, sizes), inputs, sizes);
  for (const pass of PASS_NAMES) {
    const after = PASSES[pass](graph, {
      ...DEFAULT_OPTIONS,
      sizes: program.sizes,
      unroll: 2,
      memory: 0,
      chunk: 2,
      stagger: 1,
    });
    if (after !== graph) expectSame(after, pass);
  }
  const options = { sizes: program.sizes, off: new Set<never>(), check: true };
  const all = optimize(graph, options);
  expectSame(all, "all passes");
  expectSame(
    optimize(graph, { ...options, rows: 1, memory: 0, stagger: 1 }),
    "little memory, few rows, layers together",
  );
  const count = (of: typeof graph): number => of.nodes.filter((node) => isNode(node, contract)).length;
  expect(count(all)).toBeLessThanOrEqual(count(graph));
}
