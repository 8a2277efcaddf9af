import type { Diagnostic, Report } from "./diagnostic.ts";
import type { Span } from "./span.ts";

/** An empty report. The same code at the same place is kept once, the first time; a note at that very place is left out. */
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
        related: (more.related ?? []).filter((place) => !isSame(place.span, span)),
        ...(more.hint === undefined ? {} : { hint: more.hint }),
        ...(more.fix === undefined ? {} : { fix: more.fix }),
      });
    },
  };
}

function isSame(a: Span, b: Span): boolean {
  return a.start === b.start && a.end === b.end && a.file === b.file;
}
