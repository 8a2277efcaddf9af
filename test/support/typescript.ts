import { readStandaloneSupport, readTypescriptSupport } from "../../src/runtime/typescript-support.ts";

/** What modules carry with them, read once for all tests of a process. */
export const STANDALONE = readStandaloneSupport();
export const ON_TFJS = readTypescriptSupport();
