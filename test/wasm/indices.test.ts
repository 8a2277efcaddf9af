import { describe, test } from "vitest";
import { compileText } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { expectSameAsInterpreter } from "./compare.ts";

/** A position that is not the lane's own is part of what a kernel computes once. */
const READS: Readonly<Record<string, string>> = {
  "the next index": "e[t] = a[ids[t+1]] else 0",
  "the index before": "e[t] = a[ids[t-1]] else 0",
  "an index of an index": "e[t] = a[ids[n[t]]]",
  "two indices of one row": "e[t] = M[ids[t], ids[t+1] else 2] - M[ids[t], ids[t-1] else 0]",
};

describe("reads at indices that a kernel computes, several vectors side by side", () => {
  for (const [name, equation] of Object.entries(READS)) {
    test(name, () => {
      const text = `model Sum(V) { time T in ids: tok(V)[T], n: tok(T)[T] param a: [V], M: [V, next: V] ${equation} v = sum(e) }`;
      const program = compileText(text, { values: ["v"], sizes: { V: 8 }, dense: true });
      const { inputs, sizes } = randomFeed(program, { B: 2, T: 37, V: 8 });
      expectSameAsInterpreter({ graph: program.graph, inputs, sizes }, program.sizes, 1e-5, name);
    });
  }
});
