import type { Source } from "../check/modules.ts";
import type { SupportPart } from "../emit/bundle.ts";
import { readLibrary } from "./source.ts";
import { readStandaloneSupport, readTypescriptSupport } from "./typescript-support.ts";

/*
 * Texts that come with the package. Where there are files they are read; for browsers a build puts a module with the texts in the place of
 * this one (`#shipped` in package.json).
 */

/** The standard library. */
export function shippedLibrary(): readonly Source[] {
  return readLibrary();
}

/** What emitted modules are made of beside their own code, by what they run on. */
export function shippedSupport(target: "wasm" | "tfjs"): Promise<readonly SupportPart[]> {
  return target === "wasm" ? readStandaloneSupport() : readTypescriptSupport();
}
