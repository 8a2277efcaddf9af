import { expect, test } from "vitest";
import type { Diagnostic, Fix } from "../../src/base/diagnostic.ts";
import { applyFixes } from "../../src/base/edit.ts";
import { linesOf, lineText, placeOf } from "../../src/base/lines.ts";
import { editDistance, nearest } from "../../src/base/nearest.ts";
import { diagnosticToJson, renderDiagnostic } from "../../src/base/render.ts";
import { createReport } from "../../src/base/report.ts";

const span = (start: number, end: number, file = "a.seq") => ({ file, start, end });

test("a report keeps a code at a place once", () => {
  const report = createReport();
  report.add("rank", span(0, 1), "first");
  report.add("rank", span(0, 1), "again");
  report.add("rank", span(0, 1, "b.seq"), "elsewhere");
  report.add("no-range", span(0, 1), "another code");
  expect(report.diagnostics.map(({ message }) => message)).toEqual(["first", "elsewhere", "another code"]);
});

test("only errors are errors", () => {
  const report = createReport();
  report.add("unused-name", span(0, 1), "unused", { severity: "warning" });
  expect(report.hasErrors).toBe(false);
  report.add("rank", span(0, 1), "rank");
  expect(report.hasErrors).toBe(true);
});

const shape: Diagnostic = {
  code: "shape-mismatch",
  severity: "error",
  message: "[H] does not fit [E]",
  span: span(24, 29),
  related: [
    { span: span(2, 8), message: "[H] comes from here" },
    { span: span(4, 9, "b.seq"), message: "[E] comes from here" },
    { span: span(4, 9, "gone.seq"), message: "and from a file that is not at hand" },
  ],
  hint: "write `x`",
  fix: { title: "write `x`", edits: [{ span: span(24, 29), text: "x" }] },
};
const files = new Map([
  ["a.seq", "a\nb [H] c\nsome more lines\n\tx + yy\n"],
  ["b.seq", "one\ntwo three"],
]);

test("a diagnostic shows every place with the user's own line", () => {
  expect(renderDiagnostic({ ...shape, span: span(28, 34) }, files)).toBe(`error[shape-mismatch]: [H] does not fit [E]
 --> a.seq:4:3
  |
4 |     x + yy
  |      ^^^^^
note: [H] comes from here
 --> a.seq:2:1
  |
2 | b [H] c
  | ^^^^^^
note: [E] comes from here
 --> b.seq:2:1
  |
2 | two three
  | ^^^^^
note: and from a file that is not at hand
 --> gone.seq
  = hint: write \`x\`
  = fix: write \`x\``);
});

test("a span over lines has carets under each of them, and a long one is shortened", () => {
  const text = Array.from({ length: 12 }, (_, at) => `  line ${at + 1}`).join("\n");
  const shown = renderDiagnostic(
    { code: "rank", severity: "warning", message: "m", span: span(4, 18), related: [] },
    new Map([["a.seq", text]]),
  );
  expect(shown).toBe(`warning[rank]: m
 --> a.seq:1:5
  |
1 |   line 1
  |     ^^^^
2 |   line 2
  |   ^^^^^^`);
  const long = renderDiagnostic(
    { code: "rank", severity: "error", message: "m", span: span(0, text.length), related: [] },
    new Map([["a.seq", text]]),
  );
  expect(long.split("\n").filter((line) => line.includes("line")).length).toBe(6);
  expect(long).toContain("\n...\n");
  expect(long).toContain("12 |   line 12");
});

test("carets stand under wide letters, marks and pictures, and a place at the end has one", () => {
  const at = (text: string, start: number, end: number) =>
    renderDiagnostic(
      { code: "rank", severity: "error", message: "m", span: span(start, end), related: [] },
      new Map([["a.seq", text]]),
    )
      .split("\n")
      .at(-1);
  expect(at("日本 x", 3, 4)).toBe("  |      ^");
  expect(at("😀 x", 3, 4)).toBe("  |    ^");
  expect(at("e\u0301 x", 3, 4)).toBe("  |   ^");
  expect(at("\t\tx", 2, 3)).toBe("  |         ^");
  expect(at("x", 1, 1)).toBe("  |  ^");
  expect(at("", 0, 0)).toBe("  | ^");
  expect(at("x\n", 2, 2)).toBe("  | ^");
});

