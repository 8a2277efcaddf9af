import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGraph } from "../../src/ir/read.ts";
import { verify } from "../../src/ir/verify.ts";
import { OPS } from "../../src/op/table.ts";
import { randomGraphs } from "../support/random_graph.ts";

test("random graphs are well formed", () => {
  fc.assert(
    fc.property(randomGraphs({ steps: 20 }), ({ graph }) => {
      expect(verify(graph, { scheduled: true })).toEqual([]);
    }),
  );
});

test("a recurrence through a delayed read is well formed", () => {
  const text = `graph g(%x: float[T]) {
    %n: float[T] = add(%x, %d)
    %d: float[T] = shift(%n) axis="T" offset=-1
    return n = %n
  }`;
  const graph = readGraph(text, OPS);
  expect(verify(graph)).toEqual([]);
  expect(verify(graph, { scheduled: true })).toEqual(["%n = add needs %d before it is computed"]);
});

describe("what is wrong is said", () => {
  const scan = (body: string, start = "%h"): string => `graph g(%x: float[T, B], %h: float[B]) {
    %l: float[B] = scan(${start}, %x) axis=@T carries=1 consts=0 reverse=false xs=1 body=${body}
    return l = %l
  }`;
  test.each([
    ["an id twice", "%y: float[B] = neg(%x) %y: float[B] = exp(%x)", ["%y is defined twice"]],
    [
      "an axis of two sizes",
      "%y: float[B] = neg(%x) %z: float[B<3>] = neg(%w)",
      ["axis B is B in %x and 3 in %z", "%z = neg needs %w, which is not defined"],
    ],
    ["a wrong type", "%y: int[B] = neg(%x)", ["%y is int[B], the op neg gives float[B]"]],
    [
      "an axis twice",
      "%y: float[B, B] = neg(%x)",
      ["%y has the axis B twice", "%y is float[B, B], the op neg gives float[B]"],
    ],
    ["a wrong input", "%y: float[] = and(%x, %x)", ["%y = and: needs booleans, not float and float"]],
    ["too many outputs", "%y: float[B], %z: float[B] = neg(%x)", ["%y, %z = neg has 2 outputs, the op gives 1"]],
    [
      "a cycle",
      "%y: float[B] = neg(%z) %z: float[B] = exp(%y)",
      ["%y, %z need one another with no delayed read between them"],
    ],
    [
      "a cycle through a whole axis",
      `%y: float[B] = add(%x, %z) %z: float[] = reduce(%y) kind="sum" axes=["B"]`,
      ["%y, %z need one another with no delayed read between them"],
    ],
    ["itself", "%y: float[B] = add(%x, %y)", ["%y need one another with no delayed read between them"]],
  ])("%s", (_name, nodes, problems) => {
    expect(verify(readGraph(`graph g(%x: float[B]) { ${nodes} return y = %x }`, OPS))).toEqual(problems);
  });

  test("a result that is not there", () => {
    expect(verify(readGraph("graph g(%x: float[B]) { return y = %z }", OPS))).toEqual([
      "the result y is %z, which is not defined",
    ]);
  });

  test.each([
    ["graph s(%h: float[B], %x: float[B]) { %n: float[B] = add(%h, %x) return n = %n }", []],
    ["graph s(%h: float[B]) { return h = %h }", ["%l = scan: the body has 1 params for 2 values"]],
    [
      "graph s(%h: float[B], %x: float[]) { return h = %h }",
      ["%l = scan: the body's %x is not of the type of value 1"],
    ],
    [
      "graph s(%h: float[B], %x: float[B]) { %n: bool[B] = lt(%h, %x) return n = %n }",
      ["%l = scan: carry 0 changes its type"],
    ],
    [
      "graph s(%h: float[B], %x: float[B]) { %n: float[B] = neg(%m) %m: float[B] = neg(%x) return n = %n }",
      ["in s: %n = neg needs %m before it is computed"],
    ],
    ["graph s(%h: float[B], %x: float[B]) { return }", ["%l = scan: the body has 0 results for 1 carries"]],
  ])("body %s", (body, problems) => {
    expect(verify(readGraph(scan(body), OPS))).toEqual(problems);
  });

  test("a const that has the scan's axis", () => {
    const body = "graph s(%h: float[T, B], %x: float[B]) { return h = %h }";
    expect(verify(readGraph(scan(body, "%x"), OPS))).toEqual(["%l = scan: value 0 has T, which is fixed inside"]);
  });
});
