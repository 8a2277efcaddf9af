#!/usr/bin/env node
// Runs what is built. In a checkout where nothing is built, or something is newer than that, it runs the sources as they are.
import { existsSync } from "node:fs";
import { dirname, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { isFresh } from "./fresh.js";

const ROOT = dirname(import.meta.dirname) + sep;
const BUILT = `${ROOT}dist/cli.js`;
const SOURCE = `${ROOT}src/cli/main.ts`;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`error: seqc needs Node 22.18 or later, and this is Node ${process.versions.node}\n`);
  process.exit(1);
}

await import(pathToFileURL(!existsSync(SOURCE) || isFresh(ROOT, BUILT) ? BUILT : SOURCE).href);
