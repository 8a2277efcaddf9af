import type { PassName } from "../pass/pass.ts";
import { PASS_NAMES } from "../pass/pipeline.ts";

/** What can be left out and looked at: the passes over graphs, then `fuse`, which decides what shares a kernel (src/plan/fuse.ts). */
export type StageName = PassName | "fuse";

/** Every stage, in the order in which they first run. */
export const STAGE_NAMES: readonly StageName[] = [...PASS_NAMES, "fuse"];

export function isStage(name: string): name is StageName {
  return STAGE_NAMES.some((stage) => stage === name);
}

export function isPass(name: StageName): name is PassName {
  return name !== "fuse";
}
