import type { Program } from "../../src/build/program.ts";
import type { Executor, Results } from "../../src/runtime/executor.ts";
import { startWasm } from "../../src/runtime/start-wasm.ts";
import { startWebGpu } from "../../src/runtime/start-webgpu.ts";
import { TARGETS } from "../../src/runtime/targets.ts";
import { randomFeed, roleOf } from "../support/feed.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { CURRENT, moduleFolder, strictProblems } from "../target/emitted.ts";
import { programsOf, standaloneText } from "./modules.ts";
import { isSmall, type Sketch, sketches, stepsOf } from "./sketches.ts";

/*
 * node test/models/all-steps.ts webgpu|tfjs [PART OF A NAME]: every train block of every example model that is small enough, made small, for 50 steps on that
 * target and on WebAssembly; the losses must agree within 1e-3. On WebGPU, every model's module has to pass TypeScript's strict checks then. Too long for the
 * tests: half an hour where a processor compiles shaders.
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

/** The greatest distance, as a share of the loss. A training that leaves float32 counts until then. */
function distance(found: readonly number[], wanted: readonly number[]): number {
  const end = wanted.findIndex((loss) => !Number.isFinite(loss));
  const shares = wanted
    .slice(0, end < 0 ? undefined : end)
    .map((loss, step) => Math.abs(loss - (found[step] ?? Number.NaN)) / Math.abs(loss));
  return shares.reduce((most, share) => (share <= most ? most : share), 0);
}

const OTHERS = {
  webgpu: async () => startWebGpu(await testGpuDevice()),
  tfjs: () => TARGETS["tfjs-wasm"].start(),
} satisfies Readonly<Record<string, () => Promise<Executor>>>;

const [target = "", part = ""] = process.argv.slice(2);
if (target !== "webgpu" && target !== "tfjs") throw new Error(`name a target: ${Object.keys(OTHERS).join(" or ")}`);
const chosen = sketches().filter(({ example, name }) => example && name.includes(part));
const [other, wasm] = [await OTHERS[target](), await startWasm()];
for (const sketch of chosen)
  for (const [name, step] of stepsOf(sketch)) {
    if (!isSmall(step, sketch.sizes)) continue;
    const worst = distance(await losses(step, other, sketch), await losses(step, wasm, sketch));
    if (!(worst <= WITHIN)) process.exitCode = 1;
    console.log(`${worst <= WITHIN ? "same" : "DIFFERS"}  ${worst.toExponential(1)}  ${sketch.name} ${name}`);
  }

if (target === "webgpu") await checkModules();
// A device keeps the process alive.
process.exit();

/** Modules for the other targets are checked by the tests. */
async function checkModules(): Promise<void> {
  const { write, dispose } = moduleFolder();
  const texts = await Promise.all(chosen.map((sketch) => standaloneText(programsOf(sketch), "webgpu")));
  const files = texts.map((text, at) => write(`module${at}.ts`, text));
  const problems = strictProblems(files, CURRENT, ["--skipLibCheck"]);
  dispose();
  if (problems.length > 0) process.exitCode = 1;
  console.log([`${texts.length} modules, ${problems.length} problems`, ...problems].join("\n"));
}
