import { feedbackOf } from "../build/feedback.ts";
import type { Program } from "../build/program.ts";
import { type Explanation, explainPlan } from "../compile/explain.ts";
import type { ExplainedMemory } from "../compile/explain-text.ts";
import type { SizeBinding } from "../ir/size.ts";
import type { Note } from "../pass/note.ts";
import { LEFT_OUT } from "../pass/pipeline.ts";
import { lowerBound } from "../plan/arena.ts";
import { sizesOf } from "../plan/bound-size.ts";
import type { Plan } from "../plan/plan.ts";
import { printPlan } from "../plan/print.ts";
import { searched } from "../target/wasm/arrange.ts";
import { layOutMemory } from "../target/wasm/bind.ts";
import { compileWasm } from "../target/wasm/compile.ts";
import { moduleOf } from "../target/wasm/module.ts";
import { type StageChoice, throughPasses, USUAL_STAGES } from "./passes.ts";

export interface ProgramExplanation extends Explanation {
  readonly memory: ExplainedMemory;
}

/**
 * What our own WebAssembly makes of a program, as it runs there: the same passes, the same plan, the same memory.
 * `sizes` binds every name. Throws where one is missing.
 */
export function explainProgram(
  program: Program,
  sizes: SizeBinding,
  stages: StageChoice = USUAL_STAGES,
): ProgramExplanation {
  const notes: Note[] = [];
  const optimized = throughPasses(LEFT_OUT.wasm, stages, (note) => notes.push(note))(program, sizes.get("B"));
  let plan: Plan | undefined;
  const compiled = compileWasm(optimized, feedbackOf(optimized), {
    fuse: !stages.off.has("fuse"),
    planned: (made) => {
      plan = made;
    },
  });
  if (plan === undefined) throw new Error("internal: a program is compiled without a plan");
  if (stages.shown.has("fuse")) stages.show("fuse", program.name, printPlan(plan));
  const module = moduleOf(compiled);
  const { bytes, arena } = layOutMemory(module, sizesOf(module, sizes), searched());
  return {
    ...explainPlan(plan, { program: program.name, notes, sizes }),
    memory: { bytes, kept: bytes - arena.bytes, arena: { bytes: arena.bytes, lowerBound: lowerBound(arena.spans) } },
  };
}
