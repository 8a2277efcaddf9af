import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The text of a file of an installed package. */
export function packageText(path: string): string {
  return readFileSync(require.resolve(path), "utf8");
}

/** The bytes of a file of an installed package. */
export function packageBytes(path: string): Uint8Array {
  return readFileSync(require.resolve(path));
}
