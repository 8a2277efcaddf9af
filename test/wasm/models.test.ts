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
import { expectArena, expectSameAsInterpreter } from "./compare.ts";

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
      test(`${sketch.name}, ${dense ? "dense" : "ragged"}`, () => check(program, sketch));
    }
  }

  test("most of them are tested", () => {
    expect(tested).toBeGreaterThanOrEqual(40);
  });
});

/** Twice is enough for so many models. */
const SHORT = { compact: true };

function check(program: Program, sketch: Sketch): void {
  const { graph } = program;
  const { inputs, sizes } = randomFeed(program, sketch.sizes, sketch.setting);
  const rounded = new Map([...inputs].map(([id, tensor]) => [id, { ...tensor, data: tensor.data.map(Math.fround) }]));
  expectSameAsInterpreter({ graph, inputs: rounded, sizes }, program.sizes, 1e-4, "scheduled", SHORT);
  expectSameAsInterpreter({ graph, inputs: rounded, sizes }, program.sizes, 1e-4, "nothing fused", {
    ...SHORT,
    fuse: false,
  });
  const optimized = optimize(graph, { sizes: program.sizes, off: new Set() });
  expectSameAsInterpreter({ graph: optimized, inputs: rounded, sizes }, program.sizes, 1e-4, "optimized", SHORT);
}

/** Of what is too large to interpret. */
function checkArena(program: Program, { sizes }: Sketch): void {
  const module = moduleOf(compileWasm(program));
  const bound = new Map([...program.sizes, ...Object.entries(sizes)]);
  expectArena(layOutMemory(module, sizesOf(module, bound), searched()).arena, program.name);
}
