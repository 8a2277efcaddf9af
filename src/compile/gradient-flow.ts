import { type FlowWants, type GradientFlow, gradientFlow } from "../build/gradient-flow.ts";
import { regimeLoss } from "../build/objective.ts";
import type { Regime } from "../check/regime.ts";
import type { Expression } from "../syntax/tree.ts";
import { emissionLoss, type Job, modelRequest, openForLoss, scheduled } from "./program.ts";

/**
 * The derivatives of a model's loss step by step: by each state of each recurrence, by named values, and by weights
 * where they are to be split (see `gradientFlow`). The whole loss is the regime's objective, else the sum of all emissions' mean negative
 * log-likelihoods. Undefined after anything wrong was reported.
 */
export function compileGradientFlow(
  job: Job,
  model: Expression,
  wants: FlowWants,
  regime?: Regime,
): GradientFlow | undefined {
  const request = modelRequest(job, model);
  if (request === undefined) return undefined;
  const opened = openForLoss(request);
  const whole = regime === undefined ? emissionLoss(opened) : regimeLoss(opened, regime)?.loss;
  if (job.report.hasErrors) return undefined;
  if (
    wants.loss.kind !== "value" &&
    (whole === undefined || (wants.loss.kind === "last" && opened.emissions.length === 0))
  ) {
    reportNoLoss(job, model, opened.frame.definition.name.text);
    return undefined;
  }
  const flow = gradientFlow(opened, wants, whole, regime);
  const program =
    flow === undefined || job.report.hasErrors ? undefined : scheduled(flow.program, job.report, job.modules);
  return flow && program && { ...flow, program };
}

function reportNoLoss({ report }: Job, model: Expression, name: string): void {
  report.add("nothing-emitted", model.span, `${name} emits nothing, so there is no loss of its last step`, {
    hint: "differentiate what a train block minimizes, or a number of the model, by its name",
  });
}
