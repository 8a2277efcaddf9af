import { feedbackOf } from "../build/feedback.ts";
import type { Program } from "../build/program.ts";
import { LEFT_OUT } from "../pass/pipeline.ts";
import { type Plan, planGraph } from "../plan/plan.ts";
import type { ModelPrograms } from "../runtime/model-programs.ts";
import { type StageChoice, throughPasses, USUAL_STAGES } from "../runtime/passes.ts";

/** The kernels of a program in their order. */
export interface ProgramPlan {
  readonly model: string;
  /** The model's name for running it forward, else a train or generate block's. */
  readonly program: string;
  readonly plan: Plan;
}

/** A model's programs by name: its forward program has its own, the others those of their blocks. */
export function namedPrograms({
  model,
  forward,
  train,
  generate,
}: ModelPrograms): readonly (readonly [string, Program])[] {
  return [[model, forward], ...[...train, ...generate].map(({ name, program }) => [name, program] as const)];
}

/** What the wasm target makes of every program of a model. */
export function plansOf(programs: ModelPrograms, stages: StageChoice = USUAL_STAGES): readonly ProgramPlan[] {
  const through = throughPasses(LEFT_OUT.wasm, stages);
  return namedPrograms(programs).map(([name, program]) => {
    const { graph, sizes, ...optimized } = through(program);
    const feedback = feedbackOf({ graph, sizes, ...optimized });
    return {
      model: programs.model,
      program: name,
      plan: planGraph(graph, sizes, feedback, { fuse: !stages.off.has("fuse") }),
    };
  });
}
