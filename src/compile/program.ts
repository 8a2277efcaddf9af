import type { Report } from "../base/diagnostic.ts";
import { BEAM, ORDERED, PARENT } from "../build/beam.ts";
import { chunkOverlap } from "../build/chunk.ts";
import { decoder } from "../build/decode.ts";
import { negativeLogLikelihood, openEmission } from "../build/emission.ts";
import { findModel } from "../build/find-model.ts";
import { closeForced, forcedNames } from "../build/forcing.ts";
import { type ForwardWants, forwardProgram } from "../build/forward.ts";
import { type ModelRequest, type OpenModel, openModel } from "../build/model.ts";
import { type Averaged, type Decoded, objectiveMetrics, regimeLoss, reportMetrics } from "../build/objective.ts";
import type { Program } from "../build/program.ts";
import { type DecodedMetric, elaborateReports, type Reports, regimeReports } from "../build/reports.ts";
import { type Turn, trainingStep } from "../build/training.ts";

import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import type { Graph } from "../ir/graph.ts";
import * as make from "../op/make.ts";
import { reorderBeams } from "../schedule/beams.ts";
import { schedule } from "../schedule/schedule.ts";
import type { Expression } from "../syntax/tree.ts";
import { bestChoice, methodChoice } from "./choice.ts";
import { withoutIdleInputs } from "./idle.ts";
import { reportProblems } from "./problems.ts";

/** What programs are made for: files, known sizes, and where to report. */
export interface Job {
  readonly modules: Modules;
  /** Sizes that data, weights or options give; they win over defaults. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Whether all examples of a batch have the same length, so that no masks are needed. */
  readonly dense: boolean;
  /** Emissions that some rows of the data lack: these rows add nothing to their likelihoods and metrics. */
  readonly absent?: ReadonlySet<string>;
  readonly report: Report;
}

/** Finds the order of computation of an equation graph; a circle without one is reported, with `modules` read by read. */
export function scheduled(program: Program, report: Report, modules?: Modules): Program | undefined {
  const found = schedule(program.graph, program.sizes);
  if ("graph" in found) return { ...program, graph: inBeamOrder(found.graph) };
  reportProblems(found.problems, modules, report);
  return undefined;
}

/** A beam search is put in order once its loop is known. */
function inBeamOrder(graph: Graph): Graph {
  const beam = graph.nodes
    .flatMap(({ outputs }) => outputs)
    .flatMap(({ type }) => type.axes.filter(({ id }) => id === BEAM))[0];
  const isSearch = graph.results.some(({ name }) => name === PARENT);
  return beam === undefined || !isSearch ? graph : reorderBeams(graph, { beam, parent: PARENT, ordered: ORDERED });
}

/** The model that an expression names, with the job's options. */
export function modelRequest(job: Job, model: Expression): ModelRequest | undefined {
  const { modules, report, sizes, dense, absent } = job;
  const found = findModel(modules, modules.entry.file, model, report);
  if (found === undefined) return undefined;
  return {
    modules,
    file: found.file,
    definition: found.definition,
    parameters: found.call,
    parametersFile: modules.entry.file,
    sizes,
    dense,
    ...(absent && { absent }),
    report,
  };
}

/** Opens a model in which metrics (`nll(x)`) are means over the batch. */
export function openForLoss(request: ModelRequest): OpenModel {
  const model: OpenModel = openModel(
    request,
    objectiveMetrics(() => model),
  );
  return model;
}

/**
 * A model run forward. Results: `EMISSION.PARAMETER` of every emission (float [B, ...]: the batch first, then the declared axes), the named
 * values that are wanted, `loss` (float [], in nats where it is a likelihood: the regime's objective, else the sum of all emissions' mean
 * negative log-likelihood), and `gradient.WEIGHT` by every weight (the weight's shape).
 * Undefined after anything wrong was reported. Sizes that nothing gives stay names in the graph, as `B` and the `time` axes always do.
 */
