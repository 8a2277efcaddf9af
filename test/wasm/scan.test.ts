import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/grad/gradients.ts";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { constantSize, namedSize } from "../../src/ir/size.ts";
import { elementCount, shapeOf, type Tensor } from "../../src/ir/tensor.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import { tanh } from "../../src/op/map.ts";
import { scan } from "../../src/op/region.ts";
import { optimize } from "../../src/pass/run.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { compileWasm } from "../../src/target/wasm/compile.ts";
import { createChance } from "../support/chance.ts";
import { randomRecurrence, recurrenceShapes } from "../support/random_recurrence.ts";
import { buildRecurrence } from "../support/recurrence.ts";
import { RECURRENCES } from "../support/recurrences.ts";
import { randomTensor } from "../support/tensors.ts";
import { type Case, expectAllSame, expectResults, PLAIN, RELAXED, runBound, SHORT, variantsOf } from "./compare.ts";

function scheduledGraph(equations: Graph, sizes: ReadonlyMap<string, number>): Graph {
  const scheduled = schedule(equations, sizes);
  if (!("graph" in scheduled)) throw new Error("does not schedule");
  return scheduled.graph;
}

/** As it is scheduled, all sizes open or the features known, and as the passes leave it. */
function checkAll({ graph, inputs, sizes }: Case, tolerance: number): void {
  const features = new Map([...sizes].filter(([name]) => !["B", "T", "I", "J"].includes(name)));
  const optimized = optimize(graph, { sizes: features, off: new Set() });
  expectAllSame({ graph, inputs, sizes }, tolerance, [
    ["open", graph, new Map(), SHORT],
    ["known", graph, features, PLAIN],
    ["optimized", optimized, features, RELAXED],
    ["optimized", optimized, features, SHORT],
  ]);
}

function withGradients(recurrence: (typeof RECURRENCES)[number]): Case {
  const { builder, outputs, loss, wrt, inputs } = buildRecurrence(recurrence);
  const cotangents = gradients(builder, loss, wrt);
  const results = [
    ...Object.entries(outputs).map(([name, id]) => ({ name, id })),
    ...cotangents.map((id, index) => ({ name: `d.${wrt[index]}`, id })),
  ];
  const { sizes } = recurrence;
  return { graph: scheduledGraph(builder.finish(results), sizes), inputs: rounded(inputs), sizes };
}

/** As they arrive in memory. */
function rounded(inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map([...inputs].map(([id, tensor]) => [id, { ...tensor, data: tensor.data.map(Math.fround) }]));
}

describe("recurrences and their gradients give the interpreter's numbers", () => {
  test.each(RECURRENCES)("$name", (recurrence) => checkAll(withGradients(recurrence), 1e-4));

  test("random groups of equations", () => {
    fc.assert(
      fc.property(recurrenceShapes(), (shape) => {
        const { builder, graph, loss, wrt, inputs, sizes } = randomRecurrence(shape);
        const cotangents = gradients(builder, loss, wrt);
        const results = [...graph.results, ...cotangents.map((id, index) => ({ name: `d.${wrt[index]}`, id }))];
        checkAll({ graph: scheduledGraph(builder.finish(results), sizes), inputs: rounded(inputs), sizes }, 2e-4);
      }),
      { numRuns: 25, seed: 5 },
    );
  });
});

