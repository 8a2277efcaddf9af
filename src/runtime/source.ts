import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import type { Report } from "../base/diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import { loadModules, type Modules, type Source } from "../check/modules.ts";
import { readLibrary } from "./library.ts";

/** Reads a file, what it imports, and the library; undefined where the file itself cannot be read, which is reported. */
export function readModules(file: string, report: Report): Modules | undefined {
  const entry = readSource(file, report);
  return entry === undefined ? undefined : modulesOf(entry, report);
}

/** The same for a text that is already here. */
export function modulesOf(entry: Source, report: Report): Modules {
  return loadModules(entry, readLibrary(), resolveImport, report);
}

/** Reads a text; a missing file and a folder are reported. What is no text is the parser's to report. */
export function readSource(file: string, report: Report): Source | undefined {
  const path = normalize(file);
  const span = { file: path, start: 0, end: 0 };
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    report.add("unknown-file", span, `there is no file ${path}`, { hint: similar(path) });
    return undefined;
  }
  if (stat.isDirectory()) {
    report.add("unknown-file", span, `${path} is a folder, a file is needed`, { hint: inside(path) });
    return undefined;
  }
  try {
    return { file: path, text: readFileSync(path, "utf8") };
  } catch (error) {
    report.add("unknown-file", span, `it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function similar(path: string): string | undefined {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return `there is no folder ${folder} either`;
  const near = nearest(basename(path), sequenceFiles(folder));
  return near === undefined ? inside(folder) : `did you mean ${join(folder, near)}?`;
}

function inside(folder: string): string | undefined {
  const files = sequenceFiles(folder);
  return files.length === 0 ? undefined : `it has ${files.slice(0, 5).join(", ")}${files.length > 5 ? " ..." : ""}`;
}

function sequenceFiles(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".seq"));
}

function resolveImport(path: string, from: string): Source | undefined {
  const file = isAbsolute(path) ? path : join(dirname(from), path);
  try {
    return { file, text: readFileSync(file, "utf8") };
  } catch {
    return undefined;
  }
}
