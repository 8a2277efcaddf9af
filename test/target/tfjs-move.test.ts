import { beforeAll, describe, expect, it } from "vitest";
import type { Builder } from "../../src/ir/builder.ts";
import { addSizes, constantSize, multiplySizes } from "../../src/ir/size.ts";
import type { Axis, DType } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import { expand, gather, rename, scatter } from "../../src/op/move.ts";
import { argmax, argmin, type ReduceKind, reduce } from "../../src/op/reduce.ts";
import { random } from "../../src/op/source.ts";
import { OPS } from "../../src/op/table.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { startTfjs, TF_BACKENDS } from "../support/tfjs.ts";
import { expectSameAsInterpreter } from "./compare.ts";
import { axis, B, D, graphCase, H, sizeOf, T, type } from "./graphs.ts";

const K = axis("K", 2);
const S = axis("S", "T");
const V = axis("V", 7);

type Build = (b: Builder) => Readonly<Record<string, string>>;

function values(b: Builder, ...axes: readonly Axis[]): Readonly<Record<DType, string>> {
  return {
    float: b.param("x", type("float", ...axes)),
    int: b.param("i", type("int", ...axes)),
    bool: b.param("m", type("bool", ...axes)),
  };
}

function each(b: Builder, axes: readonly Axis[], build: (x: string) => string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values(b, ...axes)).map(([dtype, x]) => [dtype, build(x)]));
}

