import type { Program } from "../build/program.ts";
import { readRegime } from "../check/regime.ts";
import { compileForward, type Job } from "../compile/program.ts";
import type { Definition, Expression } from "../syntax/tree.ts";

/**
 * A model's loss with its gradient by every weight: the likelihood of all that it emits, or where it emits nothing, what its first `train`
 * block minimizes. Undefined after anything wrong was reported.
 */
export function modelGradients(job: Job, model: Expression, definition: Definition): Program | undefined {
  const wants = { values: [], gradients: true };
  if (definition.items.some(({ kind }) => kind === "emit")) return compileForward(job, model, wants);
  const name = definition.name.text;
  const block = job.modules.entry.tree.declarations.find(
    (one) =>
      one.kind === "train" && calleeOf(one.model) === name && one.clauses.some(({ kind }) => kind === "objective"),
  );
  if (block?.kind === "train") return compileForward(job, model, wants, readRegime(block, job.report));
  job.report.add(
    "wrong-option",
    model.span,
    `${name} has no loss: it emits nothing, and no train block minimizes anything of it`,
    {
      hint: "check the layers that it is made of, or write a train block",
    },
  );
  return undefined;
}

function calleeOf(expression: Expression): string | undefined {
  const callee = expression.kind === "call" ? expression.callee : expression;
  return callee.kind === "reference" ? callee.name : undefined;
}
