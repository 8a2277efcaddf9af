import { describe, expect, test } from "vitest";
import { feedbackOf } from "../../src/build/feedback.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import { isBody } from "../../src/pass/region.ts";
import { compileWasm } from "../../src/target/wasm/compile.ts";
import { compileStepOf } from "../support/compile.ts";

/** Recurrent layers with their optimizer. */
const TEXT = `
layer Step(H) {
  in  x: [T, H]
  use cell = LSTM(H, H)
  out scan cell over x
}
model Deep(V = 50, H = 16) {
  time T
  in   ids: tok(V)[T]
  use  emb = Embed(V, H), layers = stack 2 of Step(H), head = Linear(H, V)
  y = layers(emb(ids))
  emit ids[t+1] ~ categorical(head(y[t]))
}
train deep of Deep { data ids = csv("rows.csv").ids minimize nll(ids) optim adam(1e-3) for 1 steps }
`;

describe("the length of what is looped over does not matter", () => {
  const LENGTHS = [10, 100, 1000];

  test.each([true, false])(
    "to the graphs and to the code, where it is known while compiling; whole sequences: %s",
    (dense) => {
      const made = LENGTHS.map((T) => {
        const program = compileStepOf(TEXT, "deep", { dense, sizes: { T } });
        expect(program.sizes.get("T")).toBe(T);
        const all = optimizeProgram(program);
        const usual = optimizeProgram(program, { off: PRODUCT_PASSES });
        const { module } = compileWasm(usual, feedbackOf(usual));
        return { nodes: [program, all, usual].map(({ graph }) => nodeCount(graph)), bytes: module.length };
      });
      const [ten, hundred, thousand] = made;
      if (ten === undefined || hundred === undefined || thousand === undefined) throw new Error("three lengths");
      // What is known at a few positions is folded, so that a node or two are left out.
      for (const [at, count] of thousand.nodes.entries()) {
        for (const { nodes } of [ten, hundred]) expect(Math.abs(count - (nodes[at] ?? 0))).toBeLessThanOrEqual(2);
      }
      // Ten positions fit into a few vectors, and larger numbers take more digits; that is all.
      expect(hundred.bytes).toBeLessThan(1.1 * ten.bytes);
      expect(thousand.bytes).toBeLessThan(1.02 * hundred.bytes);
    },
  );
});

function nodeCount(graph: Graph): number {
  return graph.nodes.reduce(
    (count, node) =>
      Object.values(node.attributes).reduce<number>(
        (sum, value) => (isBody(value) ? sum + nodeCount(value) : sum),
        count + 1,
      ),
    0,
  );
}
