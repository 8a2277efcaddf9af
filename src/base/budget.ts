/** Bounds how much is made of a source that nobody has read. */
export interface Budget {
  /** Counts one more thing that is made. Throws where that is too much; whoever made the budget catches it. */
  readonly spend: () => void;
}
