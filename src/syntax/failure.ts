import type { IToken } from "chevrotain";
import type { Fix } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Reading } from "./reading.ts";

/** Where the parser failed: in which rule, at which of the part's tokens. */
export interface Failure {
  readonly reading: Reading;
  readonly message: string;
  readonly rule: string;
  readonly part: readonly IToken[];
  readonly at: number;
}

export interface Explanation {
  readonly place: Span;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly fix?: Fix | undefined;
}