const CASES: Readonly<Record<string, Build>> = {
  positions: (b) => ({ t: make.iota(b, T), late: make.lt(b, make.int(b, 2), make.iota(b, D)) }),
  "expand to the front and inside": (b) => each(b, [B, D], (x) => moves.expand(b, x, [T, H])),
  "expand of a constant": (b) => ({
    float: make.full(b, 0.5, type("float", T, B)),
    bool: make.full(b, 1, type("bool", B)),
  }),
  "swap of two axes": (b) => ({
    y: b.add(rename, [b.param("x", type("float", T, S))], { from: ["T", "S"], to: [S, T] }),
  }),
  "one value under two names of its axes, turned alike": (b) => {
    const x = b.param("m", type("bool", B, D, T, H));
    return Object.fromEntries(
      [axis("E", 4), axis("F", 4)].map((own) => {
        const named = b.add(rename, [x], { from: ["D"], to: [own] });
        return [own.id, b.add(reduce, [named], { kind: "any", axes: [own.id, "H"] })];
      }),
    );
  },
  "gather in a table": (b) => ({
    y: moves.gather(b, b.param("w", type("float", V, D)), b.param("ids", type("int", B, T)), "V"),
  }),
  "gather with shared axes": (b) => ({
    y: moves.gather(b, b.param("x", type("float", B, T, V, D)), b.param("ids", type("int", T, B)), "V"),
  }),
  "gather with shared axes, the axis last": (b) => ({
    y: moves.gather(b, b.param("x", type("float", B, D, V)), b.param("ids", type("int", B, H)), "V"),
  }),
  "gather over the index's own axis": (b) => ({
    y: b.add(gather, [b.param("x", type("float", B, T)), b.param("ids", type("int", T, B))], { axis: "T" }),
  }),
  "gather outside": (b) => ({
    y: moves.gather(b, b.param("w", type("float", K, D)), b.param("ids", type("int", B, T)), "K"),
  }),
  "gather at one place": (b) => ({
    first: moves.gather(b, b.param("x", type("bool", B, T, D)), make.int(b, 0), "T"),
    last: moves.gather(b, b.param("y", type("int", B, T)), make.sub(b, make.sizeInt(b, T.size), make.int(b, 1)), "T"),
  }),
  "scatter of rows": (b) => ({
    y: b.add(scatter, [b.param("d", type("float", B, T, D)), b.param("ids", type("int", B, T))], {
      axis: V,
      sum: ["B", "T"],
    }),
  }),
  "scatter of some axes": (b) => ({
    y: b.add(scatter, [b.param("d", type("float", B, D)), b.param("ids", type("int", T, B))], { axis: V, sum: ["T"] }),
    z: b.add(scatter, [b.param("e", type("float", B, T, D)), b.param("ids2", type("int", B))], {
      axis: K,
      sum: ["B", "T"],
    }),
    i: b.add(scatter, [b.param("c", type("int", B, T)), b.param("ids3", type("int", B, T))], { axis: V, sum: ["T"] }),
  }),
  "scatter to places": (b) => ({
    y: b.add(scatter, [b.param("d", type("float", B, T)), b.param("ids", type("int", B, T))], { axis: K, sum: [] }),
  }),
  "scatter of a constant": (b) => ({
    counts: b.add(scatter, [b.add(expand, [make.num(b, 1)], { axes: [B, T, H] }), b.param("ids", type("int", B, T))], {
      axis: V,
      sum: ["T", "H"],
    }),
  }),
  slice: (b) => each(b, [B, T, D], (x) => moves.slice(b, x, "T", axis("U", 2), constantSize(3))),
  "slice of the first axis": (b) => each(b, [D, T], (x) => moves.slice(b, x, "D", K, constantSize(1))),
  pad: (b) => each(b, [B, D, T], (x) => moves.pad(b, x, "D", H, constantSize(1))),
  "pad of a constant": (b) => ({ y: moves.pad(b, make.full(b, 2, type("float", B, D)), "D", H, constantSize(2)) }),
  concat: (b) => ({
    y: moves.concat(
      b,
      [b.param("x", type("float", B, D)), b.param("y", type("float", T, B, K)), b.param("z", type("float", T))],
      ["D", "K", ""],
      axis("C", 7),
    ),
    i: moves.concat(b, [b.param("i", type("int", B, D)), make.int(b, 3)], ["D", ""], axis("E", 5)),
    m: moves.concat(b, [b.param("m", type("bool", B, D)), b.param("n", type("bool", K))], ["D", "K"], axis("F", 6)),
    mixed: moves.concat(b, [b.param("p", type("int", D)), b.param("q", type("float", K))], ["D", "K"], axis("G", 6)),
    time: moves.concat(b, [b.param("t", type("float", B, T)), b.param("s", type("float", B))], ["T", ""], {
      id: "U",
      size: addSizes(sizeOf("T"), constantSize(1)),
    }),
  }),
  "reshape merges and splits": (b) => ({
    merged: moves.reshape(b, b.param("x", type("float", B, D, T, K)), [K, D], [axis("M", 8)]),
    split: moves.reshape(b, b.param("y", type("float", B, H, T)), [H], [axis("P", 3), K]),
    symbolic: moves.reshape(
      b,
      b.param("z", type("int", T, D, B)),
      [B, T],
      [{ id: "N", size: multiplySizes(sizeOf("B"), sizeOf("T")) }],
    ),
  }),
  put: (b) => ({
    y: moves.put(
      b,
      b.param("buffer", type("float", B, T, D)),
      b.param("v", type("float", B, D)),
      b.param("at", type("int")),
      "T",
    ),
    each: moves.put(
      b,
      b.param("buffer2", type("float", T, D)),
      b.param("v2", type("float", D)),
      b.param("at2", type("int", B)),
      "T",
    ),
  }),
  shift: (b) => {
    const x = values(b, B, T, D);
    return {
      back: moves.shift(b, x.float, "T", -2),
      forth: moves.shift(b, x.int, "T", 1),
      far: moves.shift(b, x.bool, "T", -9),
    };
  },
  window: (b) => {
    const x = b.param("x", type("float", B, T, D));
    return { y: moves.window(b, x, "T", axis("W", 3), -2, 1), dilated: moves.window(b, x, "T", axis("W2", 3), 0, -2) };
  },
  unwindow: (b) => ({
    y: moves.unwindow(b, b.param("d", type("float", B, T, D, K)), T, K, -1, 1),
    dilated: moves.unwindow(b, b.param("e", type("float", K, T)), T, K, 1, -2),
    constant: moves.unwindow(b, make.full(b, 1, type("float", B)), T, K, -1, 1),
  }),
  "prefix and suffix": (b) => ({
    y: moves.prefix(b, b.param("x", type("float", B, T, D)), "T", S, 1),
    z: moves.suffix(b, b.param("x2", type("float", B, T)), "T", S, 0),
  }),
  collect: (b) => {
    const d = b.param("d", type("float", B, T, D, S));
    return {
      strict: moves.collect(b, d, T, S, 0),
      whole: moves.collect(b, d, T, S, 1),
      after: moves.collectSuffix(b, d, T, S, 1),
    };
  },
  "random numbers": (b) => {
    const seed = b.param("seed", type("int"));
    return {
      uniform: b.add(random, [seed], { distribution: "uniform", stream: "dropout", axes: [B, T, D] }),
      gaussian: make.mul(
        b,
        b.add(random, [seed], { distribution: "gaussian", stream: "z", axes: [T, B] }),
        b.param("x", type("float", B, T)),
      ),
    };
  },
  "sizes as numbers": (b) => ({
    y: make.div(b, b.param("x", type("float", B, T)), make.sizeNumber(b, T.size)),
    n: make.sizeInt(b, multiplySizes(sizeOf("B"), sizeOf("T"))),
    f: make.sizeNumber(b, T.size),
  }),
  "a product with a weight": (b) => ({
    y: sums.contract(b, b.param("w", type("float", H, D)), b.param("x", type("float", B, T, D)), [D]),
  }),
  "a weight's gradient": (b) => ({
    y: sums.contract(b, b.param("dz", type("float", B, T, H)), b.param("x", type("float", B, T, D)), [B, T]),
  }),
  "a weight's gradient in another order": (b) => ({
    y: sums.contract(b, b.param("dz", type("float", T, B, H)), b.param("x", type("float", B, T, D)), [B, T]),
  }),
  "a product of batches": (b) => ({
    y: sums.contract(b, b.param("q", type("float", B, T, K, D)), b.param("k", type("float", B, K, S, D)), [D]),
  }),
  "a product of batches, mixed up": (b) => ({
    y: sums.contract(b, b.param("q", type("float", T, D, B)), b.param("k", type("float", H, B, D)), [D]),
  }),
  "a context vector": (b) => ({
    y: sums.contract(b, b.param("p", type("float", B, S)), b.param("v", type("float", B, S, H)), [S]),
  }),
  "a dot product": (b) => ({
    y: sums.contract(b, b.param("p", type("float", B, H)), b.param("v", type("float", T, H, B)), [H]),
    all: sums.contract(b, b.param("q", type("float", H)), b.param("r", type("float", H)), [H]),
  }),
  "an outer product": (b) => ({
    y: sums.contract(b, b.param("p", type("float", B, H)), b.param("v", type("float", D)), []),
  }),
  "a product over an axis that one side lacks": (b) => ({
    y: sums.contract(b, b.param("p", type("float", B, T, H)), b.param("v", type("float", H, D)), [H, T]),
  }),
  "a product over two axes": (b) => ({
    y: sums.contract(b, b.param("w", type("float", H, K, D)), b.param("x", type("float", B, T, D, K)), [K, D]),
  }),
  "a product with repeated operands": (b) => ({
    y: sums.contract(
      b,
      moves.expand(b, b.param("p", type("float", B)), [H]),
      moves.expand(b, b.param("v", type("float", D)), [H]),
      [H],
    ),
  }),
  "a product of integers": (b) => ({
    y: sums.contract(b, b.param("p", type("int", B, H)), b.param("v", type("int", H, D)), [H]),
  }),
  "positions of extremes": (b) => {
    const x = b.param("x", type("int", B, T, D));
    return {
      max: b.add(argmax, [x], { axis: "T" }),
      min: b.add(argmin, [x], { axis: "D" }),
      float: b.add(argmax, [b.param("y", type("float", T, B))], { axis: "T" }),
    };
  },
  "moves among many axes": (b) => {
    const many = [axis("A1", 2), axis("A2", 3), axis("A3", 2), axis("A4", 2)];
    const x = b.param("x", type("float", B, ...many, T));
    const late = make.lt(b, make.int(b, 2), make.iota(b, T));
    const some = b.param("some", type("bool", B, ...many.slice(1, 2), T));
    return {
      window: moves.window(b, x, "T", K, -1, 1),
      unwindow: moves.unwindow(b, b.param("d", type("float", B, ...many, T, K)), T, K, -1, 1),
      slice: moves.slice(b, x, "A2", axis("A5", 2), constantSize(1)),
      pad: moves.pad(b, x, "A2", axis("A5", 5), constantSize(1)),
      select: make.select(b, late, x, b.param("y", type("float", ...many.slice(2)))),
      constant: make.select(b, some, make.num(b, 1), x),
      repeated: make.select(b, b.param("m", type("bool", B, ...many.slice(0, 1), T)), x, make.num(b, 0)),
      float: make.toFloat(b, make.and(b, some, moves.expand(b, late, many))),
    };
  },
  "more axes than kernels take": (b) => {
    const many = [axis("A1", 2), axis("A2", 2), axis("A3", 2), axis("A4", 2), axis("A5", 2)];
    const x = b.param("x", type("float", B, ...many, T));
    const y = b.param("y", type("float", ...many.slice(1, 3), T));
    const z = b.param("z", type("float", T, D, B));
    return {
      merged: make.add(b, x, y),
      whole: make.mul(b, make.add(b, x, z), b.param("w", type("float", ...many.filter((_, at) => at % 2 === 0)))),
    };
  },
  ...Object.fromEntries(
    (["sum", "max", "min", "prod", "any", "all"] as const).map((kind) => [`reduce ${kind}`, reductions(kind)]),
  ),
};

