import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { withRegime } from "../support/arrays.ts";
import { compileText, forwardOf, openJob } from "../support/compile.ts";
import { evaluate, numberOf } from "../support/execute.ts";
import { feed, type NamedArray, randomArrays, randomFeed } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

describe("equal numbers are not equal names", () => {
  const cases: Readonly<Record<string, readonly [body: string, code: string]>> = {
    added: ["in a: [E], b: [H]  loss = sum(a + b)", "shape-mismatch"],
    "multiplied by a matrix": ["in a: [E] param U: [H, H]  loss = sum(U @ a)", "product-mismatch"],
    "chosen between": ["in a: [E], b: [H]  loss = sum(where(a > 0, a, b))", "shape-mismatch"],
    "given to a layer": ["in a: [E] use f = Linear(H, 2)  loss = sum(f(a))", "shape-mismatch"],
    "given to a cell": ["time T in a: [T, E] use f = GRU(H, H)  loss = sum[T, H](scan f over a)", "shape-mismatch"],
    "as a state": [
      "time T in a: [T, E], s0: [E] use f = GRU(E, H)  y = scan f over a from f.state(h: s0)  loss = sum[T, H](y)",
      "shape-mismatch",
    ],
    "tokens of another vocabulary": ["in a: tok(E) use f = Embed(H, 3)  loss = sum(f(a))", "token-size"],
    "an index of another axis": ["in a: [E], b: [H]  c[i in E] = a[i] * b[i]  loss = sum(c)", "two-ranges"],
    tied: [
      "in a: [E] use f = Linear(E, 2), g = Linear(H, 2) tie g.W = f.W  b[i in H] = 1.0  loss = sum(f(a)) + sum(g(b))",
      "shape-mismatch",
    ],
  };
  for (const [name, [body, code]] of Object.entries(cases)) {
    test(name, () => {
      const job = openJob(withRegime(`model M(E, H) { ${body} }`, "loss"), { sizes: { E: 6, H: 6 } });
      const program = forwardOf(job, { regime: "check" });
      expect(program).toBeUndefined();
      expect(job.report.diagnostics.map((found) => found.code)).toContain(code);
    });
  }
  test("labels tell equal axes apart", () => {
    const text = withRegime(
      "model M(K) { in x: [K] param A: [next: K, prev: K] y = softmax[next](A) loss = sum[next, prev](y * A) + sum(x) }",
      "loss",
    );
    const program = compileText(text, { sizes: { K: 3 }, regime: "check", values: ["y"] });
    const results = evaluate(program.graph, randomFeed(program, { B: 1, K: 3 }));
    const { data } = readArray(program, results, "value.y");
    for (const column of [0, 1, 2]) {
      expect([0, 1, 2].reduce((total, row) => total + (data[row * 3 + column] ?? 0), 0)).toBeCloseTo(1, 12);
    }
  });
});

describe("sizes of 1", () => {
  const model = (D: string, H: string): string =>
    `model M(V, K) { time T in x: [T, ${D}], y: [${D}] use f = LSTM(${D}, ${H}), g = Linear(${H}, K), e = Embed(V, ${D})
      z = scan f over x
      w[t] = sum(g(z[t])) + e.W[0] @ x[t] + x[t] @ y
      loss = sum(w) + sum(concat(y, y)) }`;
  test("written out or given by name are the same", () => {
    const arrays = (program: Program): Record<string, NamedArray> =>
      randomArrays(program, { B: 2, T: 4, V: 3, K: 2, D: 1, H: 1 });
    const fixed = compileText(withRegime(model("1", "1"), "loss"), { sizes: { V: 3, K: 2 }, regime: "check" });
    const named = compileText(withRegime(model("D", "H").replace("(V, K)", "(V, K, D = 1, H = 1)"), "loss"), {
      sizes: { V: 3, K: 2 },
      regime: "check",
    });
    const loss = (program: Program): number =>
      numberOf(evaluate(program.graph, feed(program, arrays(program))), "loss");
    expect(loss(named)).toBeCloseTo(loss(fixed), 12);
    expect(Number.isFinite(loss(fixed))).toBe(true);
  });
  test("one example, one position", () => {
    const program = compileText(withRegime(model("2", "3"), "loss"), {
      sizes: { V: 3, K: 2 },
      regime: "check",
      gradients: true,
    });
    const results = evaluate(program.graph, randomFeed(program, { B: 1, T: 1, V: 3, K: 2 }));
    for (const [name, { data }] of results) expect(Array.from(data).every(Number.isFinite), name).toBe(true);
  });
});
