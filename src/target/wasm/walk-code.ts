import type { Code } from "./encode-code.ts";

/** What stands in order in a block, a loop or a branch of a condition. */
export function isList(code: Code): boolean {
  return code.head !== undefined || code.op.length === 0;
}

/** Calls `visit` with every instruction, in the order in which they run. */
export function visitCode(code: Code, visit: (code: Code) => void): void {
  for (const arg of code.args) visitCode(arg, visit);
  visit(code);
}
