import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { components } from "../../src/ir/components.ts";
import { copyGraph } from "../../src/ir/copy.ts";
import { namedSize } from "../../src/ir/size.ts";
import { verify } from "../../src/ir/verify.ts";
import * as make from "../../src/op/make.ts";
import { readElse } from "../support/equations.ts";

const T = { id: "T", size: namedSize("T") };

describe("copyGraph", () => {
  const source = createBuilder("source");
  const x = source.param("x", { dtype: "float", axes: [T] });
  const h = source.forward("h.ahead", { dtype: "float", axes: [T] });
  const origin = { name: "h", span: { file: "a.seq", start: 0, end: 1 } };
  const value = source.within(origin, () =>
    make.add(source, x, readElse(source, h, [[T, -1]], make.num(source, 0)), "h"),
  );
  source.close(h, value);
  const graph = source.finish([{ name: "h", id: value }]);

  test("keeps cycles, names and origins", () => {
    const b = createBuilder("copy");
    const ids = copyGraph(b, graph);
    const copied = b.finish([{ name: "h", id: ids.get("h") ?? "" }]);
    expect(verify(copied)).toEqual([]);
    expect(copied.params).toEqual(graph.params);
    const named = (nodes: typeof graph.nodes) =>
      new Map(
        nodes.map((node) => [node.outputs[0]?.id, { inputs: node.inputs, op: node.op.name, origin: node.origin }]),
      );
    expect(named(copied.nodes)).toEqual(named(graph.nodes));
  });

  test("puts values in place of params", () => {
    const b = createBuilder("copy");
    const y = b.param("y", { dtype: "float", axes: [T] });
    const twice = make.mul(b, y, make.num(b, 2));
    const ids = copyGraph(b, graph, new Map([["x", twice]]));
    const copied = b.finish([{ name: "h", id: ids.get("h") ?? "" }]);
    expect(copied.params.map((param) => param.id)).toEqual(["y"]);
    expect(copied.nodes.find((node) => node.outputs[0]?.id === "h")?.inputs).toContain(twice);
  });

  test("may be done twice in one graph", () => {
    const b = createBuilder("copy");
    const first = copyGraph(b, graph);
    const second = copyGraph(b, graph, new Map([["x", first.get("h") ?? ""]]));
    const copied = b.finish([{ name: "h", id: second.get("h") ?? "" }]);
    expect(verify(copied)).toEqual([]);
    expect(copied.nodes.filter((node) => node.op.name === "shift")).toHaveLength(2);
  });
});

describe("components", () => {
  const graphs = fc
    .integer({ min: 1, max: 12 })
    .chain((count) =>
      fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 30 }).map((edges) => ({ count, edges })),
    );

  test("are the sets of vertices that need one another, each after what it needs", () => {
    fc.assert(
      fc.property(graphs, ({ count, edges }) => {
        const needs = (vertex: number) => edges.filter(([from]) => from === vertex).map(([, to]) => to);
        const reach = Array.from({ length: count }, (_, vertex) => reachable(vertex, needs));
        const found = components(count, needs);
        expect(found.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, vertex) => vertex));
        const place = new Map(found.flatMap((members, index) => members.map((member) => [member, index] as const)));
        for (let a = 0; a < count; a++) {
          for (let b = 0; b < count; b++) {
            if (a === b) continue;
            const together = (reach[a]?.has(b) ?? false) && (reach[b]?.has(a) ?? false);
            expect(place.get(a) === place.get(b)).toBe(together);
            if (reach[a]?.has(b) && !together) expect(place.get(b)).toBeLessThan(place.get(a) ?? -1);
          }
        }
      }),
    );
  });

  test("of a path as long as a large program", () => {
    const found = components(200_000, (vertex) => (vertex + 1 < 200_000 ? [vertex + 1] : []));
    expect(found).toHaveLength(200_000);
    expect(found[0]).toEqual([199_999]);
  });
});

function reachable(start: number, needs: (vertex: number) => readonly number[]): ReadonlySet<number> {
  const seen = new Set<number>();
  const stack = [...needs(start)];
  for (let vertex = stack.pop(); vertex !== undefined; vertex = stack.pop()) {
    if (seen.has(vertex)) continue;
    seen.add(vertex);
    stack.push(...needs(vertex));
  }
  return seen;
}
