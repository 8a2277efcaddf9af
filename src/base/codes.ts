/**
 * Every diagnostic's stable code, with the sentence that documentation shows for it.
 * A code never changes its meaning; a new kind of mistake gets a new code.
 */
export const CODES = {
  // reading
  "not-text": "The file is not UTF-8 text.",
  "empty-file": "The file has no declarations.",
  "too-deep": "Brackets are nested deeper than the reader allows.",
  "unexpected-character": "A character that no token starts with.",
  "unclosed-string": "A string that does not end on its line.",
  "unclosed-bracket": "A bracket or brace that is never closed.",
  "unexpected-token": "The grammar allows something else here.",
  "bad-number": "A number that is not written as one, or is too large for one.",
  "bad-escape": "A backslash in a string is followed by something that it does not escape.",
  "chained-comparison": "Comparisons do not chain: `a < b < c` has two meanings.",
  "misplaced-part": "A part of an item stands where the item does not take one.",
  "too-many-errors": "The file has more reading errors than are worth listing.",

  // names and files
  "duplicate-name": "A name has two meanings.",
  "unknown-name": "Nothing has this name.",
  "unknown-file": "An imported file does not exist.",
  "import-cycle": "Files import each other in a circle.",
  "unknown-member": "A value has no such part.",
  "unused-name": "A name that nothing reads.",
  "misplaced-item": "An item stands in a kind of definition that does not take it.",
  "too-large": "A source is larger than the limits that it is compiled under.",
  "missing-item": "A definition lacks an item that its kind needs.",

  // shapes
  "shape-mismatch": "Two shapes do not fit.",
  "axis-missing": "A shape has no such axis.",
  "ambiguous-fit": "A shape fits another in more than one way.",
  "product-mismatch": "The last axes of the two sides of a product differ.",
  "equal-squares": "A product of equal axes could have met either one.",
  "does-not-divide": "A size does not divide.",
  "unknown-size": "The number that a size is must be known here.",
  "negative-size": "A size is less than zero.",
  "reshape-size": "A reshape changes how many numbers there are.",
  "reshape-ragged": "A reshape cannot merge an axis whose length differs by example.",
  rank: "A value has too few axes.",
  "wrong-kind": "A value of another kind is needed here.",
  "token-size": "Tokens of another vocabulary.",

  // equations
  "missing-prime": "A state is given a next value without a prime.",
  "missing-next": "A state has no next value.",
  "not-a-state": "A prime on a name that is neither a state nor a param.",
  "no-delay": "A value needs itself at the same index.",
  "two-directions": "A recurrence reads both earlier and later.",
  "reads-all": "A recurrence needs all of itself at every index.",
  "no-range": "What an index ranges over is not said.",
  "two-ranges": "An index ranges over two different axes.",
  "missing-else": "A value is read where it does not hold.",
  "late-start": "A value that does not hold everywhere is read whole.",
  "needless-else": "An else behind a value that always holds.",
  "varying-axis": "A slice whose size differs by index leaves its equation.",
  "bare-cell": "A cell is called like a function.",
  "not-callable": "Only definitions and functions can be called.",
  "wrong-arguments": "A call gives too many, too few or unknown arguments.",
  "missing-parameter": "A definition's parameter is not given.",
  "needs-use": "A definition with weights needs a name of its own.",
  "too-many-names": "More names on the left than values on the right.",
  "duplicate-axis-index": "One index stands twice on the left.",
  "endless-definition": "Definitions use each other without end.",
  "too-involved": "More equations or definitions need each other than can be followed.",
  "moves-by-example": "A param would move differently for each example.",
  "not-scalar": "A single number is needed here.",

  // emissions and regimes
  "sees-answer": "An emission that could see its own answer.",
  "no-probability": "A distribution without log_prob.",
  "cannot-sample": "A distribution that cannot be drawn from.",
  "nothing-emitted": "A name that is not emitted.",
  "unreached-weight": "A weight that no objective reaches.",
  "no-gradient": "No gradient flows through a draw that is a choice.",
  "idle-player": "An objective that does not depend on the part that it is to train.",
  "missing-weight": "A mapping that gives an instance some of its weights and not all.",
  "missing-clause": "A training regime lacks a clause.",
  "duplicate-clause": "A clause is given twice.",
  "wrong-option": "An option that does not exist or has the wrong value.",
  "missing-input": "An input that no data line gives.",
  "unknown-reader": "No data reader has this name.",
  "wrong-data": "A data file does not hold what the model expects.",
  "not-yet": "The language has it, this version of the compiler does not.",
} as const satisfies Record<string, string>;

export type DiagnosticCode = keyof typeof CODES;
