import fc from "fast-check";
import { expect, test } from "vitest";
import { interpret } from "../../src/ir/interpret.ts";
import { printGraph } from "../../src/ir/print.ts";
import { readGraph } from "../../src/ir/read.ts";
import { keepNode, rewrite } from "../../src/ir/rewrite.ts";
import { verify } from "../../src/ir/verify.ts";
import * as make from "../../src/op/make.ts";
import { sub } from "../../src/op/map.ts";
import { OPS } from "../../src/op/table.ts";
import { randomGraphs } from "../support/random_graph.ts";
import { expectClose } from "../support/tensors.ts";

test("a graph that nothing is replaced in is the same graph", () => {
  fc.assert(
    fc.property(randomGraphs({ steps: 20 }), ({ graph }) => {
      expect(printGraph(rewrite(graph, () => undefined))).toBe(printGraph(graph));
    }),
  );
});

test("a replaced node keeps the graph's meaning where the replacement has the node's, in bodies too", () => {
  fc.assert(
    fc.property(randomGraphs({ steps: 20 }), ({ graph, inputs, sizes }) => {
      const changed = rewrite(graph, ({ builder, node, inputs: [x = "", y = ""] }) =>
        node.op.name === sub.name ? [make.add(builder, x, make.map(builder, sub, make.num(builder, 0), y))] : undefined,
      );
      expect(verify(changed, { scheduled: true })).toEqual([]);
      const results = interpret(changed, inputs, sizes);
      for (const [name, value] of interpret(graph, inputs, sizes)) expectClose(results.get(name), value, 1e-9, name);
    }),
  );
});

test("what nothing needs any more is gone, and origins stay", () => {
  const text = `graph g(%x: float[B]) {
    %a: float[B] = exp(%x)
    %b: float[B] = log(%a)
    %c: float[B] = neg(%b)
    return c = %c
  }`;
  const origin = { span: { file: "a.seq", start: 0, end: 1 }, name: "c" };
  const read = readGraph(text, OPS);
  const graph = { ...read, nodes: read.nodes.map((node) => ({ ...node, origin })) };
  const short = rewrite(graph, ({ builder, node, inputs }) =>
    node.op.name === "log" ? [builder.definition(inputs[0] ?? "")?.inputs[0] ?? ""] : keepNode(builder, node, inputs),
  );
  expect(printGraph(short, { origins: true })).toBe(
    "graph g(%x: float[B]) {\n  %c: float[B] = neg(%x) // c\n  return c = %c\n}\n",
  );
});
