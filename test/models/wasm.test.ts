import { describe, expect, test } from "vitest";
import { resultLayouts } from "../../src/build/layout.ts";
import type { Program } from "../../src/build/program.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { layOut } from "../../src/ir/strided.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { type Feed, randomFeed } from "../support/feed.ts";
import { buildSketch, isSmall, sketches } from "./sketches.ts";

/** The greatest difference of each result from the interpreter's, as a share of the result's own size. */
async function distances(program: Program, { inputs, sizes }: Feed): Promise<ReadonlyMap<string, number>> {
  const expected = interpret(program.graph, inputs, sizes);
  const layouts = resultLayouts(program);
  const prepared = wasmExecutor().prepare(program);
  const found = await prepared.run(inputs, sizes);
  const result = new Map<string, number>();
  for (const [name, array] of found) {
    const reference = expected.get(name);
    if (reference === undefined) throw new Error(`the interpreter has no result ${name}`);
    const wanted = [...layOut(reference, layouts.get(name) ?? reference.axes, array.shape).data];
    const got = Array.from(array.data, Number);
    const size = Math.max(1e-2, ...wanted.map(Math.abs).filter(Number.isFinite));
    const worst = wanted.reduce(
      (most, value, at) => Math.max(most, value === got[at] ? 0 : Math.abs(value - (got[at] ?? Number.NaN))),
      0,
    );
    result.set(name, worst / size);
  }
  prepared.dispose();
  return result;
}

describe("WebAssembly gives the interpreter's numbers", () => {
  for (const sketch of sketches()) {
    for (const dense of [false, true]) {
      const { program } = buildSketch(sketch, dense);
      if (program === undefined || !isSmall(program, sketch.sizes)) continue;
      test(`${sketch.name}, ${dense ? "dense" : "ragged"}`, async () => {
        const off = [...(await distances(program, randomFeed(program, sketch.sizes, sketch.setting)))].filter(
          ([, distance]) => !(distance < 1e-4),
        );
        expect(off).toEqual([]);
      });
    }
  }
});
