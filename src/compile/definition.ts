import { laidOut } from "../build/forward.ts";
import { hasDerivative } from "../build/has-derivative.ts";
import { inputSpecs } from "../build/leaves.ts";
import type { Program, ResultRole } from "../build/program.ts";
import { openDefinition, probeLoss } from "../build/standalone.ts";
import { findDefinition } from "../check/modules.ts";
import { gradients } from "../grad/gradients.ts";
import type { Result } from "../ir/graph.ts";
import type { Expression } from "../syntax/tree.ts";
import { type Job, scheduled } from "./program.ts";

/**
 * A cell, layer or distribution alone, for checks: its inputs and states are params, `out.0`, `out.1`, ... its results
 * (a cell's next states last), `loss` (float []) a fixed weighted sum of them, with its gradient by every weight and float input (its shape).
 * Undefined after anything wrong was reported.
 */
export function compileDefinition(job: Job, expression: Expression): Program | undefined {
  const callee = expression.kind === "call" ? expression.callee : expression;
  const name = callee.kind === "reference" ? callee.name : callee.kind === "member" ? callee.names[0]?.text : undefined;
  const { entry } = job.modules;
  const library = callee.kind === "member" ? job.modules.library.get(name ?? "") : undefined;
  const found = library ?? findDefinition(job.modules, entry.file, name ?? "");
  if (found === undefined) {
    job.report.add("unknown-name", callee.span, `there is no definition ${name ?? ""}`);
    return undefined;
  }
  const opened = openDefinition({
    modules: job.modules,
    file: found.file,
    definition: found.definition,
    parameters: expression.kind === "call" ? expression : undefined,
    parametersFile: entry.file,
    sizes: job.sizes,
    dense: true,
    report: job.report,
  });
  if (opened === undefined || job.report.hasErrors) return undefined;
  const { session, outs } = opened;
  const loss = probeLoss(opened, outs);
  const weights = [...session.weights.entries()].filter(([, { spec }]) => spec.trained);
  const floats = [...session.inputs.entries()].filter(([, { spec }]) => spec.dtype === "float");
  const wrt = [...weights.map(([, { id }]) => id), ...floats.map(([, { value }]) => value.id)];
  const names = [...weights.map(([key]) => key), ...floats.map(([key]) => key)];
  if (!hasDerivative(session, loss, wrt, found.definition.name.span)) return undefined;
  const results: Result[] = [{ name: "loss", id: loss }];
  const roles = new Map<string, ResultRole>([["loss", { kind: "loss" }]]);
  outs.forEach((out, place) => {
    const { id, axes } = laidOut(opened, out);
    results.push({ name: `out.${place}`, id });
    roles.set(`out.${place}`, { kind: "value", name: `out.${place}`, axes });
  });
  gradients(session.builder, loss, wrt).forEach((id, place) => {
    const key = `gradient.${names[place]}`;
    results.push({ name: key, id });
    roles.set(key, { kind: "gradient", weight: names[place] ?? "" });
  });
  const draft: Program = {
    name: found.definition.name.text,
    graph: session.builder.finish(results),
    params: new Map(session.roles),
    results: roles,
    weights: [...session.weights.values()].map(({ spec }) => spec),
    inputs: inputSpecs(session),
    sizes: session.sizes,
  };
  return scheduled(draft, job.report, job.modules);
}