function reductions(kind: ReduceKind): Build {
  const dtypes: readonly DType[] = kind === "any" || kind === "all" ? ["bool"] : ["float", "int"];
  return (b) =>
    Object.fromEntries(
      dtypes.flatMap((dtype) => {
        const x = b.param(dtype, type(dtype, B, D, T));
        const wide = b.add(expand, [b.param(`${dtype}2`, type(dtype, B))], { axes: [K] });
        return [
          [`${dtype}_inner`, b.add(reduce, [x], { kind, axes: ["T"] })],
          [`${dtype}_outer`, b.add(reduce, [x], { kind, axes: ["T", "B"] })],
          [`${dtype}_all`, b.add(reduce, [x], { kind, axes: ["B", "D", "T"] })],
          [`${dtype}_repeated`, b.add(reduce, [wide], { kind, axes: ["K"] })],
        ];
      }),
    );
}

describe.each(TF_BACKENDS)("ops on %s", (backend) => {
  let library: TfLibrary;
  beforeAll(async () => {
    library = await startTfjs(backend);
  });

  it.each(Object.keys(CASES))("%s", async (name) => {
    const build = CASES[name];
    if (build !== undefined) await expectSameAsInterpreter(graphCase(name, build), library);
  });
});

it("lowers every op that is not elementwise, in some case of these", () => {
  const used = new Set(
    Object.entries(CASES).flatMap(([name, build]) => graphCase(name, build).graph.nodes.map((node) => node.op.name)),
  );
  const missing = OPS.filter((op) => op.scalar === undefined && op.name !== "scan" && !used.has(op.name));
  expect(missing.map((op) => op.name)).toEqual([]);
});
