import { describe, expect, test } from "vitest";
import { feedbackOf } from "../../src/build/feedback.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { compileTogether, compileWasm } from "../../src/target/wasm/compile.ts";
import { compileStepOf } from "../support/compile.ts";
import { evaluate, webAssembly } from "../support/execute.ts";
import { randomFeed } from "../support/feed.ts";
import { expectNumbers, variantsOf } from "./compare.ts";
import { TAGGER } from "./tagger.ts";

const BINDINGS = [
  { B: 1, T: 1 },
  { B: 1, T: 5 },
  { B: 3, T: 2 },
  { B: 9, T: 3 },
];

describe("a whole training step at odd sizes", () => {
  for (const H of [1, 3, 17, 129]) {
    test(`${H} units`, async () => {
      const program = compileStepOf(TAGGER, "fit", { sizes: { D: 5, H, C: 3 }, dense: true });
      for (const relaxed of [true, false]) {
        const run = webAssembly(program.sizes, relaxed)(program.graph);
        for (const sizes of H === 129 ? BINDINGS.slice(0, 3) : BINDINGS) {
          const feed = randomFeed(program, sizes, { spread: 0.3 });
          const wanted = evaluate(program.graph, feed);
          const found = await run(feed.inputs, feed.sizes);
          for (const [name, { data }] of wanted)
            expectNumbers(found.get(name)?.data ?? [], data, 2e-4, `${name} ${JSON.stringify(sizes)}`);
        }
      }
    });
  }
});

describe("a module", () => {
  const program = compileStepOf(TAGGER, "fit", { sizes: { D: 5, H: 8, C: 3 } });

  test("calls nothing outside of itself: what it imports is its memory", () => {
    for (const [, variant] of variantsOf(program.graph, program.sizes, feedbackOf(program))) {
      const module = new WebAssembly.Module(variant.module);
      expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
      expect(WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`)).toEqual([
        "function prepare",
        "function run",
      ]);
    }
  });

  test("shares its code with other programs in it", () => {
    const step = { source: program, feedback: feedbackOf(program) };
    const lengths = [[step], [step, step]].map((parts) => compileTogether(parts, { names: false })[0]?.module.length);
    const [alone = 0, twice = 0] = lengths;
    expect(twice).toBeGreaterThan(alone);
    expect(twice - alone).toBeLessThan(alone / 3);
  });

  test("has one update for weights of every shape", () => {
    const length = (shapes: readonly string[]): number => {
      const params = shapes.map((shape, at) => `param w${at}: [${shape}]`).join("\n");
      const sums = shapes.map((shape, at) => `sum[${shape}](w${at}**2)`).join(" + ");
      const text = `model Sums { in x: [2]\n${params}\nloss = sum(x) + ${sums} }
      train fit of Sums { data x = csv("rows.csv") minimize loss optim adam(0.01) for 10 steps }`;
      const made = compileStepOf(text, "fit", { sizes: {} });
      return compileWasm(made, feedbackOf(made), { names: false }).module.length;
    };
    const lengths = [["3"], ["3", "4, 5", "7"], ["3", "4, 5", "7", "2, 3, 3", "11"]].map(length);
    const [one = 0, three = 0, five = 0] = lengths;
    expect((five - three) / 2).toBeLessThan(one / 4);
  });

  test("is the same bytes when it is compiled again", () => {
    const [one, other] = [0, 1].map(() => compileWasm(program, feedbackOf(program)));
    expect(one?.module).toEqual(other?.module);
  });
});

const SUM = `
cell Sum { state s: [] in x: [] param w: [] s' = s + w * x out s' }
model Total {
  time T
  in  x: [T]
  use sum = Sum()
  emit y: [T] ~ normal(scan sum over x, 1)
}
train fit of Total { data x, y = csv("rows.csv") minimize nll(y) optim sgd(1) for 1 steps }`;

describe("the ends of memory", () => {
  test("65,536 steps of training give the right numbers", async () => {
    const program = compileStepOf(SUM, "fit", { dense: true });
    const T = 65_536;
    const prepared = wasmExecutor().prepare(program);
    const { inputs, sizes } = randomFeed(program, { B: 1, T }, { draw: { x: () => 1 / T, y: () => 0 } });
    const w = Math.fround(inputs.get("sum.w")?.data[0] ?? Number.NaN);
    const loss = (await prepared.run(inputs, sizes)).get("loss")?.data[0];
    // s after t steps is w·t/T, and the loss the mean of ½(s² + log 2π).
    const squares = ((T + 1) * (2 * T + 1)) / (6 * T * T);
    expect(loss).toBeCloseTo((w * w * squares + Math.log(2 * Math.PI)) / 2, 5);
    const after = await prepared.kept("sum.w");
    expect(after.data[0]).toBeCloseTo(w - w * squares, 4);
  });

  test("more than there is is an error, and weights stay", () => {
    const program = compileStepOf(TAGGER, "fit", { sizes: { D: 5, H: 8, C: 3 } });
    const runner = createWasmRunner(compileWasm(program, feedbackOf(program)));
    const { inputs, sizes } = randomFeed(program, { B: 2, T: 3 });
    const start = (): void => {
      runner.bind(sizes);
      for (const [id, { data }] of inputs) runner.write(id, data);
    };
    start();
    runner.run();
    const weights = program.graph.params.filter(({ id }) => program.params.get(id)?.kind === "weight");
    const before = weights.map(({ id }) => runner.readParam(id).data);
    const large = new Map([...sizes, ["B", 4000], ["T", 40_000]] as const);
    expect(() => runner.bind(large)).toThrow(
      /needs \d+\.\d\d GiB of memory for .*B = 4000.*; WebAssembly has 4 GiB at most\n {2}hint: smaller batches or shorter sequences take less/,
    );
    expect(weights.map(({ id }) => runner.readParam(id).data)).toEqual(before);
    runner.run();
    const next = weights.map(({ id }) => runner.readParam(id).data);
    expect(next).not.toEqual(before);
    start();
    runner.run();
    runner.run();
    expect(weights.map(({ id }) => runner.readParam(id).data)).toEqual(next);
  });
});
