/** What was asked cannot be done here, through no fault of this code. */
export class HintedError extends Error {
  /** What is wrong; `message` has the hint as well. */
  readonly reason: string;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(reason: string, hint?: string, where = "") {
    super(`${where}${reason}${hint === undefined ? "" : `\n  hint: ${hint}`}`);
    this.reason = reason;
    this.hint = hint;
  }
}
