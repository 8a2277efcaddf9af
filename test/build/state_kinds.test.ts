import { describe, expect, test } from "vitest";
import { compileText, forwardOf, openJob, renderFindings } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

/** What was heard before, whether anything was ever heard twice in a row, and how often. */
const CELL = `cell Repeats(V) {
  in    x: tok(V)
  state last: tok(V) = 3, twice: bool, count: []
  last'  = x
  twice' = twice or last == x
  count' = count + where(last == x, 1, 0)
  out where(twice', count', -1), last
}`;

function model(cell = CELL): string {
  return `${cell}
model M(V = 5) {
  time T
  in   x: tok(V)[T]
  use  c = Repeats(V)
  y, before, s = scan c over x
  emit z: [T] ~ normal(y, 1)
}`;
}

describe("states that are tokens or truths", () => {
  test.each([true, false])("are carried as what they are (dense: %s)", (dense) => {
    const program = compileText(model(), { values: ["y", "before", "s.last", "s.count"], dense });
    const x = { shape: [2, 4], data: Float64Array.of(3, 1, 1, 2, 4, 4, 4, 0) };
    const given = {
      x,
      z: { shape: [2, 4], data: new Float64Array(8) },
      ...(dense ? {} : { "T.length": { shape: [2], data: Float64Array.of(4, 3) } }),
    };
    const results = evaluate(program.graph, feed(program, given, { sizes: { V: 5 } }));
    const found = (name: string) => Array.from(readArray(program, results, `value.${name}`).data);
    expect(found("y").slice(0, 7)).toEqual([1, 1, 2, 2, -1, 1, 2]);
    expect(found("before").slice(0, 7)).toEqual([3, 3, 1, 1, 3, 4, 4]);
    expect(found("s.last")).toEqual(dense ? [2, 0] : [2, 4]);
    expect(found("s.count")).toEqual([2, 2]);
  });

  test.each([
    [
      "twice' = twice or last == x",
      "twice' = where(last == x, 1.0, 0.0)",
      "the state twice is true or false, and its next value numbers",
    ],
    ["tok(V) = 3", "tok(V) = 0.5", "this state is tokens, and starts as numbers"],
    [
      "count' = count + where(last == x, 1, 0)",
      "count' = last == x",
      "the state count is numbers, and its next value true or false",
    ],
  ])("keep their kind: %s", (from, to, message) => {
    const job = openJob(model(CELL.replace(from, to)));
    forwardOf(job, {});
    expect(renderFindings(job)).toContain(message);
  });

  test("BOS starts a state of tokens", () => {
    const job = openJob(`cell Begun(V) {
  in    x: tok(V)
  state last: tok(V) = BOS
  use   e = Embed(V, V)
  last' = x
  out e(last)
}
model M(V) {
  time T
  in   x: tok(V)[T]
  use  c = Begun(V)
  y = scan c over x
  emit x[t+1] ~ categorical(y[t])
}`);
    expect(forwardOf(job, {})?.inputs.map(({ specials }) => specials)).toEqual([["BOS"]]);
    expect(renderFindings(job)).toBe("");
  });
});
