#!/usr/bin/env node
// Runs what is built. In a checkout where nothing is built, or something is newer than that, it runs the sources as they are.
import { existsSync } from "node:fs";
import { dirname, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { isFresh } from "./fresh.js";

const ROOT = dirname(import.meta.dirname) + sep;
const BUILT = `${ROOT}dist/cli.js`;
const SOURCE = `${ROOT}src/cli/main.ts`;

await import(pathToFileURL(!existsSync(SOURCE) || isFresh(ROOT, BUILT) ? BUILT : SOURCE).href);
