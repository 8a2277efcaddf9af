import type { Term } from "./shader.ts";

/** The number of a thread in its group. */
export const THREAD: Term = { code: "thread", depth: 0, dtype: "int" };
