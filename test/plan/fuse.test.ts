import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpret } from "../../src/ir/interpret.ts";
import { kernelsOf } from "../../src/plan/kernels.ts";
import { planGraph } from "../../src/plan/plan.ts";
import { printPlan } from "../../src/plan/print.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { compileWasm } from "../../src/target/wasm/compile.ts";
import { failedChecks, readGolden } from "../pass/golden.ts";
import { randomGraphs } from "../support/random_graph.ts";
import { expectResults, runBound } from "../wasm/compare.ts";

const FOLDER = join(import.meta.dirname, "fuse");

describe("fuse", () => {
  test.each(readdirSync(FOLDER))("%s", (file) => {
    const { graph, options, checks } = readGolden(readFileSync(join(FOLDER, file), "utf8"));
    const [apart, fused] = [false, true].map((fuse) => planGraph(graph, options.sizes, new Map(), { fuse }));
    if (apart === undefined || fused === undefined) throw new Error("two plans");
    expect(checks.length).toBeGreaterThan(0);
    expect(failedChecks(checks, printPlan(apart), printPlan(fused)), printPlan(fused)).toEqual([]);
    expect(kernelsOf(fused).length).toBeLessThanOrEqual(kernelsOf(apart).length);
  });

  test("off, every value that is no view of another has a kernel", () => {
    const { graph, options } = readGolden(readFileSync(join(FOLDER, "sum.txt"), "utf8"));
    const kernels = kernelsOf(planGraph(graph, options.sizes, new Map(), { fuse: false }));
    expect(kernels.flatMap(({ computes }) => computes.map(({ name }) => name))).toEqual(["p", "q", "s", "t", "y"]);
  });

  test("random graphs give the interpreter's numbers, on and off", () => {
    fc.assert(
      fc.property(randomGraphs({ steps: 20 }), fc.boolean(), ({ graph, inputs, sizes }, fuse) => {
        const runner = createWasmRunner(compileWasm({ graph, sizes: new Map() }, new Map(), { fuse }));
        runner.bind(sizes);
        runBound(runner, { inputs });
        expectResults(runner, interpret(graph, inputs, sizes), 1e-4, fuse ? "fused" : "apart");
      }),
      { numRuns: 60 },
    );
  });
});
