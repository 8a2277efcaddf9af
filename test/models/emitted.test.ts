import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { pruned } from "../../src/compile/prune.ts";
import { emitStandalone } from "../../src/emit/standalone/emit.ts";
import { emitModule } from "../../src/emit/tfjs/emit.ts";
import { evaluateSize } from "../../src/ir/size.ts";
import { type ModelPrograms, modelPrograms } from "../../src/runtime/model-programs.ts";
import { encodeSafetensors } from "../../src/target/tfjs/support/safetensors.ts";
import { expressionOf, openJob, packageFile, renderFindings } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, type NamedArray, randomArrays } from "../support/feed.ts";
import { expectArray, readArray } from "../support/read.ts";
import { ON_TFJS, STANDALONE } from "../support/typescript.ts";
import { CURRENT, strictProblems } from "../target/emitted.ts";
import { isSmall, type Sketch, sketches } from "./sketches.ts";

/*
 * Every example model as modules, made small: those that carry WebAssembly give the interpreter's numbers, and all of them, with their
 * trainings and generations, pass TypeScript's strict checks.
 */

const folder = mkdtempSync(join(tmpdir(), "seqc-models-"));
symlinkSync(packageFile("node_modules"), join(folder, "node_modules"));
afterAll(() => rmSync(folder, { recursive: true }));

const files: string[] = [];
const examples = sketches().filter(({ example }) => example);
const standalone = await STANDALONE;
const tfjs = await ON_TFJS;

describe("modules of every example model", () => {
  for (const sketch of examples) {
    const { forward, ...programs } = compiled(sketch);
    const names = [...forward.results].flatMap(([name, role]) => (role.kind === "parameter" ? [name] : []));
    const steady = { ...programs, forward, train: programs.train.filter(({ changing }) => changing === undefined) };
    const base = sketch.name.replace(/\W+/g, "_");
    const { text } = emitStandalone(steady, standalone, { instructions: ["plain"] });
    const [file, onTfjs] = [join(folder, `${base}.ts`), join(folder, `${base}_tfjs.ts`)];
    writeFileSync(file, text);
    writeFileSync(onTfjs, emitModule(steady, tfjs)[0]?.text ?? "");
    files.push(file, onTfjs);
    if (!isSmall(forward, sketch.sizes) || names.length === 0) continue;
    test(sketch.name, async () => {
      // What reads nothing is run for one example.
      const sizes = readBy(steady).length === 0 ? { ...sketch.sizes, B: 1 } : sketch.sizes;
      const arrays = randomArrays(forward, sizes, { lengths: full(sketch), draw: sketch.setting.draw ?? {} });
      const expected = evaluate(forward.graph, feed(forward, arrays, { sizes, training: false, seed: 0 }));
      const module: Readonly<Record<string, unknown>> = await import(file);
      const model = await classOf(module, steady.model).load(weightsOf(steady, arrays));
      const outputs = await model.forward(inputsOf(steady, arrays));
      expect(Object.keys(outputs).length).toBe(names.length);
      for (const name of names) {
        const [emission = "", parameter = ""] = name.split(".");
        const found = outputs[parameter] ?? outputs[`${emission}_${parameter}`];
        if (found === undefined) throw new Error(`${name} is not among ${Object.keys(outputs).join(", ")}`);
        expectArray(name, found, readArray(forward, expected, name), { within: 1e-4 });
      }
      model.dispose();
    });
  }

  test("pass strict checks", { timeout: 120_000 }, () => {
    const [first = "", ...others] = files;
    // What tfjs declares is checked elsewhere (test/target/emit.test.ts).
    expect(strictProblems(first, CURRENT, [...others, "--skipLibCheck"])).toEqual([]);
  });
});

interface Loaded {
  forward(inputs: Readonly<Record<string, NamedArray>>): Promise<Readonly<Record<string, NamedArray>>>;
  dispose(): void;
}

function classOf(
  module: Readonly<Record<string, unknown>>,
  name: string,
): { load(bytes: Uint8Array): Promise<Loaded> } {
  const found = module[name];
  if (typeof found !== "function" || !hasLoad(found)) throw new Error(`the module exports no class ${name}`);
  return found;
}

function hasLoad(found: object): found is { load(bytes: Uint8Array): Promise<Loaded> } {
  return "load" in found;
}

function compiled({ text, file, model, parameters }: Sketch): ModelPrograms {
  const job = openJob(text, { file, sizes: parameters });
  const programs = modelPrograms(job.modules, expressionOf(model), job.sizes, job.report);
  if (programs === undefined) throw new Error(renderFindings(job));
  return programs;
}

/** All examples are as long as the longest. */
function full({ sizes }: Sketch): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, Array(sizes.B ?? 1).fill(size)]));
}

function weightsOf({ forward }: ModelPrograms, arrays: Readonly<Record<string, NamedArray>>): Uint8Array {
  return encodeSafetensors(
    new Map(
      forward.weights.map(({ name, shape }) => {
        const sizes = shape.map((size) => evaluateSize(size, forward.sizes) ?? Number.NaN);
        return [name, { shape: sizes, data: Float32Array.from(arrays[name]?.data ?? []) }];
      }),
    ),
  );
}

/** What the parameters are computed from: labels are not. */
function readBy({ forward }: ModelPrograms): readonly string[] {
  const { params } = pruned(forward, (name) => forward.results.get(name)?.kind === "parameter");
  return [...params.values()].flatMap((role) => (role.kind === "input" ? [role.name] : []));
}

function inputsOf(programs: ModelPrograms, arrays: Readonly<Record<string, NamedArray>>) {
  return Object.fromEntries(readBy(programs).map((name) => [name, arrays[name] ?? { shape: [], data: [] }]));
}
