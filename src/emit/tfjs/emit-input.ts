import type { Span } from "../../base/span.ts";
import type { Program } from "../../build/program.ts";

/** A model and its compiled programs, to be written as one module. */
export interface EmitInput {
  /** As in the source: `CharLM`. */
  readonly model: string;
  /** The source file's name, for the reader. */
  readonly file: string;
  /** The model's `///` comment. */
  readonly doc: string | undefined;
  /** Cells and layers that the model is made of, with their `///` comments. */
  readonly parts: readonly { readonly name: string; readonly doc: string }[];
  /** The sources' texts by path, for the equations above the code. */
  readonly sources: ReadonlyMap<string, string>;
  readonly forward: Program;
  readonly train: readonly EmitTraining[];
  readonly generate: readonly EmitGeneration[];
}

/** A training step: of a whole `train`, or of one player of several. */
export interface EmitTraining {
  /** `char_lm`; with one training, its functions are `start` and `trainStep`, with several, names are put behind. */
  readonly name: string;
  readonly doc: string | undefined;
  readonly program: Program;
  /** What the regime says, or 0. */
  readonly seed: number;
  /** What changes from step to step, which one step cannot hold. */
  readonly changing?: { readonly what: string; readonly span: Span } | undefined;
}

export interface EmitGeneration {
  /** With one generation, its function is `generate`, with several, names are put behind. */
  readonly name: string;
  readonly doc: string | undefined;
  readonly program: Program;
}
