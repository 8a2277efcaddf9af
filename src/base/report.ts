import type { Diagnostic, Report } from "./diagnostic.ts";

/** An empty report. The same code at the same place is kept once, the first time. */
export function createReport(): Report {
  const diagnostics: Diagnostic[] = [];
  const seen = new Set<string>();
  return {
    diagnostics,
    get hasErrors() {
      return diagnostics.some(({ severity }) => severity === "error");
    },
    add(code, span, message, more = {}) {
      const key = `${code} ${span.start} ${span.end} ${span.file}`;
      if (seen.has(key)) return;
      seen.add(key);
      diagnostics.push({
        code,
        severity: more.severity ?? "error",
        message,
        span,
        related: more.related ?? [],
        ...(more.hint === undefined ? {} : { hint: more.hint }),
        ...(more.fix === undefined ? {} : { fix: more.fix }),
      });
    },
  };
}
