import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import { createReport } from "../base/report.ts";
import { readCopies } from "../build/copies.ts";
import { inputSpecs } from "../build/leaves.ts";
import { demandAll, type OpenModel } from "../build/model.ts";
import { type LossDraft, regimeLoss } from "../build/objective.ts";
import { trainingStep } from "../build/training.ts";
import { coversWeight } from "../build/weight-part.ts";
import { checkDataClause } from "../check/check-data.ts";
import { type Regime, readRegime } from "../check/regime.ts";
import type { Definition, Train } from "../syntax/tree.ts";
import { checkLoads } from "./check-loads.ts";
import { checkParts } from "./check-parts.ts";
import { compileReports, compileStep, type Job, modelRequest, openForLoss, scheduled } from "./program.ts";

/** Checks a training regime: its clauses, and with them that the model's loss, step and reports can be made. */
export function checkRegime(job: Job, train: Train, broken: ReadonlySet<Definition>): void {
  const { report } = job;
  const regime = readRegime(train, report);
  for (const clause of regime.data) checkDataClause(clause, report);
  for (const split of [regime.val, regime.test])
    if (split?.rule.kind === "own") checkDataClause(split.rule.data, report);
  const request = modelRequest(job, regime.model);
  if (request === undefined || broken.has(request.definition)) return;
  const clauses = report.hasErrors;
  const own: Job = { ...job, report: createReport() };
  const model = openForLoss({ ...request, report: own.report });
  demandAll(model);
  if (!own.report.hasErrors) {
    checkInputs(job, regime, model);
    const loss = regimeLoss(model, regime);
    if (loss !== undefined) checkParts(regime, model);
    if (loss !== undefined) checkLoads(regime, model);
    const specs = [...model.session.weights.values()].map(({ spec }) => spec);
    if (loss !== undefined && !own.report.hasErrors) readCopies(regime, specs, own.report);
    if (loss !== undefined && !own.report.hasErrors && !clauses) {
      checkStep(own, regime, model, loss);
    }
    if (regime.reports.length > 0 && loss !== undefined) compileReports({ ...own, report: reportsOnly(own) }, regime);
  }
  for (const { code, span, message, ...more } of own.report.diagnostics) report.add(code, span, message, more);
}

/** Reports are elaborated whether or not the step could be made. */
function reportsOnly({ report }: Job): Job["report"] {
  return {
    get diagnostics() {
      return report.diagnostics;
    },
    hasErrors: false,
    add: report.add,
  };
}

/** The step is made and put in order; where teacher forcing changes what the model reads, of a model of its own. */
function checkStep(job: Job, regime: Regime, model: OpenModel, loss: LossDraft): void {
  const frozen = frozenWeights(regime, model);
  if (regime.forcings.length === 0) {
    const draft = trainingStep(loss, regime, { frozen, resting: new Set() });
    if (draft !== undefined) scheduled(draft, job.report, job.modules);
    return;
  }
  const again = createReport();
  compileStep({ ...job, report: again }, regime, frozen);
  for (const { code, span, message, severity, ...more } of again.diagnostics) {
    if (severity === "error") job.report.add(code, span, message, more);
  }
}

function frozenWeights(regime: Regime, { session }: OpenModel): ReadonlySet<string> {
  const parts = regime.freezes.flatMap((freeze) => freeze.parts);
  return new Set([...session.weights.keys()].filter((name) => coversWeight(parts, name)));
}

/** Every input is given by a data line, and every column is an input. */
function checkInputs({ report }: Job, regime: Regime, model: OpenModel): void {
  const specs = inputSpecs(model.session);
  const names = regime.data.flatMap((clause) => clause.names);
  const given = new Set(names.map((name) => name.text));
  const known = specs.map((spec) => spec.name);
  for (const { text, span } of names) {
    if (known.includes(text)) continue;
    const near = nearest(
      text,
      known.filter((name) => !given.has(name)),
    );
    if (near !== undefined) given.add(near);
    report.add(
      "missing-input",
      span,
      `${model.frame.definition.name.text} has no input ${text}`,
      near === undefined ? { hint: `its inputs are ${known.join(", ")}` } : meant(near, span),
    );
  }
  const [line] = regime.data;
  if (line === undefined) return;
  for (const { name, span } of specs) {
    if (given.has(name)) continue;
    report.add("missing-input", regime.train.name.span, `no data line of ${regime.name} gives ${name}`, {
      related: [
        { span, message: `${name} is declared here` },
        ...line.names.slice(0, 1).map((first) => ({ span: first.span, message: "these are given" })),
      ],
      hint: `write data ${[...names.map((one) => one.text), name].join(", ")} = ...`,
    });
  }
}
