import type { Diagnostic } from "../src/index.ts";
import type { DataName } from "./data.ts";

/** What the page asks of its worker. Answers of a view have its number. */
export type Request =
  | { readonly kind: "view"; readonly number: number; readonly view: View; readonly source: SourceState }
  | { readonly kind: "train"; readonly source: SourceState; readonly steps: number; readonly target: Target }
  | { readonly kind: "stop" };

/** The source as it stands in the editor, and what it is trained on. */
export interface SourceState {
  readonly text: string;
  /** The train block; the first where it has none of this name. */
  readonly block: string;
  readonly data: DataName;
}

export type Target = "wasm" | "webgpu";

export type View = "equations" | "before" | "after" | "plan" | "wgsl" | "ts" | "summary";

export type Answer =
  | { readonly kind: "view"; readonly number: number; readonly text: string; readonly isPicture: boolean }
  | { readonly kind: "wrong"; readonly number: number; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: "progress"; readonly losses: readonly number[]; readonly step: number; readonly perSecond: number }
  | { readonly kind: "sample"; readonly step: number; readonly text: string }
  | { readonly kind: "ended"; readonly why: string; readonly failed: boolean };