export function compileForward(
  job: Job,
  model: Expression,
  wants: Omit<ForwardWants, "loss">,
  regime?: Regime,
): Program | undefined {
  const request = modelRequest(job, model);
  if (request === undefined) return undefined;
  const opened = openForLoss(request);
  const loss = regime === undefined ? emissionLoss(opened) : regimeLoss(opened, regime)?.loss;
  const program = forwardProgram(opened, { ...wants, loss });
  return program === undefined || job.report.hasErrors ? undefined : scheduled(program, job.report, job.modules);
}

/** Σ nll over all emissions; undefined for a model that emits nothing. */
export function emissionLoss(model: OpenModel): string | undefined {
  const { builder } = model.session;
  let loss: string | undefined;
  for (const item of model.emissions) {
    const emission = openEmission(model, item);
    const total = emission === undefined ? undefined : negativeLogLikelihood(emission);
    if (total === undefined) return undefined;
    const mean = make.div(builder, total.sum, make.maximum(builder, total.count, make.num(builder, 1)));
    loss = loss === undefined ? mean : make.add(builder, loss, mean);
  }
  return loss;
}

/**
 * One step of a training: forward pass, gradients and optimizer in one graph. Params: weights, optimizer slots, inputs, lengths, the step
 * count and the seed. Results: `loss` (float [], before the step), every new weight and slot (the shapes of what they replace), carried states.
 * @param frozen names of weights that stay as they are: no gradient is computed for them
 * @param resting places of players that move no weights in this step
 * Undefined after anything wrong was reported.
 */
export function compileStep(
  job: Job,
  regime: Regime,
  frozen: Turn["frozen"],
  resting: Turn["resting"] = new Set(),
): Program | undefined {
  const request = modelRequest(job, regime.model);
  if (request === undefined) return undefined;
  const model = openForLoss({ ...request, forced: forcedNames(regime) });
  const loss = regimeLoss(model, regime);
  closeForced(model, regime);
  const draft =
    loss === undefined || job.report.hasErrors ? undefined : trainingStep(loss, regime, { frozen, resting });
  return draft === undefined || job.report.hasErrors ? undefined : scheduled(draft, job.report, job.modules);
}

/**
 * What a regime reports over a whole data set: `totals` is run on each batch, its sums and counts are added up, and `summary` makes the
 * reported values (float [] each) of the means, so that every position weighs alike whatever batch it came in.
 * Undefined after anything wrong was reported.
 */
export function compileReports(job: Job, regime: Regime): Reports | undefined {
  const request = modelRequest(job, regime.model);
  if (request === undefined) return undefined;
  const averaged: Averaged[] = [];
  const decoded: Decoded[] = [];
  const model: OpenModel = openModel(
    request,
    reportMetrics(() => model, averaged, decoded),
  );
  const elaborated = elaborateReports(model, regime, averaged);
  if (elaborated === undefined) return undefined;
  const reports = regimeReports(model, regime, averaged, elaborated.loss, elaborated.evaluated);
  const totals =
    reports === undefined || job.report.hasErrors ? undefined : scheduled(reports.totals, job.report, job.modules);
  const decoders = totals === undefined ? undefined : decoded.map((metric) => decoderOf(job, request, model, metric));
  if (reports === undefined || totals === undefined || decoders === undefined) return undefined;
  const made = decoders.flatMap((decoder) => decoder ?? []);
  return made.length < decoders.length ? undefined : { ...reports, totals, decoded: made };
}

/** The program that decodes what a metric compares: the inputs and other emissions are the data's. */
function decoderOf(
  job: Job,
  request: ModelRequest,
  { context }: OpenModel,
  { name, average, item, method }: Decoded,
): DecodedMetric | undefined {
  const choice = method === undefined ? bestChoice(undefined) : methodChoice(context, item, method, method.span);
  const emission = item.name.text;
  const made = choice === undefined ? undefined : decoder(request, new Map([[emission, choice]]), []);
  if (made === undefined || job.report.hasErrors) return undefined;
  const program = scheduled(made.program, job.report, job.modules);
  return program && { name, average, emission, program: withoutIdleInputs(program) };
}

/** How data must be cut for a regime: its `time` names, and by how much chunks of a long sequence overlap. */
export interface Cutting {
  readonly times: readonly string[];
  readonly overlap: number;
}

export function cuttingOf(model: OpenModel): Cutting {
  return { times: [...model.session.times], overlap: chunkOverlap(model) };
}
