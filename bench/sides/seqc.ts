import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renderDiagnostic } from "../../src/base/render.ts";
import { createReport } from "../../src/base/report.ts";
import type { Program } from "../../src/build/program.ts";
import { loadModules, type Modules, type Source } from "../../src/check/modules.ts";
import { readRegime } from "../../src/check/regime.ts";
import { compileForward, compileStep, type Job } from "../../src/compile/program.ts";
import type { Executor, HostArray, Prepared } from "../../src/runtime/executor.ts";
import { writeState } from "../../src/runtime/state.ts";
import { isTarget, TARGETS } from "../../src/runtime/targets.ts";
import { difference } from "../arrays.ts";
import type { Weights } from "../sequence.ts";
import type { Results, Side } from "../side.ts";

const MODELS = join(import.meta.dirname, "..", "models");
const LIBRARY = join(import.meta.dirname, "..", "..", "models", "std");

/** A training step of `train` in a file of bench/models, or a model's forward program; from the text on, nothing is kept between calls. */
export interface Request {
  readonly file: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly train: string;
}

/** The target under this name, if seqc has it. */
export async function startTarget(name: string): Promise<Executor | undefined> {
  return isTarget(name) ? TARGETS[name].start() : undefined;
}

export function hasTarget(name: string): boolean {
  return isTarget(name);
}

export function stepProgram({ file, sizes, train }: Request): Program {
  return compiled(file, sizes, (job) => {
    const regime = trainOf(job.modules, train);
    return compileStep(job, readRegime(regime, job.report), new Set());
  });
}

/** The model of a `train`, run forward; gradients are those of its objective. */
export function forwardProgram({ file, sizes, train }: Request, gradients: boolean): Program {
  return compiled(file, sizes, (job) => {
    const regime = readRegime(trainOf(job.modules, train), job.report);
    return compileForward(job, regime.model, { values: [], gradients }, gradients ? regime : undefined);
  });
}

/** Named values of a model that is no train's. */
export function valuesProgram(
  file: string,
  sizes: Readonly<Record<string, number>>,
  model: string,
  values: readonly string[],
): Program {
  return compiled(file, sizes, (job) => {
    const definition = job.modules.entry.definitions.get(model);
    if (definition === undefined) throw new Error(`${file} has no model ${model}`);
    const { span } = definition.name;
    const wants = { values: values.map((name) => ({ name, span })), gradients: false };
    return compileForward(job, { kind: "reference", span, name: model, primed: false }, wants);
  });
}

function compiled(
  file: string,
  sizes: Readonly<Record<string, number>>,
  compile: (job: Job) => Program | undefined,
): Program {
  const report = createReport();
  const modules = loadModules(source(MODELS, file), library(), () => undefined, report);
  const program = compile({ modules, sizes: new Map(Object.entries(sizes)), dense: true, report });
  if (program !== undefined && !report.hasErrors) return program;
  const texts = new Map([...modules.all].map(([name, module]) => [name, module.text]));
  throw new Error(report.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, texts)).join("\n"));
}

function trainOf(modules: Modules, name: string) {
  for (const declaration of modules.entry.tree.declarations)
    if (declaration.kind === "train" && declaration.name.text === name) return declaration;
  throw new Error(`${modules.entry.file} has no train ${name}`);
}

function library(): readonly Source[] {
  return readdirSync(LIBRARY).map((file) => source(LIBRARY, file));
}

function source(folder: string, file: string): Source {
  return { file, text: readFileSync(join(folder, file), "utf8") };
}

/** Values of a program's inputs, by their names in the model, the batch first. */
export type Inputs = Readonly<Record<string, HostArray>>;

/** A program with its weights in place, and what every run is given. */
export interface Loaded {
  readonly prepared: Prepared;
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly sizes: ReadonlyMap<string, number>;
}

/** `sizes` are those that inputs have: the batch `B` and times. */
export function load(
  executor: Executor,
  program: Program,
  weights: Weights,
  inputs: Inputs,
  sizes: Readonly<Record<string, number>>,
): Loaded {
  const all = new Map([...program.sizes, ...Object.entries(sizes)]);
  const prepared = executor.prepare(program);
  writeState(program, prepared, { weights, slots: new Map(), carries: new Map() }, all);
  return { prepared, inputs: paramValues(program, inputs), sizes: all };
}

function paramValues(program: Program, inputs: Inputs): ReadonlyMap<string, HostArray> {
  const values = new Map<string, HostArray>();
  for (const [id, role] of program.params) {
    const value = role.kind === "input" ? inputs[role.name] : MOMENT[role.kind];
    if (value !== undefined) values.set(id, value);
  }
  return values;
}

/** The clock of a training step; nothing here depends on it. */
const MOMENT: Readonly<Record<string, HostArray>> = Object.fromEntries(
  Object.entries({ step: 0, steps: 100, steps_per_epoch: 100, seed: 1, training: 1, fresh: 1 }).map(([kind, value]) => [
    kind,
    { shape: [], data: Float64Array.of(value) },
  ]),
);

/** A training step; it is checked by the loss, the gradients and what the step adds to every weight. */
export function trainingSide(
  executor: Executor,
  request: Request,
  weights: Weights,
  inputs: Inputs,
  sizes: Readonly<Record<string, number>>,
): Side {
  const program = stepProgram(request);
  const step = load(executor, program, weights, inputs, sizes);
  return {
    check: async () => {
      const results = new Map<string, Float32Array>();
      const gradients = load(executor, forwardProgram(request, true), weights, inputs, sizes);
      for (const [name, value] of await gradients.prepared.run(gradients.inputs, gradients.sizes))
        if (name.startsWith("gradient.")) results.set(name, Float32Array.from(value.data));
      gradients.prepared.dispose();
      const [loss] = (await step.prepared.run(step.inputs, step.sizes)).get("loss")?.data ?? [];
      results.set("loss", Float32Array.of(loss ?? Number.NaN));
      for (const [name, before] of weights) {
        const after = await step.prepared.kept(name);
        results.set(`update.${name}`, difference(Float32Array.from(after.data), before.data));
      }
      return results;
    },
    run: async () => {
      await step.prepared.run(step.inputs, step.sizes);
    },
    dispose: () => step.prepared.dispose(),
  };
}

/** One result of a program without state. */
export function valueSide(loaded: Loaded, result: string): Side {
  const run = async () => loaded.prepared.run(loaded.inputs, loaded.sizes);
  return {
    check: async (): Promise<Results> => {
      const value = (await run()).get(result);
      if (value === undefined) throw new Error(`the program has no result ${result}`);
      return new Map([["output", Float32Array.from(value.data)]]);
    },
    run: async () => {
      await run();
    },
    dispose: () => loaded.prepared.dispose(),
  };
}
