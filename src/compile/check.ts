import type { Diagnostic, Report } from "../base/diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import { createReport } from "../base/report.ts";
import { type Choice, decoder } from "../build/decode.ts";
import { distributionParameters, openEmission } from "../build/emission.ts";
import { demand } from "../build/equation.ts";
import { demandAll, inputSpecs, type ModelRequest, type OpenModel } from "../build/model.ts";
import { regimeLoss } from "../build/objective.ts";
import { needsArgument, openDefinition } from "../build/standalone.ts";
import { trainingStep } from "../build/training.ts";
import type { Meaning } from "../build/value.ts";
import { checkDataClause } from "../check/check-data.ts";
import { checkExpect } from "../check/expects.ts";
import type { Modules } from "../check/modules.ts";
import { type Regime, readRegime } from "../check/regime.ts";
import type { Result } from "../ir/graph.ts";
import { schedule } from "../schedule/schedule.ts";
import type { Declaration, Definition, EmitItem, Expression } from "../syntax/tree.ts";
import { compileGeneration } from "./decoder.ts";
import { reportProblems } from "./problems.ts";
import { compileReports, emissionLoss, type Job, modelRequest, openForLoss, scheduled } from "./program.ts";

/** Finds the mistakes of a file: all definitions, models, regimes, generations and expectations. Nothing is run, no data read. */
export function checkModules(modules: Modules, report: Report): void {
  const job: Job = { modules, sizes: new Map(), dense: false, report };
  checkNames(modules.entry.tree.declarations, report);
  for (const definition of modules.entry.definitions.values()) {
    if (definition.definitionKind === "model") checkModel(job, definition);
    else checkDefinition(job, definition);
  }
  for (const declaration of modules.entry.tree.declarations) {
    if (declaration.kind === "train") checkRegime(job, readRegime(declaration, report));
    if (declaration.kind === "generate") compileGeneration({ ...job, report: later(job) }, declaration);
    if (declaration.kind === "expect") checkExpect(modules, declaration, report);
  }
}

/** Findings in a model that has mistakes of its own would only repeat them. */
function later(job: Job): Report {
  return job.report.hasErrors ? createReport() : job.report;
}

function checkNames(declarations: readonly Declaration[], report: Report): void {
  for (const kind of ["train", "generate"] as const) {
    const seen = new Map<string, Declaration>();
    for (const declaration of declarations) {
      if (declaration.kind !== kind) continue;
      const before = seen.get(declaration.name.text);
      seen.set(declaration.name.text, before ?? declaration);
      if (before === undefined) continue;
      report.add(
        "duplicate-name",
        declaration.name.span,
        `there are two ${kind} blocks named ${declaration.name.text}`,
        {
          related: [{ span: before.span, message: "first here" }],
          hint: "give one of them another name",
        },
      );
    }
  }
}

function requestFor(job: Job, definition: Definition): ModelRequest {
  const { modules, sizes, dense, report } = job;
  const { file } = modules.entry;
  return { modules, file, definition, parameters: undefined, parametersFile: file, sizes, dense, report };
}

/** Cells, layers and distributions are checked with their sizes as names; those that take definitions or lists, where they are used. */
function checkDefinition(job: Job, definition: Definition): void {
  if (needsArgument(definition)) return;
  const own: Job = { ...job, report: createReport() };
  const opened = openDefinition(requestFor(own, definition));
  const open = definition.parameters.some((parameter) => parameter.default === undefined);
  const known = own.report.diagnostics.filter(({ code }) => !(open && code === "unknown-size"));
  repeat(known, job.report);
  if (opened === undefined || own.report.hasErrors) return;
  const results = opened.outs.map((out, place) => ({ name: `out.${place}`, id: out.id }));
  scheduleResults(job, opened.session.builder.finish(results));
}

function repeat(findings: readonly Diagnostic[], report: Report): void {
  for (const { code, span, message, ...more } of findings) report.add(code, span, message, more);
}

function scheduleResults(job: Job, graph: Parameters<typeof schedule>[0], sizes = job.sizes): boolean {
  const found = schedule(graph, sizes);
  if ("graph" in found) return true;
  reportProblems(found.problems, job.report);
  return false;
}

function checkModel(job: Job, definition: Definition): void {
  const own: Job = { ...job, report: createReport() };
  const request = requestFor(own, definition);
  const missing =
    definition.parameters.some((parameter) => parameter.default === undefined) && needsArgument(definition);
  if (missing) return;
  const model = openForLoss(request);
  demandAll(model);
  for (const item of model.emissions) {
    const emission = openEmission(model, item);
    if (emission !== undefined) distributionParameters(emission);
  }
  const loss = own.report.hasErrors ? undefined : emissionLoss(model);
  if (
    !own.report.hasErrors &&
    scheduleResults(own, model.session.builder.finish(everything(model, loss)), model.session.sizes)
  ) {
    checkAnswers(own, definition, model);
  }
  repeat(own.report.diagnostics, job.report);
}

/** Every named value is a result, so that every recurrence is put in order. */
function everything(model: OpenModel, loss: string | undefined): readonly Result[] {
  const results: Result[] = loss === undefined ? [] : [{ name: "loss", id: loss }];
  for (const [name, slot] of model.frame.names) {
    if (slot.kind !== "equation") continue;
    for (const id of tensorIds(demand(model.session, slot))) results.push({ name: `${name}.${results.length}`, id });
  }
  return results;
}

