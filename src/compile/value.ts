import type { Program } from "../build/program.ts";
import { pullbackProgram, type ValueName, valueProgram } from "../build/pullback.ts";
import type { Expression } from "../syntax/tree.ts";
import { type Job, modelRequest, openForLoss, scheduled } from "./program.ts";

/** A value of a model as a function that has a gradient. */
export interface ValueFunction {
  /** The value's name. */
  readonly name: string;
  /** From weights and inputs to `value.NAME` (float, the batch first). */
  readonly forward: Program;
  /** From weights, inputs and `cotangent.NAME` (the value's shape) to `gradient.NAME` of every weight and float input. */
  readonly pullback: Program;
}

/**
 * Compiles one named value of a model (`y`, `s.h` for a field of a state) with its gradient, to stand in a larger computation.
 * Undefined after anything wrong was reported.
 */
export function compileValue(job: Job, model: Expression, value: ValueName): ValueFunction | undefined {
  const forward = part(job, model, (opened) => valueProgram(opened, value));
  const pullback = forward && part(job, model, (opened) => pullbackProgram(opened, value));
  return forward && pullback && { name: value.name, forward, pullback };
}

function part(
  job: Job,
  model: Expression,
  make: (opened: ReturnType<typeof openForLoss>) => Program | undefined,
): Program | undefined {
  const request = modelRequest(job, model);
  const draft = request === undefined ? undefined : make(openForLoss(request));
  return draft === undefined || job.report.hasErrors ? undefined : scheduled(draft, job.report, job.modules);
}
