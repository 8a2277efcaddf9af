import { readUnsigned, unsigned } from "./encode-bytes.ts";
import type { Code } from "./encode-code.ts";

/* What code does with local variables. */

const KINDS = { 32: "get", 33: "set", 34: "tee" } as const;
const BYTES = { get: 0x20, set: 0x21, tee: 0x22 } as const;

export type LocalUse = { readonly kind: keyof typeof BYTES; readonly index: number };

/** The variable that an instruction itself reads or writes. */
export function localUse({ op }: Code): LocalUse | undefined {
  const [first] = op;
  if (first !== 0x20 && first !== 0x21 && first !== 0x22) return undefined;
  return { kind: KINDS[first], index: readUnsigned(op, 1) };
}

/** The same instruction for another variable, or another way to use it. */
export function withLocal(code: Code, { kind, index }: LocalUse): Code {
  return { ...code, op: [BYTES[kind], ...unsigned(index)] };
}

/** What stands in order in a block, a loop or a branch of a condition. */
export function isList(code: Code): boolean {
  return code.head !== undefined || code.op.length === 0;
}

/** Calls `visit` with every instruction, in the order in which they run. */
export function visitCode(code: Code, visit: (code: Code) => void): void {
  for (const arg of code.args) visitCode(arg, visit);
  visit(code);
}
