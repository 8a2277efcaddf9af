import { resultLayouts } from "../../build/layout.ts";
import type { Program } from "../../build/program.ts";
import { lowerToTfjs } from "./lower.ts";
import type { TensorProgram } from "./program.ts";

/**
 * A compiled program as tfjs calls. Results have the layout that their roles promise.
 * @param taken names that variables must not have
 */
export function lowerProgram(program: Program, taken: Iterable<string> = []): TensorProgram {
  return lowerToTfjs(program.graph, program.sizes, { layouts: resultLayouts(program), taken });
}
