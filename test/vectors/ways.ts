import type { Program } from "../../src/build/program.ts";
import { type Executor, interpreter, webAssembly } from "../support/execute.ts";

/** How vectors are checked: on what, and how close the numbers must come. */
export interface Way {
  readonly name: string;
  readonly execute: (program: Program) => Executor;
  /** Whether it computes with 32-bit floats. */
  readonly single: boolean;
}

export const WAYS: readonly Way[] = [
  { name: "interpreter", execute: () => interpreter, single: false },
  { name: "WebAssembly", execute: ({ sizes }) => webAssembly(sizes, true), single: true },
  { name: "WebAssembly without relaxed SIMD", execute: ({ sizes }) => webAssembly(sizes, false), single: true },
];
