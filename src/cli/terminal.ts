import type { Diagnostic } from "../base/diagnostic.ts";
import { renderDiagnostic } from "../base/render.ts";

/** Data, for people and programs: to stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Everything that is said beside it: to stderr. */
export function talk(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Whether stderr shows colours: on a terminal, unless `NO_COLOR` is set (no-color.org). */
export function hasColor(): boolean {
  return process.stderr.isTTY === true && (process.env.NO_COLOR ?? "") === "";
}

/** All diagnostics as a terminal shows them, then how many there are. */
export function talkDiagnostics(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string>): void {
  if (diagnostics.length === 0) return;
  for (const diagnostic of diagnostics) talk(`${renderDiagnostic(diagnostic, sources, { color: hasColor() })}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const counts = [counted(errors, "error"), counted(diagnostics.length - errors, "warning")];
  talk(counts.filter((count) => count !== "").join(", "));
}

/** `2 errors`; empty for none. */
export function counted(count: number, what: string): string {
  return count === 0 ? "" : `${count} ${what}${count === 1 ? "" : "s"}`;
}
