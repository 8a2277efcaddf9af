/** A file by its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}