test("a very long line is cut around its carets", () => {
  const text = `${"a".repeat(5000)}!${"b".repeat(5000)}`;
  const shown = renderDiagnostic(
    { code: "rank", severity: "error", message: "m", span: span(5000, 5001), related: [] },
    new Map([["a.seq", text]]),
  );
  const [line, carets] = shown.split("\n").slice(-2);
  expect(line!.length).toBeLessThan(180);
  expect(line![carets!.indexOf("^")]).toBe("!");
});

test("nothing of the source steers the terminal, and colours only where asked", () => {
  const text = "x\u001b[31m\u202e";
  const diagnostic: Diagnostic = { code: "rank", severity: "error", message: `m\u001b`, span: span(0, 1), related: [] };
  expect(renderDiagnostic(diagnostic, new Map([["a.seq", text]]))).not.toMatch(/\p{Cc}(?<!\n)|\u202e/u);
  expect(renderDiagnostic(diagnostic, new Map([["a.seq", text]]), { color: true })).toContain("\u001b[1;31m");
});

test("json has the same with lines and columns from 1", () => {
  expect(diagnosticToJson(shape, files)).toEqual({
    file: "a.seq",
    start: { line: 3, column: 15 },
    end: { line: 4, column: 4 },
    code: "shape-mismatch",
    severity: "error",
    message: "[H] does not fit [E]",
    related: [
      { file: "a.seq", start: { line: 2, column: 1 }, end: { line: 2, column: 7 }, message: "[H] comes from here" },
      { file: "b.seq", start: { line: 2, column: 1 }, end: { line: 2, column: 6 }, message: "[E] comes from here" },
      {
        file: "gone.seq",
        start: { line: 1, column: 5 },
        end: { line: 1, column: 10 },
        message: "and from a file that is not at hand",
      },
    ],
    hint: "write `x`",
    fix: {
      title: "write `x`",
      edits: [{ file: "a.seq", start: { line: 3, column: 15 }, end: { line: 4, column: 4 }, text: "x" }],
    },
  });
});

test("lines end with every kind of line end", () => {
  const lines = linesOf("a\r\nb\rc\n");
  expect([1, 2, 3, 4].map((line) => lineText(lines, line))).toEqual(["a", "b", "c", ""]);
  expect(placeOf(lines, 3)).toEqual({ line: 2, column: 1 });
  expect(placeOf(lines, 7)).toEqual({ line: 4, column: 1 });
});

const fix = (...edits: readonly (readonly [number, number, string])[]): Fix => ({
  title: "t",
  edits: edits.map(([start, end, text]) => ({ span: span(start, end), text })),
});

test("fixes are applied in any order, and one that overlaps an earlier one waits", () => {
  expect(applyFixes("abcdef", [fix([4, 5, "E"]), fix([0, 1, "A"], [2, 3, "C"])])).toBe("AbCdEf");
  expect(applyFixes("abcdef", [fix([1, 4, "-"]), fix([3, 5, "+"]), fix([5, 6, "F"])])).toBe("a-eF");
  expect(applyFixes("abcdef", [fix([1, 2, "B"]), fix([0, 1, "A"], [1, 2, "X"])])).toBe("aBcdef");
  expect(applyFixes("ab", [fix([1, 1, "-"]), fix([1, 1, "+"])])).toBe("a-b");
  expect(applyFixes("ab", [fix([1, 9, "-"])])).toBe("ab");
  expect(applyFixes("ab", [])).toBe("ab");
});

test("the nearest name is a slip of the fingers away, or none", () => {
  const known = ["model", "param", "sigmoid", "softmax", "LSTM", "x", "in"];
  expect(nearest("modle", known)).toBe("model");
  expect(nearest("parm", known)).toBe("param");
  expect(nearest("sigmiod", known)).toBe("sigmoid");
  expect(nearest("lstm", known)).toBe("LSTM");
  expect(nearest("relu", known)).toBeUndefined();
  expect(nearest("y", known)).toBeUndefined();
  expect(nearest("", known)).toBeUndefined();
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("ab", "ba")).toBe(2);
});
