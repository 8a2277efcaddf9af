import { describe, expect, test } from "vitest";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { type Graph, isNode } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { printGraph } from "../../src/ir/print.ts";
import { contract } from "../../src/op/contract.ts";
import type { PassName } from "../../src/pass/pass.ts";
import { PASS_NAMES, PASSES, PIPELINE, PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import { allScans } from "../../src/pass/region.ts";
import { optimize } from "../../src/pass/run.ts";
import { compileStepOf, compileText, readSource } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { randomGraph } from "../support/random_graph.ts";
import { expectSame } from "./meaning.ts";

const { text } = readSource("test/pass/cells/odd.seq");

describe("the pipeline", () => {
  test("has every pass, with a reason", () => {
    expect([...PASS_NAMES].sort()).toEqual(Object.keys(PASSES).sort());
    for (const { why } of PIPELINE) expect(why.length).toBeGreaterThan(10);
  });

  test("runs only what is not off, in order, and tells of each pass", () => {
    const { graph } = randomGraph(1);
    const seen: PassName[] = [];
    optimize(graph, { sizes: new Map(), off: new Set(["cse", "sink"]), after: (pass) => seen.push(pass) });
    expect(seen).toEqual(PIPELINE.map(({ pass }) => pass).filter((pass) => pass !== "cse" && pass !== "sink"));
    expect(optimize(graph, { sizes: new Map(), off: new Set(PASS_NAMES) })).toBe(graph);
  });

  test("gives the same text each time", () => {
    const program = compileStepOf(text, "lstm");
    expect(printGraph(optimizeProgram(program).graph)).toBe(printGraph(optimizeProgram(program).graph));
  });

  test("finds nothing more to do in what it has made", () => {
    for (const name of ["lstm", "gru", "grid"]) {
      const once = optimizeProgram(compileStepOf(text, name, { dense: true }));
      const twice = optimizeProgram(once);
      expect(twice.graph.nodes.length).toBeLessThanOrEqual(once.graph.nodes.length);
      expect(inLoops(twice.graph)).toBe(inLoops(once.graph));
    }
  });
});

describe("a program", () => {
  test("keeps its roles, its params and its results", () => {
    const program = compileStepOf(text, "coupled");
    const made = optimizeProgram(program, { check: true });
    expect(made.graph.params).toEqual(program.graph.params);
    expect(made.graph.results.map((result) => result.name)).toEqual(program.graph.results.map((result) => result.name));
    expect({ ...made, graph: program.graph }).toEqual(program);
  });

  test("has fewer nodes than before, without its optimizer", () => {
    for (const name of ["minimal", "coupled", "narrow", "lstm", "gru", "gru_reset_after"]) {
      const program = compileText(text, { regime: name, gradients: true, dense: true });
      const made = optimizeProgram(program);
      expect(made.graph.nodes.length, name).toBeLessThan(program.graph.nodes.length);
      expect(contractions(made.graph), name).toBeLessThan(contractions(program.graph));
    }
  });

  test("keeps its products apart where passes for them are off", () => {
    const program = compileStepOf(text, "lstm", { dense: true });
    const made = optimizeProgram(program, { off: PRODUCT_PASSES });
    expect(contractions(made.graph)).toBe(contractions(program.graph));
  });

  test("unrolled in full has no loop, and knows its length", () => {
    const program = compileText(text, { regime: "lstm", gradients: true, dense: true });
    const made = optimizeProgram(program, { unroll: "full", lengths: new Map([["T", 3]]), check: true });
    expect(allScans(made.graph)).toEqual([]);
    expect(made.sizes.get("T")).toBe(3);
    const { inputs, sizes } = randomFeed(program, { B: 2, T: 3 });
    expectSame(interpret(program.graph, inputs, sizes), made.graph, inputs, sizes, "unrolled");
  });
});

function contractions(graph: Graph): number {
  return [graph, ...bodies(graph)].flatMap((own) => own.nodes).filter((node) => isNode(node, contract)).length;
}

function inLoops(graph: Graph): number {
  return bodies(graph).reduce((count, body) => count + body.nodes.length, 0);
}

function bodies(graph: Graph): readonly Graph[] {
  return allScans(graph).flatMap((node) => {
    const { body } = node.attributes;
    return typeof body === "object" && "nodes" in body ? [body] : [];
  });
}
