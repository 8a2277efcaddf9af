import { readdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { renderDiagnostic } from "../../src/base/render.ts";
import { createReport } from "../../src/base/report.ts";
import { forwardProgram } from "../../src/build/forward.ts";
import { regimeLoss } from "../../src/build/objective.ts";
import type { Program, ResultRole } from "../../src/build/program.ts";
import type { Reports } from "../../src/build/reports.ts";
import { loadModules, type Modules, type Source } from "../../src/check/modules.ts";
import { type Regime, readRegime } from "../../src/check/regime.ts";
import { compileGeneration, type Generation } from "../../src/compile/decoder.ts";
import { compileDefinition } from "../../src/compile/definition.ts";
import {
  compileReports,
  compileStep,
  emissionLoss,
  type Job,
  modelRequest,
  openForLoss,
  scheduled,
} from "../../src/compile/program.ts";
import { differentiate } from "../../src/grad/differentiate.ts";
import type { Expression, Generate, Train } from "../../src/syntax/tree.ts";
import { LIBRARY } from "./library.ts";

export interface CompileOptions {
  /** Sizes that data or options would give. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** All examples of a batch are as long as the longest. */
  readonly dense?: boolean;
  /** Emissions that some rows lack. */
  readonly absent?: readonly string[];
  /** Where relative imports start; the name in diagnostics. */
  readonly file?: string;
}

export interface ForwardOptions extends CompileOptions {
  /** The model, `Adding(Cell: GRU)`; the file's only one where it is not said. */
  readonly model?: string;
  /** Whose objectives are the loss; the sum of all emissions' nll where it is not said. */
  readonly regime?: string;
  /** Named values that become results `value.name`. */
  readonly values?: readonly string[];
  /** Whether the gradient of every weight is a result `gradient.name`. */
  readonly gradients?: boolean;
  /** Inputs by which the loss is differentiated, each a result `gradient.name`. */
  readonly wrt?: readonly string[];
}

/** A file that has a declaration, and nothing of its own. */
const EMPTY = "layer nothing { in x: [] out x }";

/** A file of this package, by its path from the package's root. */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

export function readSource(path: string): Source {
  return { file: packageFile(path), text: readFileSync(packageFile(path), "utf8") };
}

/** The `.seq` files of a folder, by name. */
export function seqFiles(folder: string): readonly string[] {
  return readdirSync(packageFile(folder))
    .filter((name) => name.endsWith(".seq"))
    .sort();
}

/** A file with the library and what it imports, ready to be compiled; mistakes are collected, not thrown. */
export function openJob(text: string, options: CompileOptions = {}): Job {
  const report = createReport();
  const entry = { file: options.file ?? "model.seq", text };
  const modules = loadModules(entry, LIBRARY, readBeside, report);
  const sizes = new Map(Object.entries(options.sizes ?? {}));
  return { modules, sizes, dense: options.dense ?? false, absent: new Set(options.absent), report };
}

function readBeside(path: string, from: string): Source | undefined {
  const file = resolve(dirname(from), path);
  try {
    return { file, text: readFileSync(file, "utf8") };
  } catch {
    return undefined;
  }
}

/** A model run forward. Throws the diagnostics where the text has mistakes, as do the functions below. */
export function compileText(text: string, options: ForwardOptions = {}): Program {
  return compiled(openJob(text, options), (job) => forwardOf(job, options));
}

/** The same for a job whose mistakes the caller wants to see. */
export function forwardOf(job: Job, options: ForwardOptions): Program | undefined {
  const draft = draftOf(job, options);
  return draft === undefined ? undefined : scheduled(draft, job.report);
}

/** The same before scheduling: its graph is an equation graph, recurrences and all. */
export function draftOf(job: Job, options: ForwardOptions): Program | undefined {
  const { model: name, regime: regimeName, values = [], gradients = false, wrt = [] } = options;
  const regime = regimeName === undefined ? undefined : readRegime(trainNamed(job.modules, regimeName), job.report);
  const model = regime?.model ?? expressionOf(name ?? onlyModel(job.modules));
  const request = modelRequest(job, model);
  if (request === undefined) return undefined;
  const opened = openForLoss(request);
  const loss = regime === undefined ? emissionLoss(opened) : regimeLoss(opened, regime)?.loss;
  const wanted = values.map((value) => ({ name: value, span: model.span }));
  const draft = forwardProgram(opened, { values: wanted, loss, gradients });
  if (draft === undefined || job.report.hasErrors) return undefined;
  return wrt.length > 0 ? withGradients(draft, wrt) : draft;
}

/** Adds the loss's gradients by some params of a graph that is not scheduled yet. */
function withGradients(draft: Program, wrt: readonly string[]): Program {
  const loss = draft.graph.results.find((result) => result.name === "loss");
  if (loss === undefined) throw new Error("there is no loss to differentiate");
  const graph = differentiate(draft.graph, loss.id, wrt);
  const results = new Map<string, ResultRole>(draft.results);
  for (const name of wrt) results.set(`gradient.${name}`, { kind: "gradient", weight: name });
  const named = graph.results.map(({ name, id }) => ({ name: name.replace(/^d\./, "gradient."), id }));
  return { ...draft, graph: { ...graph, results: named }, results };
}

/** A training step of a regime. */
export function compileStepOf(
  text: string,
  regimeName: string,
  options: CompileOptions & { readonly frozen?: readonly string[] } = {},
): Program {
  return compiled(openJob(text, options), (job) => stepOf(job, regimeName, options.frozen));
}

/** The same for a job whose mistakes the caller wants to see. */
export function stepOf(job: Job, regimeName: string, frozen: readonly string[] = []): Program | undefined {
  return compileStep(job, regimeOf(job, regimeName), new Set(frozen));
}

export function compileReportsOf(text: string, regimeName: string, options: CompileOptions = {}): Reports {
  return compiled(openJob(text, options), (job) => reportsOf(job, regimeName));
}

/** The same for a job whose mistakes the caller wants to see. */
export function reportsOf(job: Job, regimeName: string): Reports | undefined {
  return compileReports(job, regimeOf(job, regimeName));
}

/** The decoder of a `generate` block. */
export function compileGenerationOf(text: string, name: string, options: CompileOptions = {}): Generation {
  return compiled(openJob(text, options), (job) => compileGeneration(job, generateNamed(job.modules, name)));
}

/** A cell, layer or distribution by itself, `LSTM` or `MLP([D, 3, Z])`. */
export function compileDefinitionOf(expression: string, options: CompileOptions = {}, text = EMPTY): Program {
  return compiled(openJob(text, options), (job) => compileDefinition(job, expressionOf(expression)));
}

function regimeOf(job: Job, name: string): Regime {
  return readRegime(trainNamed(job.modules, name), job.report);
}

function trainNamed(modules: Modules, name: string): Train {
  for (const declaration of modules.entry.tree.declarations) {
    if (declaration.kind === "train" && declaration.name.text === name) return declaration;
  }
  throw new Error(`there is no train ${name}`);
}

function generateNamed(modules: Modules, name: string): Generate {
  for (const declaration of modules.entry.tree.declarations) {
    if (declaration.kind === "generate" && declaration.name.text === name) return declaration;
  }
  throw new Error(`there is no generate ${name}`);
}

function onlyModel(modules: Modules): string {
  const models = [...modules.entry.definitions.values()].filter((one) => one.definitionKind === "model");
  const [first] = models;
  if (first === undefined || models.length > 1) throw new Error(`the file has ${models.length} models: say which`);
  return first.name.text;
}

/** An expression of the language, as `expect` takes it. */
export function expressionOf(text: string): Expression {
  const { entry } = openModules(`expect gradcheck(${text})`);
  const [declaration] = entry.tree.declarations;
  const call = declaration?.kind === "expect" ? declaration.value : undefined;
  const argument = call?.kind === "call" ? call.args[0] : undefined;
  if (argument === undefined) throw new Error(`${text} is no expression`);
  return argument.value;
}

function openModules(text: string): Modules {
  return loadModules({ file: "expression.seq", text }, [], () => undefined, createReport());
}

function compiled<T>(job: Job, compile: (job: Job) => T | undefined): T {
  const made = compile(job);
  if (made !== undefined && !job.report.hasErrors) return made;
  throw new Error(`does not compile:\n${renderFindings(job)}`);
}

/** The findings of a job as the user sees them. */
export function renderFindings({ report, modules }: Job): string {
  const sources = new Map([...modules.all].map(([file, module]) => [file, module.text]));
  return report.diagnostics.map((found) => renderDiagnostic(found, sources)).join("\n");
}
