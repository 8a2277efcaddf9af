import type { Regime } from "../check/regime.ts";
import type { Builder } from "../ir/builder.ts";
import type { Graph, Result } from "../ir/graph.ts";
import * as make from "../op/make.ts";
import type { Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { type Carried, FRESH } from "./carry.ts";
import { carriedGraph } from "./chunk.ts";
import { inputSpecs } from "./leaves.ts";
import type { DecodedName } from "./metrics.ts";
import type { OpenModel } from "./model.ts";
import { type Averaged, batchTotal, scalarOf } from "./objective.ts";
import type { ParamRole, Program, ResultRole } from "./program.ts";
import type { TensorValue } from "./value.ts";

/**
 * What a regime reports: one program sums quantities and counts over each batch, then one small graph of the means gives
 * the reported values. So a report over many batches weighs every position alike.
 */
export interface Reports {
  /** Results `sum.i` and `count.i`. */
  readonly totals: Program;
  /** Params `mean.i`, results by report name. */
  readonly summary: Graph;
  readonly names: readonly string[];
  readonly averages: number;
  /** Metrics that take the place of a mean once their decoders have run. */
  readonly decoded: readonly DecodedMetric[];
}

/** A metric that compares what a program decodes with what the data has. */
export interface DecodedMetric {
  readonly name: DecodedName;
  /** `mean.i`. */
  readonly average: number;
  readonly emission: string;
  /** Its result `choice.emission`. */
  readonly program: Program;
}

/** `loss` is always reported, first; then `nll` of single emissions by their texts, or the names that are given. */
export function regimeReports(
  model: OpenModel,
  regime: Regime,
  averaged: Averaged[],
  loss: string | undefined,
  evaluated: readonly { readonly name: string; readonly id: string }[],
): Reports | undefined {
  const { session } = model;
  const results: Result[] = loss === undefined ? [] : [{ name: "loss", id: loss }];
  results.push(...evaluated);
  const summary = withWeights(model, session.builder.finish(results), averaged);
  const other = summary.params.find((param) => !averaged.some(({ param: id }) => id === param.id));
  if (other !== undefined) {
    session.report.add(
      "not-scalar",
      regime.train.name.span,
      `a report mixes a mean over the batch with ${other.id}, which is no single number`,
      { hint: "report them apart" },
    );
    return undefined;
  }
  const totals: Result[] = [];
  const roles = new Map<string, ResultRole>();
  const give = (name: string, id: string): void => {
    totals.push({ name, id });
    roles.set(name, { kind: "metric", name });
  };
  for (const [index, { sum, count }] of averaged.entries()) {
    give(`sum.${index}`, sum);
    give(`count.${index}`, count);
  }
  const carried = carriedGraph(model, regime, session.builder.finish(totals));
  if (carried === undefined) return undefined;
  for (const name of carried.states) roles.set(name, { kind: "carry", name });
  const { graph } = carried;
  const isMean = (id: string): boolean => averaged.some(({ param }) => param === id);
  return {
    totals: {
      name: `${regime.name}.totals`,
      graph: { ...graph, params: graph.params.filter((param) => !isMean(param.id)) },
      params: carriedRoles(session.roles, carried),
      results: roles,
      weights: [...session.weights.values()].map(({ spec }) => spec),
      inputs: inputSpecs(session),
      sizes: session.sizes,
    },
    summary,
    names: results.map((result) => result.name),
    averages: averaged.length,
    decoded: [],
  };
}

/** The means' own graph: only the params that it reads; a weight that is one number is its own mean. */
function withWeights({ session }: OpenModel, summary: Graph, averaged: Averaged[]): Graph {
  const used = new Set([
    ...summary.nodes.flatMap((node) => node.inputs),
    ...summary.results.map((result) => result.id),
  ]);
  const renamed = new Map<string, string>();
  const params = summary.params.flatMap((param) => {
    if (!used.has(param.id)) return [];
    if (session.roles.get(param.id)?.kind !== "weight" || param.type.axes.length > 0) return [param];
    const id = `mean.${averaged.length}`;
    averaged.push({ param: id, sum: param.id, count: make.num(session.builder, 1) });
    renamed.set(param.id, id);
    return [{ ...param, id }];
  });
  const find = (id: string): string => renamed.get(id) ?? id;
  return {
    ...summary,
    params,
    nodes: summary.nodes.map((node) => ({ ...node, inputs: node.inputs.map(find) })),
    results: summary.results.map(({ name, id }) => ({ name, id: find(id) })),
  };
}

/** With `bptt`, what is measured of a chunk starts from the state that the chunk before left. */
function carriedRoles(roles: ReadonlyMap<string, ParamRole>, carried: Carried): ReadonlyMap<string, ParamRole> {
  const all = new Map(roles);
  for (const name of carried.states) all.set(name, { kind: "carry", name });
  if (carried.states.length > 0) all.set(FRESH, { kind: "fresh" });
  return all;
}

/** Elaborates the loss and every report of a regime; quantities that depend on the example become averages too. */
export function elaborateReports(
  model: OpenModel,
  regime: Regime,
  averaged: Averaged[],
):
  | { readonly loss: string | undefined; readonly evaluated: readonly { readonly name: string; readonly id: string }[] }
  | undefined {
  const { builder } = model.session;
  let loss: string | undefined;
  for (const objective of regime.objectives) {
    const mean = meanOf(model, objective.value, averaged);
    if (mean === undefined) return undefined;
    const signed = objective.direction === "maximize" ? make.neg(builder, mean) : mean;
    loss = loss === undefined ? signed : make.add(builder, loss, signed);
  }
  const evaluated = [];
  for (const { name, value } of regime.reports) {
    const id = meanOf(model, value, averaged);
    if (id === undefined) return undefined;
    evaluated.push({ name: name?.text ?? printExpression(value), id });
  }
  return { loss, evaluated };
}

/** The mean of an expression over all data. The terms of a sum have means of their own: `nll(x) + kl`, `nll(y) + sum(w**2)`. */
function meanOf(model: OpenModel, expression: Expression, averaged: Averaged[]): string | undefined {
  const { builder } = model.session;
  if (expression.kind === "unary" && expression.operator === "-") {
    const mean = meanOf(model, expression.operand, averaged);
    return mean === undefined ? undefined : make.neg(builder, mean);
  }
  if (expression.kind === "binary" && (expression.operator === "+" || expression.operator === "-")) {
    const left = meanOf(model, expression.left, averaged);
    const right = left === undefined ? undefined : meanOf(model, expression.right, averaged);
    if (left === undefined || right === undefined) return undefined;
    return expression.operator === "+" ? make.add(builder, left, right) : make.sub(builder, left, right);
  }
  const value = scalarOf(model, expression);
  return value === undefined ? undefined : averageOf(model, value, expression, averaged);
}

function averageOf(
  model: OpenModel,
  value: TensorValue,
  expression: Expression,
  averaged: Averaged[],
): string | undefined {
  const { builder, report } = model.session;
  const { sum, count } = batchTotal(model, value);
  const ofMeans = reachesMean(builder, value.id, averaged);
  if (ofMeans && count !== undefined) {
    report.add("not-scalar", expression.span, "this mixes a mean over all data with what differs by example", {
      hint: "add them, or report them apart",
    });
    return undefined;
  }
  if (ofMeans || builder.definition(sum)?.op.name === "constant") return sum;
  const param = builder.param(`mean.${averaged.length}`, { dtype: "float", axes: [] });
  averaged.push({ param, sum, count: count ?? make.num(builder, 1) });
  return param;
}

/** Whether a value is made from a mean over all data. */
function reachesMean(builder: Builder, id: string, averaged: readonly Averaged[]): boolean {
  const means = new Set(averaged.map(({ param }) => param));
  const seen = new Set([id]);
  for (const next of seen) {
    if (means.has(next)) return true;
    for (const input of builder.definition(next)?.inputs ?? []) seen.add(input);
  }
  return false;
}
