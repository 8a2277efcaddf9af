import type { DiagnosticCode } from "./codes.ts";
import type { Span } from "./span.ts";

/** An error makes programs of what it is about impossible; a warning does not. */
export type Severity = "error" | "warning";

/** Another place that matters: where a conflicting shape came from, the call that led here, the first definition. */
export interface Related {
  readonly span: Span;
  readonly message: string;
}

/** A machine-applicable repair: all edits together, applied by `seqc check --fix`. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly { readonly span: Span; readonly text: string }[];
}

/** One finding about the user's source. Messages are plain sentences without a trailing full stop. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly related: readonly Related[];
  /** What to write instead, one line. */
  readonly hint?: string;
  readonly fix?: Fix;
}

/** Where a phase reports; findings of the same code at the same place are reported once. */
export interface Report {
  readonly diagnostics: readonly Diagnostic[];
  /** Severity is `error` where nothing else is said. */
  add(
    code: DiagnosticCode,
    span: Span,
    message: string,
    more?: {
      readonly severity?: Severity | undefined;
      readonly related?: readonly Related[] | undefined;
      readonly hint?: string | undefined;
      readonly fix?: Fix | undefined;
    },
  ): void;
  readonly hasErrors: boolean;
}
