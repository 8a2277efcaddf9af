import { resolve } from "node:path";

/** The command line as tests start it, which `setup.ts` has built. */
export const BUILT = resolve(import.meta.dirname, "../../.vitest/seqc/cli.js");
