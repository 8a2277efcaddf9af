import { mkdirSync, rmSync, utimesSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isFresh } from "../../bin/fresh.js";
import { writeBundle } from "../../scripts/bundle.ts";
import { BUILT } from "./built.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Before all tests: builds the command line anew where a source has changed, which costs less than what its starts save. */
export async function setup(): Promise<void> {
  if (isFresh(`${ROOT}/`, BUILT)) return;
  const started = new Date();
  const folder = dirname(BUILT);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await writeBundle(ROOT, folder);
  // What changes meanwhile is newer.
  utimesSync(BUILT, started, started);
}