describe("one module serves every batch size and length", () => {
  const B = { id: "B", size: namedSize("B") };
  const T = { id: "T", size: namedSize("T") };
  const H = { id: "H", size: constantSize(19) };
  const G = { id: "G", size: constantSize(19) };
  const type = (...axes: readonly Axis[]): Type => ({ dtype: "float", axes });

  /** h' = tanh(W h + x), and what it was before. */
  function walk(b: Builder, x: string, reverse: boolean): readonly string[] {
    const inner = createBuilder(`step_${reverse}`);
    const [W, h, entry] = [
      inner.param("W.in", type(H, G)),
      inner.param("h", type(B, H)),
      inner.param("x.in", type(B, H)),
    ];
    const product = sums.contract(inner, W, moves.rename(inner, h, ["H"], [G]), [G]);
    const next = make.map(inner, tanh, make.add(inner, product, entry));
    const body = inner.finish([next, next, h].map((id, index) => ({ name: `r${index}`, id })));
    const start = make.full(b, 0.25, type(B, H));
    const attributes = { axis: T, reverse, consts: 1, carries: 1, xs: 1, body };
    return b.addAll(scan, [b.param(`W${reverse}`, type(H, G)), start, x], attributes, ["last", "all", "before"]);
  }

  const builder = createBuilder("both_ways");
  const x = builder.param("x", type(B, T, H));
  const ends = [...walk(builder, x, false), ...walk(builder, x, true)];
  const total = sums.sumOver(builder, make.add(builder, ends[1] ?? "", ends[4] ?? ""), [T, B]);
  const graph = builder.finish([...ends, total].map((id, index) => ({ name: `r${index}`, id })));

  test("twenty bindings, without compiling anew and without more memory while it runs", () => {
    for (const [variant, program] of variantsOf(graph)) {
      const runner = createWasmRunner(program);
      for (const length of [0, 1, 2, 5, 31])
        for (const batch of [1, 3, 4, 17]) {
          const bound = new Map([
            ["B", batch],
            ["T", length],
          ]);
          const chance = createChance(batch + 100 * length);
          const drawn = graph.params.map(
            (param) => [param.id, randomTensor(chance, param.type, bound, -0.5, 0.5)] as const,
          );
          const inputs = rounded(new Map(drawn));
          const layout = runner.bind(bound);
          const before = runner.bytes();
          for (let run = 0; run < 2; run++) runBound(runner, { inputs });
          expectResults(runner, interpret(graph, inputs, bound), 1e-4, `${variant} B=${batch} T=${length}`);
          expect(runner.bytes()).toBe(before);
          expect(before).toBeGreaterThanOrEqual(layout.bytes);
        }
    }
  });

  test("weights stay when sizes change, and what is missing is said", () => {
    const runner = createWasmRunner(compileWasm({ graph, sizes: new Map() }));
    expect(() => runner.run()).toThrow("both_ways: bind sizes before");
    expect(() => runner.bind(new Map([["B", 2]]))).toThrow("the size T is not known: bind its names");
    runner.bind(
      new Map([
        ["B", 2],
        ["T", 3],
      ]),
    );
    runner.write("Wfalse", new Float32Array(361).fill(0.5));
    runner.bind(
      new Map([
        ["B", 20],
        ["T", 30],
      ]),
    );
    expect([...runner.readParam("Wfalse").data]).toEqual(new Array(361).fill(0.5));
    expect(() => runner.write("x", [1])).toThrow("both_ways: %x has 11400 numbers (20 x 30 x 19), 1 are given");
    expect(() => runner.read("nothing")).toThrow("both_ways has no result nothing");
  });
});

describe("what a param takes back", () => {
  /** Whatever a result is fed back to, running twice is running the interpreter twice. */
  test("is its value for the next run, whether it can be written over it or not", () => {
    for (const recurrence of RECURRENCES.slice(0, 6)) {
      const { graph, inputs, sizes } = withGradients(recurrence);
      const feedback = new Map(
        graph.results.filter(({ name }) => name.startsWith("d.")).map(({ name }) => [name, name.slice(2)]),
      );
      const program = compileWasm({ graph, sizes: new Map() }, feedback);
      const runner = createWasmRunner(program);
      runner.bind(sizes);
      runBound(runner, { inputs });
      const first = interpret(graph, inputs, sizes);
      expectResults(runner, first, 1e-4, `${recurrence.name}, first run`);
      for (const [result, param] of feedback) {
        const type = graph.params.find(({ id }) => id === param)?.type;
        const { data, shape } = runner.readParam(param);
        expect(shape).toEqual(type === undefined ? [] : shapeOf(type.axes, sizes));
        expect(data.length).toBe(elementCount(shape));
        expect(Array.from(data)).toEqual(Array.from(reordered(runner.read(result), graph, result, param)));
      }
    }
  });
});

/** A result's numbers in the order of a param's axes. */
function reordered(
  value: { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
  graph: Graph,
  result: string,
  param: string,
): ArrayLike<number> {
  const id = graph.results.find(({ name }) => name === result)?.id;
  const values = [...graph.params, ...graph.nodes.flatMap((node) => node.outputs)];
  const axes = (wanted: string | undefined): readonly string[] =>
    values.find((each) => each.id === wanted)?.type.axes.map((axis) => axis.id) ?? [];
  const [own, target] = [axes(id), axes(param)];
  const order = target.map((axis) => own.indexOf(axis));
  const shape = order.map((axis) => value.shape[axis] ?? 1);
  return Float32Array.from({ length: value.data.length }, (_, index) => {
    let rest = index;
    const position = shape
      .toReversed()
      .map((size) => {
        const at = rest % size;
        rest = Math.floor(rest / size);
        return at;
      })
      .reverse();
    const place = own.reduce((sum, _axis, at) => sum * (value.shape[at] ?? 1) + (position[order.indexOf(at)] ?? 0), 0);
    return value.data[place] ?? 0;
  });
}
