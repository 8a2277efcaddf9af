import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);

/** The text of a file of an installed package. */
export function packageText(path: string): string {
  return readFileSync(packagePath(path), "utf8");
}

/** The bytes of a file of an installed package. */
export function packageBytes(path: string): Uint8Array {
  return readFileSync(packagePath(path));
}

/** Where a file of a package lies, whatever the package says that it exports. */
function packagePath(path: string): string {
  const folders = require.resolve.paths(path) ?? [];
  const found = folders.map((folder) => join(folder, path)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${path} is not installed: run npm install`);
  return found;
}
