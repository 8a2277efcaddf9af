import { createReport } from "../base/report.ts";
import { type Choice, decoder } from "../build/decode.ts";
import { distributionParameters, openEmission } from "../build/emission.ts";
import { demand } from "../build/equation.ts";
import { demandAll, type ModelRequest, type OpenModel } from "../build/model.ts";
import { needsArgument, openDefinition } from "../build/standalone.ts";
import type { Meaning } from "../build/value.ts";
import type { Result } from "../ir/graph.ts";
import type { ScheduleProblem } from "../schedule/problem.ts";
import { schedule } from "../schedule/schedule.ts";
import type { Definition, EmitItem } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { checkLayout } from "./check-layout.ts";
import { reportProblems } from "./problems.ts";
import { emissionLoss, type Job, openForLoss } from "./program.ts";

/** Checks a definition by itself: its sizes are names. One that takes definitions or lists is checked where it is used. */
export function checkDefinition(job: Job, definition: Definition, file: string): void {
  if (definition.definitionKind === "layout") {
    checkLayout(definition, job.report);
    return;
  }
  if (needsArgument(definition)) return;
  const { modules, sizes, dense, report } = job;
  const request = { modules, file, definition, parameters: undefined, parametersFile: file, sizes, dense, report };
  if (definition.definitionKind === "model") checkModel(job, request);
  else checkPart(job, request);
}

function checkPart(job: Job, request: ModelRequest): void {
  const own = createReport();
  const opened = openDefinition({ ...request, report: own });
  for (const { code, span, message, ...more } of own.diagnostics) {
    // A parameter without a default has its number where the definition is used, and is asked for it there.
    if (code !== "unknown-size" || isKnown(request.definition)) job.report.add(code, span, message, more);
  }
  if (opened === undefined || own.hasErrors) return;
  const results = opened.outs.map((out, place) => ({ name: `out.${place}`, id: out.id }));
  scheduleResults(job, opened.session.builder.finish(results));
}

function isKnown({ parameters }: Definition): boolean {
  return parameters.every((parameter) => parameter.default !== undefined);
}

function scheduleResults(job: Job, graph: Parameters<typeof schedule>[0], sizes = job.sizes): boolean {
  const found = schedule(graph, sizes);
  if ("graph" in found) return true;
  reportProblems(found.problems, job.modules, job.report);
  return false;
}

function checkModel(job: Job, request: ModelRequest): void {
  const model = openForLoss(request);
  demandAll(model);
  for (const item of model.emissions) {
    const emission = openEmission(model, item);
    if (emission !== undefined) distributionParameters(emission);
  }
  const loss = job.report.hasErrors ? undefined : emissionLoss(model);
  if (job.report.hasErrors) return;
  const graph = model.session.builder.finish(everything(model, loss));
  if (scheduleResults(job, graph, model.session.sizes)) checkAnswers(job, request, model);
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
function checkAnswers(job: Job, request: ModelRequest, model: OpenModel): void {
  for (const item of model.emissions) {
    if (item.indices.length === 0) continue;
    const choices = new Map<string, Choice>([
      [item.name.text, { rule: "best", parameters: new Map(), span: undefined }],
    ]);
    const made = decoder({ ...request, report: createReport() }, choices, []);
    const found = made === undefined ? undefined : schedule(made.program.graph, made.program.sizes);
    if (found === undefined || "graph" in found) continue;
    reportAnswer(job, item, found.problems);
  }
}

function reportAnswer(job: Job, item: EmitItem, problems: readonly ScheduleProblem[]): void {
  const [problem] = problems;
  const [first] = item.indices;
  const indices = item.indices.map(
    ({ name, offset }) => `${name.text}${offset === 0 ? "" : offset > 0 ? `+${offset}` : offset}`,
  );
  const { text } = item.name;
  const name = `${text}[${indices.join(", ")}]`;
  const through = (problem?.circle ?? []).filter(
    (origin) => origin.span.file === item.span.file && origin.span.start !== item.span.start,
  );
  const whole = `${item.dist.span.file}` === item.span.file ? printExpression(item.dist) : "its distribution";
  job.report.add(
    "sees-answer",
    item.name.span,
    `${name} is drawn from what already reads ${name}, or later: it sees its own answer`,
    {
      related: [
        { span: item.dist.span, message: `${name} is drawn from ${whole}` },
        ...through.map((origin) => ({
          span: origin.span,
          message: `through ${origin.name}, which reads ${text} there`,
        })),
      ],
      hint: `let it read only what is earlier: a forward scan, a slice as in ${text}[:${first?.name.text ?? "t"}], or ${text}[${first?.name.text ?? "t"}-1]; or emit ${text} whole, without an index`,
    },
  );
}
