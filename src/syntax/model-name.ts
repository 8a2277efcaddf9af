import type { Expression } from "./tree.ts";
import { printExpression } from "./walk.ts";

/** `CharLM` of `CharLM(Cell: GRU)`. */
export function modelName(model: Expression): string {
  return printExpression(model.kind === "call" ? model.callee : model);
}
