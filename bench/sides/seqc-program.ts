import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renderDiagnostic } from "../../src/base/render.ts";
import { createReport } from "../../src/base/report.ts";
import type { Program } from "../../src/build/program.ts";
import { loadModules, type Modules, type Source } from "../../src/check/modules.ts";
import { readRegime } from "../../src/check/regime.ts";
import { compileForward, compileStep, type Job } from "../../src/compile/program.ts";

const MODELS = join(import.meta.dirname, "..", "models");
const LIBRARY = join(import.meta.dirname, "..", "..", "models", "std");

/** A `train` in a file of bench/models. */
export interface Request {
  readonly file: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly train: string;
}

/** One training step, from the text on: nothing is kept between calls. */
export function stepProgram({ file, sizes, train }: Request): Program {
  return compiled(file, sizes, (job) => {
    const regime = trainOf(job.modules, train);
    return compileStep(job, readRegime(regime, job.report), new Set());
  });
}

/** The gradients of a train's objective by all weights. */
export function gradientProgram({ file, sizes, train }: Request): Program {
  return compiled(file, sizes, (job) => {
    const regime = readRegime(trainOf(job.modules, train), job.report);
    return compileForward(job, regime.model, { values: [], gradients: true }, regime);
  });
}

/** A model without a train, and the values of it that are wanted. */
export interface ValuesRequest {
  readonly file: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly model: string;
  /** Definitions that the model takes, by parameter: `Cell` is `GRU`. */
  readonly definitions?: Readonly<Record<string, string>>;
  readonly values: readonly string[];
}

export function valuesProgram({ file, sizes, model, definitions = {}, values }: ValuesRequest): Program {
  return compiled(file, sizes, (job) => {
    const definition = job.modules.entry.definitions.get(model);
    if (definition === undefined) throw new Error(`${file} has no model ${model}`);
    const { span } = definition.name;
    const reference = (name: string) => ({ kind: "reference", span, name, primed: false }) as const;
    const args = Object.entries(definitions).map(([name, value]) => ({
      span,
      name: { span, text: name },
      value: reference(value),
    }));
    const wants = { values: values.map((name) => ({ name, span })), gradients: false };
    return compileForward(job, { kind: "call", span, callee: reference(model), axes: [], args }, wants);
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
