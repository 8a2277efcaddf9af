import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { cases, diagnose, programs } from "./diagnose.ts";

vi.setConfig({ testTimeout: 60_000 });

const RUNS = 250;

/** One that is slow by design is `large.test.ts`'s to try. */
const texts = [...programs, ...cases.filter(({ file }) => file !== "too-involved.seq")];
const tokens = (text: string): readonly string[] => text.match(/\/\/[^\n]*|"[^"\n]*"|\w+|\s+|[^\w\s]/g) ?? [];
const isReal = (token: string): boolean => token.trim() !== "" && !token.startsWith("//");
const isWord = (token: string): boolean => /^\w/.test(token);

interface Change {
  readonly kind: "delete" | "duplicate" | "swap" | "replace";
  /** Which tokens, as parts of the whole text. */
  readonly at: number;
  readonly other: number;
}

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change["kind"]>("delete", "duplicate", "swap", "replace", "swap", "replace"),
  at: part,
  other: part,
});

/** The program with some tokens deleted, doubled, or put where other tokens of their kind stand. */
function changed(text: string, changes: readonly Change[]): string {
  const parts = [...tokens(text)];
  const places = parts.flatMap((token, place) => (isReal(token) ? [place] : []));
  for (const { kind, at, other } of changes) {
    const place = places[Math.floor(at * places.length)] ?? 0;
    const token = parts[place] ?? "";
    const alike = places.filter((one) => isWord(parts[one] ?? "") === isWord(token));
    const second = alike[Math.floor(other * alike.length)] ?? 0;
    const moved = parts[second] ?? "";
    if (kind === "delete") parts[place] = "";
    if (kind === "duplicate") parts[place] = `${token} ${token}`;
    if (kind === "swap") parts[second] = token;
    if (kind === "swap" || kind === "replace") parts[place] = moved;
  }
  return parts.join("");
}

test("a damaged program gives diagnostics, and nothing is thrown", () => {
  const program = fc.constantFrom(...texts);
  fc.assert(
    fc.property(program, fc.array(change, { minLength: 1, maxLength: 4 }), ({ file, text }, changes) => {
      diagnose({ file, text: changed(text, changes) });
    }),
    { numRuns: RUNS },
  );
});

/** Expressions of any kind, right or wrong, over the names of the model below. */
const expression = fc.letrec<{ readonly any: string }>((tie) => {
  const name = fc.constantFrom(
    ...["x", "y", "ids", "b", "n", "W", "m", "t", "a", "c", "D", "T", "K", "3", "0.5", "f", "cell", "inf", "training"],
  );
  const subscript = fc.constantFrom(
    "t",
    "t-1",
    "t+1",
    ":t",
    ":t+1",
    "t-1-k",
    "0",
    "2",
    "T-1",
    "ids",
    ":",
    "1:",
    "n",
    "i+j",
    "-1",
  );
  const called = fc.constantFrom(
    ...[
      "sum",
      "mean",
      "max",
      "softmax",
      "argmax",
      "tanh",
      "where",
      "concat",
      "reshape",
      "one_hot",
      "eye",
      "diag",
      "grad",
    ],
    ...[
      "any",
      "norm",
      "f",
      "cell",
      "dropout",
      "relu",
      "Linear",
      "conv",
      "pool",
      "cumsum",
      "cell.state",
      "normal",
      "tower",
    ],
  );
  const axes = fc.constantFrom("", "", "[T]", "[D]", "[batch]", "[28]", "[T, D]");
  const operator = fc.constantFrom("+", "-", "*", "/", "@", "**", "<", "==", "and", "%");
  const any = tie("any");
  return {
    any: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      name,
      fc.tuple(any, operator, any).map(([left, sign, right]) => `(${left} ${sign} ${right})`),
      fc
        .tuple(called, axes, fc.array(any, { minLength: 1, maxLength: 3 }))
        .map(([f, over, given]) => `${f}${over}(${given.join(", ")})`),
      fc.tuple(name, fc.array(subscript, { minLength: 1, maxLength: 2 })).map(([of, at]) => `${of}[${at.join(", ")}]`),
      any.map((value) => `(${value}) else 0`),
      any.map((value) => `-${value}`),
      fc.constantFrom("scan cell over x", "scan cell over x reverse", "W.T", "not b", "s.h", "[D, 2]", "BOS"),
    ),
  };
}).any;

const target = fc.constantFrom("a", "a[t]", "a[i, j]", "a[t, k in 3]", "a[i in D]", "a, s", "a[t], s[t]");

test("any equation gives diagnostics or a program, and nothing is thrown", () => {
  fc.assert(
    fc.property(target, expression, expression, (left, first, second) => {
      const { text } = diagnose({
        file: "m.seq",
        text: `model M(V, D = 4, K = 28) {
  time T
  in x: [T, D], y: [D], ids: tok(V)[T], b: bool[T], n: [], m: [28, 28]
  param W: [D, D]
  use f = Linear(D, D), cell = GRU(D, D), tower = stack 2 of Dense(D, D)
  ${left} = ${first}
  c[t] = ${second}
  emit l: [] ~ normal(n, 1)
}
train r of M {
  data x, y, ids, b, n, m, l = csv("a.csv")
  minimize nll(l) + sum(a)
  optim adam(1e-3)
  for 1 epochs
}
`,
      });
      expect(text).not.toMatch(/~\d|internal/);
    }),
    { numRuns: RUNS },
  );
});