function tensorIds(meaning: Meaning): readonly string[] {
  if (meaning.kind === "tensor") return [meaning.id];
  return meaning.kind === "record" ? [...meaning.fields.values()].map((field) => field.id) : [];
}

/** An indexed emission sees its own answer iff the decoder, in which it is its own choice, has no order (lowering 8). */
function checkAnswers(job: Job, definition: Definition, model: OpenModel): void {
  for (const item of model.emissions) {
    if (item.indices.length === 0) continue;
    const quiet = createReport();
    const choices = new Map<string, Choice>([
      [item.name.text, { rule: "best", parameters: new Map(), span: undefined }],
    ]);
    const made = decoder({ ...requestFor(job, definition), report: quiet }, choices, []);
    const found = made === undefined ? undefined : schedule(made.program.graph, made.program.sizes);
    if (found === undefined || "graph" in found) continue;
    reportAnswer(job, item, found.problems);
  }
}

function reportAnswer(job: Job, item: EmitItem, problems: Parameters<typeof reportProblems>[0]): void {
  const [problem] = problems;
  const indices = item.indices.map(
    ({ name, offset }) => `${name.text}${offset === 0 ? "" : offset > 0 ? `+${offset}` : offset}`,
  );
  const name = `${item.name.text}[${indices.join(", ")}]`;
  const through = (problem?.circle ?? []).filter((origin) => origin.span.file === item.span.file);
  job.report.add(
    "sees-answer",
    item.span,
    `${name} is drawn from values that read ${item.name.text} at ${indices.join(", ")} or later: it could see its own answer`,
    {
      related: through.map((origin) => ({ span: origin.span, message: `through ${origin.name}` })),
      hint: `read only earlier positions, as in ${item.name.text}[${item.indices[0]?.name.text ?? "t"}-1]; or emit the whole array without an index`,
    },
  );
}

function checkRegime(job: Job, regime: Regime): void {
  for (const clause of regime.data) checkDataClause(clause, job.report);
  for (const split of [regime.val, regime.test])
    if (split?.rule.kind === "own") checkDataClause(split.rule.data, job.report);
  const request = modelRequest(job, regime.model);
  if (request === undefined) return;
  const quiet = job.report.hasErrors;
  const model = openForLoss({ ...request, report: quiet ? createReport() : job.report });
  demandAll(model);
  checkInputs(job, regime, model);
  const loss = regimeLoss(model, regime);
  if (loss === undefined || job.report.hasErrors) return;
  checkParts(job, regime, model);
  const frozen = new Set(
    [...model.session.weights.keys()].filter((name) => regime.freezes.some((freeze) => covers(freeze.parts, name))),
  );
  const draft = trainingStep(loss, regime, frozen);
  if (draft !== undefined) scheduled(draft, job.report);
  if (!job.report.hasErrors) compileReports(job, regime);
}

function covers(parts: readonly Expression[], weight: string): boolean {
  return parts.some((part) => {
    const path = pathOf(part);
    return path !== undefined && (weight === path || weight.startsWith(`${path}.`));
  });
}

function pathOf(part: Expression): string | undefined {
  if (part.kind === "reference") return part.name;
  const object = part.kind === "member" ? pathOf(part.object) : undefined;
  return part.kind === "member" && object !== undefined ? `${object}.${part.names[0]?.text}` : undefined;
}

/** Every input is given by a data line, and every column is an input. */
function checkInputs(job: Job, regime: Regime, model: OpenModel): void {
  const specs = inputSpecs(model.session);
  const names = regime.data.flatMap((clause) => clause.names);
  for (const name of names) {
    if (specs.some((spec) => spec.name === name.text)) continue;
    const known = specs.map((spec) => spec.name);
    const near = nearest(name.text, known);
    job.report.add("missing-input", name.span, `${model.frame.definition.name.text} has no input ${name.text}`, {
      hint: near === undefined ? `its inputs are ${known.join(", ")}` : `did you mean ${near}?`,
      fix: near === undefined ? undefined : { title: `write ${near}`, edits: [{ span: name.span, text: near }] },
    });
  }
  if (regime.data.length === 0) return;
  for (const spec of specs) {
    if (names.some((name) => name.text === spec.name)) continue;
    job.report.add("missing-input", regime.train.name.span, `no data line of ${regime.name} gives ${spec.name}`, {
      related: [{ span: spec.span, message: "declared here" }],
      hint: `write data ${[...names.map((name) => name.text), spec.name].join(", ")} = ...`,
    });
  }
}

/** `freeze`, `optim ... on`: parts that name nothing. */
function checkParts(job: Job, regime: Regime, model: OpenModel): void {
  const weights = [...model.session.weights.keys()];
  const parts = [
    ...regime.freezes.flatMap((freeze) => freeze.parts),
    ...regime.optimizers.flatMap((optim) => optim.on),
  ];
  for (const part of parts) {
    if (weights.some((weight) => covers([part], weight))) continue;
    const known = [...new Set(weights.map((weight) => weight.split(".")[0] ?? ""))];
    const near = nearest(pathOf(part) ?? "", known);
    job.report.add("unknown-name", part.span, `no weight's name starts with ${pathOf(part) ?? "this"}`, {
      hint: near === undefined ? `the parts are ${known.join(", ")}` : `did you mean ${near}?`,
    });
  }
}
