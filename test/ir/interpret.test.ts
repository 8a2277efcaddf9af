import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { bindSizes, interpret } from "../../src/ir/interpret.ts";
import { readGraph } from "../../src/ir/read.ts";
import { constantSize, multiplySizes, namedSize } from "../../src/ir/size.ts";
import { layOut } from "../../src/ir/strided.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import { gather, rename } from "../../src/op/make_move.ts";
import { contract } from "../../src/op/make_sum.ts";
import { tanh } from "../../src/op/map.ts";
import { scan } from "../../src/op/region.ts";
import { OPS } from "../../src/op/table.ts";
import { createChance } from "../support/chance.ts";
import { randomGraphs } from "../support/random_graph.ts";
import { expectClose, randomTensor } from "../support/tensors.ts";

const axis = (id: string, size = namedSize(id)): Axis => ({ id, size });
const tensor = (axes: readonly string[], shape: readonly number[], numbers: readonly number[]): Tensor => ({
  dtype: "float",
  axes,
  shape,
  data: Float64Array.from(numbers),
});

/** h' = tanh(U h + x), y = h' x + h. */
function step(b: ReturnType<typeof createBuilder>, u: string, h: string, x: string): readonly [string, string] {
  const K = axis("K", namedSize("H"));
  const next = make.map(b, tanh, make.add(b, contract(b, u, rename(b, h, ["H"], [K]), [K]), x));
  return [next, make.add(b, make.mul(b, next, x), h)];
}

