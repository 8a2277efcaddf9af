import type { Source } from "../../src/check/modules.ts";
import { readLibrary } from "../../src/runtime/library.ts";

/** The library of the package, read once for all tests of a process. */
export const LIBRARY: readonly Source[] = readLibrary();
