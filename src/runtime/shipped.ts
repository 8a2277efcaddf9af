import type { Source } from "../check/modules.ts";
import type { SupportPart } from "../emit/bundle.ts";
import { readLibrary } from "./library.ts";

/*
 * Texts that come with the package. From the sources they are read where there are files, and a page's bundler puts a module with the texts
 * in the place of this one (`#shipped` in package.json); the built package has them as data, and runs anywhere.
 */

/** The standard library. */
export function shippedLibrary(): readonly Source[] {
  return readLibrary();
}

/** What emitted modules are made of beside their own code, by what they run on. */
export async function shippedSupport(target: "wasm" | "tfjs"): Promise<readonly SupportPart[]> {
  const { readStandaloneSupport, readTypescriptSupport } = await import("./typescript-support.ts");
  return target === "wasm" ? readStandaloneSupport() : readTypescriptSupport();
}
