import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Diagnostic } from "../../src/base/diagnostic.ts";
import { renderDiagnostic } from "../../src/base/render.ts";
import { createReport } from "../../src/base/report.ts";
import { loadModules, type Source } from "../../src/check/modules.ts";
import { checkModules } from "../../src/compile/check.ts";
import { LIBRARY } from "../support/library.ts";

const root = join(import.meta.dirname, "../..");

function textsOf(folder: string, as: string): readonly Source[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".seq"));
  return names.map((name) => ({ file: `${as}${name}`, text: readFileSync(join(folder, name), "utf8") }));
}

/** Wrong programs, one mistake each, and the files that some of them import. */
export const cases = textsOf(import.meta.dirname, "");
export const files = new Map(
  [...cases, ...textsOf(join(import.meta.dirname, "files"), "files/")].map((source) => [source.file, source.text]),
);

/** Programs that are as they should be, or name what is not built yet. */
export const programs = [...textsOf(join(root, "test/syntax/sketches"), ""), ...textsOf(join(root, "models"), "")];

export interface Diagnosed {
  readonly diagnostics: readonly Diagnostic[];
  /** As a terminal shows them. */
  readonly text: string;
}

/** Reads and checks a program as `seqc check` does; `others` are the files that it can import. */
export function diagnose(entry: Source, others: ReadonlyMap<string, string> = files): Diagnosed {
  const report = createReport();
  const resolve = (path: string, from: string): Source | undefined => {
    const file = normalize(join(dirname(from), path));
    const text = others.get(file);
    return text === undefined ? undefined : { file, text };
  };
  const modules = loadModules(entry, LIBRARY, resolve, report);
  checkModules(modules, report);
  const sources = new Map([...modules.all].map(([file, module]) => [file, module.text]));
  const text = report.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, sources)).join("\n\n");
  return { diagnostics: report.diagnostics, text };
}
