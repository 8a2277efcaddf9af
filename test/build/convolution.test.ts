import { describe, expect, test } from "vitest";
import { compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { compareWithDifferences } from "../support/finite.ts";
import { readArray } from "../support/read.ts";

interface Geometry {
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  readonly pad: number | "same" | "causal";
}

const X = 7;
const Y = 6;
const C = 4;
const O = 6;
const K = 3;

function array(shape: readonly number[], seed: number): NamedArray {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float64Array.from({ length: count }, (_, at) => Math.sin(at * 1.7 + seed)) };
}

function geometry(
  { pad, stride, dilation }: Geometry,
  size: number,
): { readonly before: number; readonly out: number } {
  const reach = dilation * (K - 1);
  const before = pad === "same" ? Math.floor(reach / 2) : pad === "causal" ? reach : pad;
  const both = typeof pad === "number" ? 2 * pad : reach;
  return { before, out: Math.ceil((size + both - reach) / stride) };
}

/** The definition, position by position. */
function direct(x: NamedArray, w: NamedArray, how: Geometry): readonly number[] {
  const [gx, gy] = [geometry(how, X), geometry(how, Y)];
  const [perIn, perOut] = [C / how.groups, O / how.groups];
  const result: number[] = [];
  for (let i = 0; i < gx.out; i++)
    for (let j = 0; j < gy.out; j++)
      for (let o = 0; o < O; o++) {
        let sum = 0;
        for (let a = 0; a < K; a++)
          for (let b = 0; b < K; b++)
            for (let c = 0; c < perIn; c++) {
              const [p, q] = [
                i * how.stride + a * how.dilation - gx.before,
                j * how.stride + b * how.dilation - gy.before,
              ];
              if (p < 0 || q < 0 || p >= X || q >= Y) continue;
              const channel = Math.floor(o / perOut) * perIn + c;
              sum += (x.data[(p * Y + q) * C + channel] ?? 0) * (w.data[((o * K + a) * K + b) * perIn + c] ?? 0);
            }
        result.push(sum);
      }
  return result;
}

describe("conv over two axes", () => {
  const cases: readonly Geometry[] = [
    { stride: 1, dilation: 1, groups: 1, pad: 0 },
    { stride: 1, dilation: 1, groups: 1, pad: "same" },
    { stride: 2, dilation: 1, groups: 1, pad: "same" },
    { stride: 2, dilation: 1, groups: 2, pad: 1 },
    { stride: 1, dilation: 2, groups: 1, pad: "causal" },
    { stride: 3, dilation: 2, groups: 2, pad: 2 },
  ];
  for (const how of cases) {
    const pad = typeof how.pad === "number" ? how.pad : `"${how.pad}"`;
    const options = `stride: ${how.stride}, dilation: ${how.dilation}, groups: ${how.groups}, pad: ${pad}`;
    test(options, () => {
      const program = compileText(
        `model M { in x: [${X}, ${Y}, ${C}] param W: [${O}, ${K}, ${K}, ${C / how.groups}] y = conv(W, x, ${options}) emit z: [] ~ normal(sum(sum(sum(y**2))), 10) }`,
        { values: ["y"], gradients: true },
      );
      const arrays = { x: array([1, X, Y, C], 0), W: array([O, K, K, C / how.groups], 1), z: array([1], 2) };
      const bound = feed(program, arrays);
      const found = readArray(program, evaluate(program.graph, bound), "value.y");
      const expected = direct(arrays.x, arrays.W, how);
      expect(found.data.length).toBe(expected.length);
      expected.forEach((value, at) => {
        expect(found.data[at]).toBeCloseTo(value, 10);
      });
      expect(compareWithDifferences(program, bound).wrong).toEqual([]);
    });
  }
});

test("a causal convolution over time sees nothing later, and its padding nothing at all", () => {
  const text = 'model M { time T in x: [T, 2] param W: [3, 3, 2] y = conv(W, x, dilation: 2, pad: "causal") }';
  const program = compileText(text, { values: ["y"] });
  const W = array([3, 3, 2], 1);
  const x = array([1, 6, 2], 0);
  const later = { shape: x.shape, data: Float64Array.from(x.data, (value, at) => (at >= 8 ? value + 100 : value)) };
  const [before, after] = [x, later].map((input) =>
    readArray(program, evaluate(program.graph, feed(program, { x: input, W })), "value.y"),
  );
  expect(Array.from(before?.data ?? []).slice(0, 12)).toEqual(Array.from(after?.data ?? []).slice(0, 12));
});

describe("pool", () => {
  test("takes the greatest, or the mean of what is inside", () => {
    const text =
      'model M { in x: [5, 1] a = pool(x, 2) b = pool(x, 3, stride: 2, pad: 1) c = pool(x, 3, stride: 2, pad: 1, by: "mean") }';
    const program = compileText(text, { values: ["a", "b", "c"] });
    const x = { shape: [1, 5, 1], data: [3, 1, 4, 1, 5] };
    const results = evaluate(program.graph, feed(program, { x }));
    const read = (name: string): readonly number[] => [
      ...Array.from(readArray(program, results, `value.${name}`).data),
    ];
    expect(read("a")).toEqual([3, 4]);
    expect(read("b")).toEqual([3, 4, 5]);
    expect(read("c")).toEqual([2, 2, 3]);
  });

  test("halves ragged lengths, rounding up", () => {
    const text = "model M { time T in x: [T, 1] m = mean[T/2](pool(x, 2, pad: 0)) }";
    const program = compileText(text, { values: ["m"] });
    const x = { shape: [2, 4, 1], data: [1, 2, 3, 4, 5, 6, 7, 99] };
    const found = readArray(
      program,
      evaluate(program.graph, feed(program, { x, "T.length": { shape: [2], data: [4, 3] } })),
      "value.m",
    );
    expect([...Array.from(found.data)]).toEqual([3, 6.5]);
  });
});

test("the published sizes of a network are met", () => {
  const text = `
    layer Block(I, O, K, stride = 1, groups = 1, pad = 0) {
      in x: [X, Y, I]
      param W: [O, K, K, I/groups] init he, b: [O] init 0
      out relu(conv(W, x, stride: stride, groups: groups, pad: pad) + b)
    }
    model Net { in x: [227, 227, 3] use a = Block(3, 96, 11, stride: 4), b = Block(96, 256, 5, groups: 2, pad: 2) y = pool(b(pool(a(x), 3, stride: 2)), 3, stride: 2) }`;
  const program = compileText(text, { values: ["y"] });
  const y = program.graph.results.find((result) => result.name === "value.y");
  const type = program.graph.nodes.flatMap((node) => node.outputs).find((output) => output.id === y?.id)?.type;
  expect(type?.axes.map((axis) => axis.size.text).sort()).toEqual(["13", "13", "256", "B"]);
});
