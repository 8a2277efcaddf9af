import type { Report } from "../base/diagnostic.ts";
import { createReport } from "../base/report.ts";
import type { Modules, Source } from "../check/modules.ts";
import { DataError } from "../runtime/data/error.ts";
import { HintedError } from "../runtime/hinted-error.ts";
import { talk, talkDiagnostics } from "./terminal.ts";

/** What a command collects while it works: findings, and the texts that they stand in. */
export interface Context {
  readonly report: Report;
  readonly sources: Map<string, string>;
}

/** Exit codes: all is well, the user's input is at fault, seqc is. */
export const EXIT = { fine: 0, user: 1, ours: 2, interrupted: 130 } as const;

/**
 * A command's action for commander: its findings are shown, and the process ends with its exit code; findings that are errors,
 * and wrong data, are the user's (1), everything else that is thrown is ours (2).
 */
export function action<Args extends readonly unknown[]>(
  work: (context: Context, ...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const context: Context = { report: createReport(), sources: new Map() };
    try {
      const code = await work(context, ...args);
      talkDiagnostics(context.report.diagnostics, context.sources);
      process.exitCode = code === EXIT.fine && context.report.hasErrors ? EXIT.user : code;
    } catch (error) {
      process.exitCode = showError(context, error);
    }
  };
}

/** The texts of files are known to diagnostics from here on. */
export function remember(context: Context, modules: Modules | undefined, ...more: readonly Source[]): void {
  for (const { file, text } of [...(modules?.all.values() ?? []), ...more]) context.sources.set(file, text);
}

function showError({ report, sources }: Context, error: unknown): number {
  if (error instanceof HintedError) {
    if (!(error instanceof DataError) || error.span === undefined) {
      talkDiagnostics(report.diagnostics, sources);
      talk(`error: ${error.message}`);
    } else {
      const [message = ""] = error.message.split("\n  hint: ");
      report.add("wrong-data", error.span, message, { hint: error.hint });
      talkDiagnostics(report.diagnostics, sources);
    }
    return EXIT.user;
  }
  talkDiagnostics(report.diagnostics, sources);
  talk("internal error: this is a fault of seqc, not of your files. Please report it with these lines:");
  talk(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.ours;
}
