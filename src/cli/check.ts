import { Command } from "commander";
import type { Diagnostic } from "../base/diagnostic.ts";
import { applyFixes } from "../base/edit.ts";
import { diagnosticToJson } from "../base/render.ts";
import { createReport } from "../base/report.ts";
import { checkModules } from "../compile/check.ts";
import { readModules } from "../runtime/source.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { counted, print, talk, talkDiagnostics } from "./terminal.ts";

interface Options {
  readonly json?: boolean;
  readonly fix?: boolean;
}

export function checkCommand(): Command {
  return new Command()
    .argument("<file...>", "files to check")
    .option("--json", "diagnostics as a JSON array on stdout")
    .option("--fix", "apply the fixes that diagnostics offer")
    .action(action(check));
}

async function check(context: Context, files: readonly string[], options: Options): Promise<number> {
  const found = files.flatMap((file) => checkFile(context, file));
  const left = options.fix === true ? await fixed(context, files, found) : found;
  const unique = withoutDoubles(left);
  if (options.json === true) {
    const list = unique.map((diagnostic) => diagnosticToJson(diagnostic, context.sources));
    print(JSON.stringify(list, undefined, 2));
  } else talkDiagnostics(unique, context.sources);
  return unique.some(({ severity }) => severity === "error") ? EXIT.user : EXIT.fine;
}

function checkFile(context: Context, file: string): readonly Diagnostic[] {
  const report = createReport();
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules !== undefined) checkModules(modules, report);
  return report.diagnostics;
}

/** Two files that import a third report its mistakes twice. */
function withoutDoubles(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ code, span }) => {
    const key = `${code} ${span.file} ${span.start} ${span.end}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** One fix may uncover the next mistake; this many rounds are enough for any file that a person wrote. */
const MOST_ROUNDS = 20;

async function fixed(
  context: Context,
  files: readonly string[],
  found: readonly Diagnostic[],
): Promise<readonly Diagnostic[]> {
  const { writeAtomically } = await import("../runtime/atomic.ts");
  let left = found;
  let count = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const changed = changedTexts(left, context.sources);
    if (changed.size === 0) break;
    count += left.filter(({ fix }) => fix !== undefined).length;
    for (const [file, text] of changed) await writeAtomically(file, [new TextEncoder().encode(text)]);
    left = files.flatMap((file) => checkFile(context, file));
  }
  count -= left.filter(({ fix }) => fix !== undefined).length;
  if (count > 0) talk(`fixed ${counted(count, "problem")}`);
  return left;
}

/** The new texts of the files that fixes change; the library's own files are left alone. */
function changedTexts(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const changed = new Map<string, string>();
  for (const [file, text] of sources) {
    if (file.startsWith("std/")) continue;
    const fixes = diagnostics.flatMap(({ fix }) =>
      fix?.edits.every(({ span }) => span.file === file) === true ? [fix] : [],
    );
    const next = applyFixes(text, fixes);
    if (next !== text) changed.set(file, next);
  }
  return changed;
}
