import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { optimize } from "../../src/pass/run.ts";
import { sizesOf } from "../../src/plan/bound-size.ts";
import { searched } from "../../src/target/wasm/arrange.ts";
import { layOutMemory } from "../../src/target/wasm/bind.ts";
import { compileWasm } from "../../src/target/wasm/compile.ts";
import { moduleOf } from "../../src/target/wasm/module.ts";
import { buildSketch, isSmall, type Sketch, sketches } from "../models/sketches.ts";
import { randomFeed } from "../support/feed.ts";
import { expectAllSame, expectArena, PLAIN, RELAXED, SHORT } from "./compare.ts";

/** Every model that is small enough to interpret, with its loss and gradients: padded examples and whole ones. */
describe("models give the interpreter's numbers", () => {
  let tested = 0;
  for (const sketch of sketches()) {
    for (const dense of [true, false]) {
      const { program } = buildSketch(sketch, dense);
      if (program === undefined) continue;
      if (!isSmall(program, sketch.sizes)) {
        if (dense) test(`${sketch.name}: its memory`, () => checkArena(program, sketch));
        continue;
      }
      tested++;
      test(`${sketch.name}, ${dense ? "dense" : "ragged"}`, () => check(program, sketch, dense));
    }
  }

  test("most of them are tested", () => {
    expect(tested).toBeGreaterThanOrEqual(40);
  });
});

/**
 * As it is built, with nothing fused, and behind all passes, as programs run. Instructions make no difference to how kernels are put
 * together: the first two have one kind for padded examples, another one for whole ones.
 */
function check(program: Program, sketch: Sketch, dense: boolean): void {
  const { graph } = program;
  const { inputs, sizes } = randomFeed(program, sketch.sizes, sketch.setting);
  const rounded = new Map([...inputs].map(([id, tensor]) => [id, { ...tensor, data: tensor.data.map(Math.fround) }]));
  const optimized = optimize(graph, { sizes: program.sizes, off: new Set() });
  expectAllSame({ graph, inputs: rounded, sizes }, 1e-4, [
    ["scheduled", graph, program.sizes, dense ? PLAIN : SHORT],
    ["nothing fused", graph, program.sizes, { ...(dense ? SHORT : PLAIN), fuse: false }],
    ["optimized", optimized, program.sizes, RELAXED],
    ["optimized", optimized, program.sizes, SHORT],
  ]);
}

/** Of what is too large to interpret. */
function checkArena(program: Program, { sizes }: Sketch): void {
  const module = moduleOf(compileWasm(program));
  const bound = new Map([...program.sizes, ...Object.entries(sizes)]);
  expectArena(layOutMemory(module, sizesOf(module, bound), searched()).arena, program.name);
}
