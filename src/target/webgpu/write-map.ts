import type { Plan } from "../../plan/plan.ts";
import type { Value } from "../../plan/value.ts";
import type { Kernel } from "./context.ts";
import { evaluate, type Own } from "./evaluate.ts";
import { type Positions, storeTo } from "./memory.ts";
import { placeOf } from "./place-of.ts";
import type { Term } from "./shader.ts";

/** All are computed before any is stored, so that they may replace what they read; gives them. `given` are values at hand at these positions. */
export function writeMap(kernel: Kernel, plan: Plan, outputs: readonly Value[], positions: Positions, given: Own): Own {
  const values = new Map<Value, Term | undefined>([...given, ...outputs.map((output) => [output, undefined] as const)]);
  for (const output of outputs) values.set(output, evaluate(kernel, output, positions, values));
  for (const output of outputs) {
    const value = values.get(output);
    if (value !== undefined) storeTo(kernel, placeOf(plan, output), positions, value);
  }
  return values;
}
