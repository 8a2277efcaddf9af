import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { feedbackOf } from "../../src/build/feedback.ts";
import type { Program } from "../../src/build/program.ts";
import { gradients } from "../../src/grad/gradients.ts";
import { createBuilder } from "../../src/ir/builder.ts";
import { namedSize } from "../../src/ir/size.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as sums from "../../src/op/make_sum.ts";
import { tanh } from "../../src/op/map.ts";
import { scan } from "../../src/op/region.ts";
import { partOf } from "../../src/plan/part.ts";
import { createWasmRunner, type WasmRunner } from "../../src/runtime/wasm.ts";
import { createWasmTeam } from "../../src/runtime/wasm-team.ts";
import { chooseThreads } from "../../src/runtime/wasm-threads.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { compileWasm, type WasmProgram } from "../../src/target/wasm/compile.ts";
import { i32, trap, when } from "../../src/target/wasm/encode-code.ts";
import { createModule } from "../../src/target/wasm/encode-module.ts";
import { barrier, createThreads } from "../../src/target/wasm/threads.ts";
import { buildSketch, isSmall, sketches } from "../models/sketches.ts";
import { createChance } from "../support/chance.ts";
import { compileStepOf } from "../support/compile.ts";
import { type Feed, randomFeed } from "../support/feed.ts";
import { randomRecurrence, recurrenceShapes } from "../support/random_recurrence.ts";
import { randomTensor } from "../support/tensors.ts";
import { TAGGER } from "./tagger.ts";

/** All results after two runs on each feed, as bits: what is fed back is read by the second run. */
function resultsOf(runner: WasmRunner, { results }: WasmProgram, feeds: readonly Feed[]): readonly Int32Array[] {
  return feeds.flatMap(({ inputs, sizes }) => {
    runner.bind(sizes);
    for (const [id, { data }] of inputs) runner.write(id, Float64Array.from(data));
    runner.run();
    runner.run();
    return results.map(({ name }) => new Int32Array(runner.read(name).data.buffer));
  });
}

/** One thread's numbers are everyone's. */
async function expectSameBits(
  source: Pick<Program, "graph" | "sizes">,
  feeds: readonly Feed[],
  counts: readonly number[],
  feedback: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const program = compileWasm(source, feedback);
  const wanted = resultsOf(createWasmRunner(program), program, feeds);
  for (const threads of counts) {
    const runner = await createWasmTeam(program, threads);
    const found = resultsOf(runner, program, feeds);
    runner.dispose();
    wanted.forEach((bits, at) => {
      const name = program.results[at % program.results.length]?.name;
      const same = found[at]?.every((bit, index) => bit === bits[index]) && found[at].length === bits.length;
      expect(same, `${program.name}: ${name} on ${threads} threads`).toBe(true);
    });
  }
}

describe("any number of threads gives the same bits", () => {
  const models = sketches().flatMap((sketch) => {
    const { program } = buildSketch(sketch, false);
    return program === undefined || !isSmall(program, sketch.sizes) ? [] : [{ sketch, program, name: sketch.name }];
  });

  // Every second one, since starting threads takes a while.
  test.each(models.filter((_, index) => index % 2 === 0))("$name", async ({ sketch, program }) => {
    const sizes = { ...sketch.sizes, B: 7 };
    await expectSameBits(program, [randomFeed(program, sizes, sketch.setting)], [3]);
  });

  test.each([1, 3, 17, 129])("a training step of a cell of %d units", async (H) => {
    const program = compileStepOf(TAGGER, "fit", { sizes: { D: 5, H, C: 3 }, dense: H > 3 });
    const feeds = [
      { B: 1, T: 4 },
      { B: 9, T: 3 },
      { B: 2, T: 1 },
    ].map((sizes) => randomFeed(program, sizes, { spread: 0.3 }));
    await expectSameBits(program, feeds, [2, 5], feedbackOf(program));
  });

  test("random groups of equations", async () => {
    await fc.assert(
      fc.asyncProperty(recurrenceShapes(), async (shape) => {
        const { builder, graph, loss, wrt, inputs, sizes } = randomRecurrence(shape);
        const cotangents = gradients(builder, loss, wrt);
        const results = [...graph.results, ...cotangents.map((id, index) => ({ name: `d.${wrt[index]}`, id }))];
        const scheduled = schedule(builder.finish(results), sizes);
        if (!("graph" in scheduled)) throw new Error("does not schedule");
        await expectSameBits({ graph: scheduled.graph, sizes: new Map() }, [{ inputs, sizes }], [3]);
      }),
      { numRuns: 10, seed: 7 },
    );
  });
});

