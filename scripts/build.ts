import { mkdirSync, rmSync, utimesSync } from "node:fs";
import { join, resolve } from "node:path";
import { writeBundle } from "./bundle.ts";
import { writeDeclarations } from "./declarations.ts";

/**
 * `node scripts/build.ts [FOLDER]` writes what the package ships into FOLDER, `dist` where nothing is said: JavaScript for Node and
 * bundlers, declarations, and the licenses of the packages that are built in.
 */
async function build(folder: string): Promise<void> {
  const started = new Date();
  const root = resolve(import.meta.dirname, "..");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await Promise.all([writeBundle(root, folder), writeDeclarations(root, join(folder, "types"))]);
  // What changes while this runs is newer: `bin/seqc.js` compares.
  utimesSync(join(folder, "cli.js"), started, started);
}

await build(resolve(process.argv[2] ?? "dist"));
