import type { Source } from "../check/modules.ts";
import type { SupportPart } from "../emit/bundle.ts";
import { readLibrary } from "./library.ts";

/*
 * Texts that come with the package: read from files where the sources run, data in what `scripts/evaluated.ts` has built, which runs anywhere.
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
