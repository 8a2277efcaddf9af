import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Attributes, Graph } from "../../src/ir/graph.ts";
import type { Op } from "../../src/ir/op.ts";
import { printGraph } from "../../src/ir/print.ts";
import { readGraph } from "../../src/ir/read.ts";
import { constantSize, namedSize, partSize } from "../../src/ir/size.ts";
import { verify } from "../../src/ir/verify.ts";
import { OPS } from "../../src/op/table.ts";
import { createChance } from "../support/chance.ts";
import { randomCase } from "../support/op_cases.ts";
import { randomGraphs } from "../support/random_graph.ts";

describe("printing and reading", () => {
  test("a random graph comes back as it was", () => {
    fc.assert(
      fc.property(randomGraphs({ steps: 20 }), ({ graph }) => {
        const text = printGraph(graph);
        const back = readGraph(text, OPS);
        expect(back).toEqual(graph);
        expect(printGraph(back)).toBe(text);
        expect(verify(back, { scheduled: true })).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test.each(OPS.map((op) => [op.name, op] as const))("a node of %s comes back as it was", (_name, op) => {
    for (let seed = 1; seed <= 10; seed++) {
      const { types, attributes } = randomCase(op, createChance(seed));
      const outputs = op.infer(types, attributes);
      if (typeof outputs === "string") throw new Error(outputs);
      const graph = oneNode(op, attributes, {
        params: types.map((type, index) => ({ id: `x${index}`, type })),
        outputs: outputs.map((type, index) => ({ id: `y${index}`, type })),
      });
      expect(readGraph(printGraph(graph), OPS)).toEqual(graph);
    }
  });

  test("numbers, names and sizes that need care come back", () => {
    const odd = { id: "a b", size: partSize(namedSize("T"), ":t+1") };
    const constant = opNamed("constant");
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-300, -1.5e21, 0.1]) {
      const graph = oneNode(
        constant,
        { value, dtype: "float" },
        { params: [], outputs: [{ id: "c", type: { dtype: "float", axes: [] } }] },
      );
      expect(readGraph(printGraph(graph), OPS)).toEqual(graph);
    }
    const type = { dtype: "float" as const, axes: [odd, { id: "3", size: constantSize(3) }] };
    const params = [{ id: "x'.1", type }];
    const graph: Graph = { name: "two words", params, nodes: [], results: [{ name: "the result", id: "x'.1" }] };
    expect(readGraph(printGraph(graph), OPS)).toEqual(graph);
  });

  test("the text reads well", () => {
    const text = `graph rnn(%U: float[H, K<H>], %h0: float[B, H], %x: float[T, B, H]) {
  %h: float[B, H], %ys: float[T, B, H] = scan(%U, %h0, %x) axis=@T carries=1 consts=1 reverse=false xs=1 body=graph step(%U: float[H, K<H>], %h: float[B, H], %x: float[B, H]) {
    %k: float[B, K<H>] = rename(%h) from=["H"] to=[@K<H>]
    %u: float[H, B] = contract(%U, %k) over=["K"]
    %n: float[H, B] = add(%u, %x)
    return h = %n, y = %n
  }
  return last = %h, all = %ys
}
`;
    const graph = readGraph(text, OPS);
    expect(printGraph(graph)).toBe(text);
    expect(verify(graph, { scheduled: true })).toEqual([]);
  });

  test("origins are comments", () => {
    const type = { dtype: "float" as const, axes: [] };
    const origin = { span: { file: "a.seq", start: 0, end: 1 }, name: "l1.c" };
    const node = { op: opNamed("neg"), attributes: {}, inputs: ["x"], outputs: [{ id: "y", type }], origin };
    const graph: Graph = { name: "g", params: [{ id: "x", type }], nodes: [node], results: [{ name: "y", id: "y" }] };
    const text = printGraph(graph, { origins: true });
    expect(text).toContain("%y: float[] = neg(%x) // l1.c\n");
    expect(readGraph(text, OPS)).toEqual({ ...graph, nodes: [{ ...node, origin: undefined }] });
  });
});

describe("a text that is wrong says where and what", () => {
  const head = "graph g(%x: float[B]) {\n";
  test.each([
    ["", `1:1: expected "graph", found the end of the text`],
    ["graph g(%x: float[B] {", `1:22: expected ",", found "{"`],
    ["graph g(%x: real[B]) { return }", "1:13: expected float, int or bool"],
    [`${head}  %y: float[B] = negg(%x)\n  return y = %y\n}`, "2:18: there is no op negg"],
    [`${head}  %y: float[B] = neg(x)\n  return y = %y\n}`, `2:22: expected a value such as %x, found "x"`],
    [`${head}  %y: float[B] = neg(%x) axis=\n  return\n}`, `3:3: expected a number, found "return"`],
    [`${head}  %y: float[k<3+>] = neg(%x)\n  return\n}`, `2:14: "3+" is no size: it ends early`],
    [`${head}  %y: float[k<(3>] = neg(%x)\n  return\n}`, `2:14: "(3" is no size: a bracket is not closed`],
    [`${head}  return y = %x\n} more`, `3:3: expected the end of the text, found "more"`],
    [`${head}  %y: float[B] = neg(%x) a=["T", U:1:2]\n  return\n}`, "2:29: a list holds names or ranges, not both"],
    [`${head}  return y = %x`, `2:16: expected ",", found the end of the text`],
  ])("%j", (text, message) => {
    expect(() => readGraph(text, OPS)).toThrow(new Error(message));
  });
});

function opNamed(name: string): Op {
  const op = OPS.find((other) => other.name === name);
  if (op === undefined) throw new Error(name);
  return op;
}

function oneNode(
  op: Op,
  attributes: Attributes,
  { params, outputs }: Pick<Graph, "params"> & { outputs: Graph["params"] },
): Graph {
  const node = { op, attributes, inputs: params.map((param) => param.id), outputs, origin: undefined };
  return { name: "one", params, nodes: [node], results: outputs.map(({ id }) => ({ name: id, id })) };
}