describe("scan", () => {
  const [B, T, H] = [axis("B"), axis("T"), axis("H")];
  const types: readonly Type[] = [
    { dtype: "float", axes: [H, axis("K", namedSize("H"))] },
    { dtype: "float", axes: [B, H] },
    { dtype: "float", axes: [B, T, H] },
  ];

  const scanned = (reverse: boolean) => {
    const inner = createBuilder("body");
    const [u, h, x] = [
      inner.param("U", types[0] as Type),
      inner.param("h", types[1] as Type),
      inner.param("x", { dtype: "float", axes: [B, H] }),
    ];
    const [next, y] = step(inner, u, h, x);
    const body = inner.finish([
      { name: "h", id: next },
      { name: "y", id: y },
    ]);
    const b = createBuilder("scanned");
    const inputs = types.map((type, index) => b.param(`p${index}`, type));
    const attributes = { axis: T, reverse, consts: 1, carries: 1, xs: 1, body };
    const [last = "", ys = ""] = b.addAll(scan, inputs, attributes, ["last", "ys"]);
    return b.finish([
      { name: "last", id: last },
      { name: "ys", id: ys },
    ]);
  };

  const unrolled = (reverse: boolean, steps: number) => {
    const b = createBuilder("unrolled");
    const [u = "", start = "", xs = ""] = types.map((type, index) => b.param(`p${index}`, type));
    let h = start;
    const results = [];
    for (let count = 0; count < steps; count++) {
      const at = reverse ? steps - 1 - count : count;
      const [next, y] = step(b, u, h, gather(b, xs, make.int(b, at), "T"));
      h = next;
      results.push({ name: `y${at}`, id: y });
    }
    return b.finish([{ name: "last", id: h }, ...results]);
  };

  test("is its body, once for each position", () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), fc.integer({ min: 0, max: 5 }), (seed, reverse, steps) => {
        const sizes = new Map([
          ["B", 2],
          ["T", steps],
          ["H", 3],
        ]);
        const chance = createChance(seed);
        const inputs = new Map(types.map((type, index) => [`p${index}`, randomTensor(chance, type, sizes)]));
        const actual = interpret(scanned(reverse), inputs, sizes);
        const expected = interpret(unrolled(reverse, steps), inputs, sizes);
        expectClose(actual.get("last"), layOut(expected.get("last") as Tensor, ["B", "H"], [2, 3]), 0, "last");
        const ys = actual.get("ys") as Tensor;
        expect(ys.axes[0]).toBe("T");
        for (let at = 0; at < steps; at++) {
          const entry = {
            ...ys,
            axes: ys.axes.slice(1),
            shape: ys.shape.slice(1),
            data: ys.data.slice(at * 6, at * 6 + 6),
          };
          expectClose(entry, layOut(expected.get(`y${at}`) as Tensor, entry.axes, entry.shape), 0, `y ${at}`);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("scans nest: r[i, j] = d[i, j] + min(r[i-1, j], r[i, j-1])", () => {
    const graph = readGraph(
      `graph grid(%d: float[I, J]) {
        %big: float[] = constant() value=1e9 dtype="float"
        %row0: float[J] = expand(%big) axes=[@J]
        %last: float[J], %rs: float[I, J] = scan(%big, %row0, %d) axis=@I carries=1 consts=1 reverse=false xs=1 body=graph row(%b: float[], %above: float[J], %dr: float[J]) {
          %zero: float[] = constant() value=0 dtype="float"
          %end: float[], %r: float[J] = scan(%zero, %above, %dr) axis=@J carries=1 consts=0 reverse=false xs=2 body=graph cell(%left: float[], %up: float[], %here: float[]) {
            %m: float[] = minimum(%left, %up)
            %n: float[] = add(%m, %here)
            return next = %n, r = %n
          }
          return next = %r, r = %r
        }
        return rs = %rs, last = %last
      }`,
      OPS,
    );
    const d = tensor(["I", "J"], [2, 3], [1, 2, 3, 4, 1, 1]);
    const results = interpret(graph, new Map([["d", d]]), bindSizes(graph.params, new Map([["d", d]])));
    // The left border is 0 in every row, the top one large.
    expect([...(results.get("rs")?.data ?? [])]).toEqual([1, 3, 6, 4, 4, 5]);
    expect([...(results.get("last")?.data ?? [])]).toEqual([4, 4, 5]);
  });
});

test("values are named by their axes: the order of an input's axes does not matter", () => {
  fc.assert(
    fc.property(randomGraphs(), fc.integer(), ({ graph, inputs, sizes }, seed) => {
      const chance = createChance(seed);
      const turned = new Map(
        [...inputs].map(([id, given]) => {
          const axes = chance.shuffled(given.axes);
          return [
            id,
            layOut(
              given,
              axes,
              axes.map((name) => given.shape[given.axes.indexOf(name)] ?? 1),
            ),
          ];
        }),
      );
      const [expected, actual] = [interpret(graph, inputs, sizes), interpret(graph, turned, sizes)];
      for (const [name, value] of expected) expectClose(actual.get(name), value, 1e-9, name);
    }),
    { numRuns: 50 },
  );
});

describe("inputs that do not fit are refused", () => {
  const graph = readGraph("graph g(%x: float[B, H]) { %y: float[B, H] = neg(%x) return y = %y }", OPS);
  const sizes = new Map([
    ["B", 1],
    ["H", 2],
  ]);
  const good = tensor(["B", "H"], [1, 2], [1, 2]);
  test.each<readonly [string, readonly (readonly [string, Tensor])[], typeof sizes, string]>([
    ["missing", [], sizes, "graph g: no value is given for %x"],
    ["axes", [["x", tensor(["H"], [2], [1, 2])]], sizes, "%x has the axes [B, H], its value [H]"],
    ["dtype", [["x", { ...good, dtype: "int" }]], sizes, "%x is float, its value int"],
    ["shape", [["x", tensor(["B", "H"], [1, 3], [1, 2, 3])]], sizes, "%x: its axis H is H = 2, its value has 3"],
    ["size", [["x", good]], new Map([["B", 1]]), "the size H is not known: bind its names"],
  ])("%s", (_name, inputs, bound, message) => {
    expect(() => interpret(graph, new Map(inputs), bound)).toThrow(new Error(message));
  });

  test("a graph with a cycle", () => {
    const cyclic = readGraph("graph g() { %y: float[] = neg(%y) return y = %y }", OPS);
    expect(() => interpret(cyclic, new Map(), new Map())).toThrow("graph g is not scheduled");
  });

  test("a fault inside an op names the node", () => {
    const text = `graph g(%x: float[T]) { %y: float[k<3>] = slice(%x) axis="T" to=@k<3> start=<1> return y = %y }`;
    const x = tensor(["T"], [2], [1, 2]);
    expect(() => interpret(readGraph(text, OPS), new Map([["x", x]]), new Map([["T", 2]]))).toThrow(
      "in %y = slice of graph g: positions 1 to 3 of T are asked for, which has 2",
    );
  });
});

describe("sizes from shapes", () => {
  const [B, H, N] = [namedSize("B"), namedSize("H"), namedSize("N")];
  const param = (id: string, ...axes: readonly Axis[]) => ({ id, type: { dtype: "float" as const, axes } });
  const zeros = (axes: readonly string[], shape: readonly number[]) =>
    tensor(axes, shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(0));

  test("names, multiples and products", () => {
    const params = [
      param("x", axis("B"), axis("G", multiplySizes(constantSize(2), H))),
      param("y", axis("HN", multiplySizes(H, N))),
    ];
    const tensors = new Map([
      ["x", zeros(["B", "G"], [3, 8])],
      ["y", zeros(["HN"], [20])],
    ]);
    expect([...bindSizes(params, tensors)].sort()).toEqual([
      ["B", 3],
      ["H", 4],
      ["N", 5],
    ]);
  });

  test("a disagreement is an error", () => {
    const params = [param("x", axis("B")), param("y", axis("B"))];
    const tensors = new Map([
      ["x", zeros(["B"], [3])],
      ["y", zeros(["B"], [4])],
    ]);
    expect(() => bindSizes(params, tensors)).toThrow("axis B of %y is B = 3, but its value has 4 there");
    expect(() =>
      bindSizes([param("x", { id: "k", size: B })], new Map([["x", zeros(["k"], [3])]]), new Map([["B", 2]])),
    ).toThrow("axis k of %x is B = 2, but its value has 3 there");
  });
});
