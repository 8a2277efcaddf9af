import { describe, expect, test } from "vitest";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { type Graph, isNode, type Node } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { contract } from "../../src/op/contract.ts";
import { scan } from "../../src/op/region.ts";
import type { PassName } from "../../src/pass/pass.ts";
import { PASS_NAMES } from "../../src/pass/pipeline.ts";
import { allScans } from "../../src/pass/region.ts";
import { compileStepOf, readSource } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { sameAs } from "./meaning.ts";

const { text } = readSource("test/pass/cells/odd.seq");
const GIVEN = { B: 2, T: 4 };

/** Products in the steps of the forward and of the backward loop, after all passes. */
const CELLS: Readonly<Record<string, readonly [forward: number, backward: number]>> = {
  minimal: [2, 2],
  coupled: [1, 1],
  narrow: [2, 2],
  multiplicative: [1, 1],
  uneven: [2, 2],
  lstm: [1, 1],
  gru: [2, 2],
  gru_reset_after: [1, 1],
  grid: [2, 2],
};

describe.each(Object.entries(CELLS))("%s", (name, [forward, backward]) => {
  for (const dense of [true, false]) {
    const program = compileStepOf(text, name, { dense });
    const title = dense ? "dense" : "ragged";
    const { inputs, sizes } = randomFeed(program, GIVEN);

    test(`${title}: each choice of passes gives the same training step`, () => {
      const expectSame = sameAs(interpret(program.graph, inputs, sizes), inputs, sizes);
      const choices: readonly (readonly PassName[])[] = [
        [],
        ...PASS_NAMES.map((pass) => [pass]),
        ...(dense ? PASS_NAMES.map((pass) => PASS_NAMES.filter((other) => other !== pass)) : []),
      ];
      for (const off of choices) {
        const { graph } = optimizeProgram(program, { off: new Set(off), check: true });
        expectSame(graph, `without ${off.join(", ")}`);
      }
      for (const options of [
        { rows: 1 },
        { memory: 0 },
        { unroll: 3 },
        { unroll: "full", lengths: new Map([["T", 4]]) },
      ] as const) {
        const { graph } = optimizeProgram(program, { ...options, check: true });
        expectSame(graph, JSON.stringify(options));
      }
    });

    test(`${title}: each step makes few products`, () => {
      const { graph } = optimizeProgram(program);
      expect(products(graph, false)).toBe(forward);
      expect(products(graph, true)).toBe(backward);
    });

    test(`${title}: nothing of a weight's gradient is in a loop, after any pass`, () => {
      const check = (graph: Graph): void => {
        for (const loop of loopsOf(graph)) {
          const sums = loop.attributes.body.nodes.filter((node) => sumsExamples(node));
          expect(sums.map((node) => node.outputs[0]?.id)).toEqual([]);
        }
      };
      check(program.graph);
      optimizeProgram(program, { printAfter: (_, graph) => check(graph) });
    });

    test(`${title}: loops give each other no more than before`, () => {
      const given = (graph: Graph): number =>
        loopsOf(graph).reduce((sum, loop) => sum + loop.outputs.length - loop.attributes.carries, 0);
      const { graph } = optimizeProgram(program, { off: new Set(["previous-state"]) });
      expect(given(graph)).toBeLessThanOrEqual(given(program.graph));
    });
  }
});

function loopsOf(graph: Graph) {
  return allScans(graph).flatMap((node) => (isNode(node, scan) ? [node] : []));
}

function products(graph: Graph, reverse: boolean): number {
  return loopsOf(graph)
    .filter((loop) => loop.attributes.reverse === reverse)
    .flatMap((loop) => loop.attributes.body.nodes)
    .filter((node) => isNode(node, contract)).length;
}

/** Whether a node sums over the examples of the batch. */
function sumsExamples(node: Node): boolean {
  return ["over", "axes"].some((name) => {
    const axes = node.attributes[name];
    return Array.isArray(axes) && axes.some((axis) => axis === "B");
  });
}
