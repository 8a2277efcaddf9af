import type { Program } from "../../src/build/program.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import type { Executor, Results } from "../../src/runtime/executor.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { webgpuExecutor } from "../../src/runtime/webgpu-executor.ts";
import { programsOf, standaloneText } from "../models/modules.ts";
import { isSmall, type Sketch, sketches, stepsOf } from "../models/sketches.ts";
import { randomFeed, roleOf } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { CURRENT, moduleFolder, strictProblems } from "../target/emitted.ts";

/*
 * node test/webgpu/all-models.ts [PART OF A NAME]: every train block of every example model that is small enough, made small, for 50 steps on WebGPU and on
 * WebAssembly; the losses must agree within 1e-3. Then every one's module for WebGPU, trainings and all, has to pass TypeScript's strict
 * checks. Too long for the tests where a processor compiles the shaders: half an hour.
 */

const STEPS = 50;
const WITHIN = 1e-3;

/** Batches and seeds are each step's own, the state goes on. */
async function losses(program: Program, executor: Executor, { sizes, setting }: Sketch): Promise<readonly number[]> {
  const prepared = executor.prepare(program);
  const { queue } = prepared;
  const all: Results[] = [];
  for (let step = 0; step < STEPS; step++) {
    const feed = randomFeed(program, sizes, { ...setting, seed: 3, step });
    const given = new Map(feed.inputs);
    for (const param of program.graph.params) {
      const { kind } = roleOf(program, param);
      const value = feed.inputs.get(param.id);
      if (value === undefined) continue;
      if (kind === "seed") given.set(param.id, { ...value, data: Float64Array.of(100 + step) });
      if (kind !== "weight" && kind !== "slot" && kind !== "carry") continue;
      given.delete(param.id);
      if (step === 0) prepared.keep(param.id, value);
    }
    if (queue === undefined) all.push(await prepared.run(given, feed.sizes));
    else await queue.enqueue(given, feed.sizes);
  }
  all.push(...((await queue?.drain()) ?? []));
  prepared.dispose();
  return all.map((results) => results.get("loss")?.data[0] ?? Number.NaN);
}

/** The greatest distance, as a share of the loss. */
function distance(found: readonly number[], wanted: readonly number[]): number {
  const shares = wanted.map((loss, step) => Math.abs(loss - (found[step] ?? Number.NaN)) / Math.abs(loss));
  return shares.reduce((most, share) => (share <= most ? most : share), 0);
}

const [part = ""] = process.argv.slice(2);
const chosen = sketches().filter(({ example, name }) => example && name.includes(part));
const gpu = await testGpuDevice();
for (const sketch of chosen)
  for (const [name, step] of stepsOf(sketch)) {
    if (!isSmall(step, sketch.sizes)) continue;
    const program = optimizeProgram(step, { off: PRODUCT_PASSES });
    const wanted = await losses(program, wasmExecutor(), sketch);
    const worst = distance(await losses(program, webgpuExecutor(gpu), sketch), wanted);
    if (!(worst <= WITHIN)) process.exitCode = 1;
    console.log(`${worst <= WITHIN ? "same" : "DIFFERS"}  ${worst.toExponential(1)}  ${sketch.name} ${name}`);
  }
gpu.device.destroy();

const { write, dispose } = moduleFolder();
const texts = await Promise.all(chosen.map((sketch) => standaloneText(programsOf(sketch), "webgpu")));
const problems = strictProblems(
  texts.map((text, at) => write(`module${at}.ts`, text)),
  CURRENT,
  ["--skipLibCheck"],
);
dispose();
if (problems.length > 0) process.exitCode = 1;
console.log([`${texts.length} modules, ${problems.length} problems`, ...problems].join("\n"));