describe("how a program is divided", () => {
  const program = compileStepOf(TAGGER, "fit", { sizes: { D: 5, H: 8, C: 3 } });
  const { sharing } = compileWasm(program, feedbackOf(program)).threaded();

  test("a loop over time divides the batch: no step waits", () => {
    const waiting = [...(sharing?.barriers ?? [])].filter((action) => action.kind === "loop");
    expect(waiting.length).toBe(4);
    const inside = waiting.flatMap((action) => (action.kind === "loop" ? action.body : []));
    expect(inside.length).toBeGreaterThan(10);
    expect(inside.filter((action) => sharing?.barriers.has(action))).toEqual([]);
  });

  test("a step that joins its examples waits, and gives the same bits", async () => {
    const axis = (id: string): Axis => ({ id, size: namedSize(id) });
    const [B, H, T] = [axis("B"), axis("H"), axis("T")];
    const state: Type = { dtype: "float", axes: [B, H] };
    const step = createBuilder("step");
    const before = step.param("before", state);
    const sum = sums.sumOver(step, step.add(tanh, [before], {}), [B, H]);
    const body = step.finish([{ name: "after", id: make.add(step, before, sum) }]);
    const b = createBuilder("joined");
    const start = b.param("start", state);
    const attributes = { axis: T, reverse: false, consts: 0, carries: 1, xs: 0, body };
    const [last = ""] = b.addAll(scan, [start], attributes, ["last"]);
    const graph = b.finish([{ name: "last", id: last }]);
    const { sharing: divided } = compileWasm({ graph, sizes: new Map() }).threaded();
    const actions = [...(divided?.barriers ?? [])];
    expect(actions.filter(({ kind }) => kind === "loop").length).toBe(1);
    expect(actions.filter(({ kind }) => kind === "kernel").length).toBe(2);
    const sizes = new Map(Object.entries({ B: 9, H: 5, T: 20 }));
    const inputs = new Map([["start", randomTensor(createChance(3), state, sizes)]]);
    await expectSameBits({ graph, sizes: new Map() }, [{ inputs, sizes }], [2, 4]);
  });

  test("parts are without gaps, and of one cache line at least where that leaves enough", () => {
    for (const [count, unit] of [
      [7, 1],
      [64, 16],
      [1000, 16],
      [0, 1],
    ] as const) {
      const parts = Array.from({ length: 5 }, (_, thread) => ({
        first: partOf(count, unit, "first", thread, 5),
        count: partOf(count, unit, "count", thread, 5),
      }));
      let next = 0;
      for (const part of parts) {
        if (part.count > 0) expect(part.first).toBe(next);
        expect(part.first % unit === 0 || part.count === 0).toBe(true);
        next += part.count;
      }
      expect(next).toBe(count);
    }
  });

  test("small programs get one thread, large ones all that there are, a batch of one no more than it can use", () => {
    const portions = compileWasm(program, feedbackOf(program)).portions();
    const best = (B: number, T: number, cores: number): number =>
      chooseThreads(portions, new Map([...program.sizes, ["B", B], ["T", T]] as const), cores);
    expect(best(2, 3, 8)).toBe(1);
    expect(best(4096, 500, 2)).toBe(2);
    expect(best(4096, 500, 8)).toBe(8);
    expect(best(1, 40, 8)).toBe(1);
    const along = { along: namedSize("N"), waits: namedSize("none"), work: namedSize("work") };
    const sizes = new Map([...Object.entries({ N: 3, none: 0, work: 1e9 })]);
    expect(chooseThreads([along], sizes, 8)).toBe(3);
    expect(chooseThreads([{ ...along, along: undefined }], sizes, 8)).toBe(1);
  });
});

/** The program with a module in which every thread but the first fails at its first step. */
function failing(program: WasmProgram): WasmProgram {
  const threaded = program.threaded();
  if (threaded.sharing === undefined) throw new Error("no sharing");
  const module = createModule({ shared: true });
  const threads = createThreads(module, threaded.sharing);
  const prepare = module.function("prepare", [], "none");
  prepare.finish();
  const part = module.function("part", [], "none");
  const isOther = i32.ne(threads.thread, i32.const(0));
  part.finish(barrier(module, threads), when(isOther, [trap()]), barrier(module, threads));
  module.export("prepare", prepare.reference);
  module.export("run", part.reference);
  module.export("follow", part.reference);
  return { ...program, threaded: () => ({ ...threaded, module: module.finish() }) };
}

describe("threads that fail", () => {
  const program = compileStepOf(TAGGER, "fit", { sizes: { D: 5, H: 8, C: 3 } });
  const feed = randomFeed(program, { B: 4, T: 2 });

  test("end the run with an internal error, and every run after it", async () => {
    const runner = await createWasmTeam(failing(compileWasm(program)), 3);
    runner.bind(feed.sizes);
    expect(() => runner.run()).toThrow(/^internal: a thread of .* failed: unreachable$/);
    expect(() => runner.run()).toThrow(/^internal: a thread of .* failed: unreachable$/);
    runner.dispose();
  });

  test("a run behind the end is our fault", async () => {
    const runner = await createWasmTeam(compileWasm(program), 2);
    runner.bind(feed.sizes);
    runner.run();
    runner.dispose();
    expect(() => runner.run()).toThrow(/^internal: /);
  });
});

test("threads that nobody ends do not keep a process alive", async () => {
  const root = new URL("../../", import.meta.url);
  const script = `
    import { createBuilder } from "./src/ir/builder.ts";
    import { namedSize } from "./src/ir/size.ts";
    import * as make from "./src/op/make.ts";
    import { compileWasm } from "./src/target/wasm/compile.ts";
    import { createWasmTeam } from "./src/runtime/wasm-team.ts";
    const b = createBuilder("double");
    const x = b.param("x", { dtype: "float", axes: [{ id: "B", size: namedSize("B") }] });
    const graph = b.finish([{ name: "y", id: make.add(b, x, x) }]);
    const runner = await createWasmTeam(compileWasm({ graph, sizes: new Map() }), 3);
    runner.bind(new Map([["B", 40]]));
    runner.write("x", Array.from({ length: 40 }, (_, at) => at));
    runner.run();
    console.log(runner.read("y").data.join());`;
  const args = ["--input-type=module-typescript", "-e", script];
  // Followers must start whatever the process was started with.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 20_000 });
  expect(stdout.trim()).toBe(Array.from({ length: 40 }, (_, at) => 2 * at).join());
});
