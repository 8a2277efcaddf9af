import type { Executor } from "../runtime/executor.ts";
import { TARGETS, type TargetName } from "../runtime/targets.ts";
import { type PassOptions, stageChoice } from "./pass-options.ts";
import { talk } from "./terminal.ts";

/** Starts the target that the options name, and says what its user should know. */
export async function startTarget(options: PassOptions & { readonly target: TargetName }): Promise<Executor> {
  const executor = await TARGETS[options.target].start(stageChoice(options));
  if (executor.notice !== undefined) talk(`note: ${executor.notice}`);
  return executor;
}
