#!/usr/bin/env node
// Runs what is built. In a checkout where nothing is built, or something is newer than that, it runs the sources as they are.
import { readdirSync, statSync } from "node:fs";
import { dirname, sep } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = dirname(import.meta.dirname) + sep;
const BUILT = `${ROOT}dist/cli.js`;
const SOURCE = `${ROOT}src/cli/main.ts`;
/** All that `npm run build` reads. */
const INPUTS = ["package.json", "scripts", "grammar", "models/std", "src"];

await import(pathToFileURL(isBuilt() ? BUILT : SOURCE).href);

function isBuilt() {
  if (timeOf(SOURCE) === undefined) return true;
  const time = timeOf(BUILT);
  return time !== undefined && INPUTS.every((path) => isOlder(ROOT + path, time));
}

/** A file, or a folder with all that is in it. */
function isOlder(path, time) {
  const stat = statSync(path);
  return stat.mtimeMs < time && (stat.isFile() || readdirSync(path).every((name) => isOlder(`${path}/${name}`, time)));
}

function timeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
