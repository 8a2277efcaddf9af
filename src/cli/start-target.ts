import type { Executor } from "../runtime/executor.ts";
import { TARGETS, type TargetName } from "../runtime/targets.ts";
import { type PassOptions, stageChoice } from "./pass-options.ts";
import { talk } from "./terminal.ts";

export interface TargetOptions extends PassOptions {
  readonly target: TargetName;
  readonly threads?: number;
  readonly memory?: number;
}

/** Starts the target that the options name, and says what its user should know. */
export async function startTarget(options: TargetOptions): Promise<Executor> {
  const { target, threads, memory } = options;
  const executor = await TARGETS[target].start(stageChoice(options), { threads, memory });
  if (executor.notice !== undefined) talk(`note: ${executor.notice}`);
  return executor;
}
