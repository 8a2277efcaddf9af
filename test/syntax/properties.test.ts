import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { CONTEXTUAL, RESERVED } from "../../grammar/tokens.ts";
import { renderDiagnostic } from "../../src/base/render.ts";
import { createReport } from "../../src/base/report.ts";
import { balance } from "../../src/syntax/brackets.ts";
import { format } from "../../src/syntax/format.ts";
import { lex } from "../../src/syntax/lex.ts";
import { createReading, documentation } from "../../src/syntax/reading.ts";
import { readInParts } from "../../src/syntax/recover.ts";
import type { File } from "../../src/syntax/tree.ts";
import { children, descendants, printExpression } from "../../src/syntax/walk.ts";
import { expression, file } from "./arbitrary.ts";
import { meaning, read, readWell, sources } from "./read.ts";

vi.setConfig({ testTimeout: 30_000 });

const texts = sources("sketches").map(([, text]) => text);

test("a tree prints, and reads back to itself", () => {
  fc.assert(
    fc.property(file, (tree) => {
      const text = format(tree, "");
      expect(meaning(readWell(text)), text).toBe(meaning(tree));
    }),
    { numRuns: 500 },
  );
});

test("an expression prints on one line, and reads back to itself", () => {
  fc.assert(
    fc.property(expression, (tree) => {
      const text = printExpression(tree);
      expect(text).not.toContain("\n");
      const [only] = readWell(`expect ${text}`).declarations;
      expect(only?.kind === "expect" && meaning(only.value), text).toBe(meaning(tree));
    }),
    { numRuns: 500 },
  );
});

test("the children of an expression are what it has inside", () => {
  fc.assert(
    fc.property(expression, (tree) => {
      const kinds = JSON.stringify(tree).match(/"kind":"(?!at|slice)/g) ?? [];
      expect([...descendants(tree)].length).toBe(kinds.length);
      expect(children(tree).length).toBeLessThan(kinds.length);
    }),
  );
});

test("what is printed does not change when it is formatted again", () => {
  fc.assert(
    fc.property(file, (tree) => {
      const text = format(tree, "");
      expect(format(readWell(text), text)).toBe(text);
    }),
    { numRuns: 200 },
  );
});

/** Reads a text the way a broken file is read. */
function readBroken(text: string): Pick<File, "declarations"> {
  const report = createReport();
  const reading = createReading(text, "a.seq", report);
  const { tokens, comments } = lex(reading);
  const declarations = readInParts(reading, balance(reading, tokens), documentation(comments, text));
  reading.finish();
  expect(report.diagnostics).toEqual([]);
  return { declarations };
}

test("recovery sees in a file without faults what the grammar sees", () => {
  for (const text of texts)
    expect(meaning(readBroken(text))).toBe(meaning({ declarations: readWell(text).declarations }));
});

const junk = fc.oneof(
  fc.constantFrom(
    ...RESERVED,
    ...CONTEXTUAL,
    ..."( ) [ ] { } , : = == ~ -> - + ' \" @ ** . / // /// # ; ! && é 1 1e 0x 3x 'a'".split(" "),
  ),
  fc.string({ maxLength: 3 }),
);
const mutation = fc.record({
  at: fc.nat(),
  length: fc.nat({ max: 12 }),
  insert: fc.array(junk, { maxLength: 3 }),
  blank: fc.constantFrom("", " ", "\n"),
});
const mutated = fc
  .tuple(fc.constantFrom(...texts), fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([text, mutations]) =>
    mutations.reduce((result, { at, length, insert, blank }) => {
      const start = at % (result.length + 1);
      return result.slice(0, start) + blank + insert.join(blank) + blank + result.slice(start + length);
    }, text),
  );

/** What holds for every text whatsoever. */
function check(text: string): void {
  const { tree, diagnostics } = read(text);
  const sources = new Map([["a.seq", text]]);
  expect(tree.unread.length > 0 || tree.declarations.length === 0, "a hole without an error, or the reverse").toBe(
    diagnostics.length > 0,
  );
  for (const diagnostic of diagnostics) {
    expect(renderDiagnostic(diagnostic, sources)).toContain(diagnostic.code);
    for (const { span } of [diagnostic, ...diagnostic.related, ...(diagnostic.fix?.edits ?? [])]) {
      expect(span.start).toBeGreaterThanOrEqual(0);
      expect(span.end).toBeGreaterThanOrEqual(span.start);
      expect(span.end).toBeLessThanOrEqual(text.length);
    }
  }
  if (tree.unread.length > 0) expect(format(tree, text)).toBe(text);
  else if (tree.declarations.length > 0) checkFormat(text, tree);
}

function checkFormat(text: string, tree: File): void {
  const formatted = format(tree, text);
  const again = readWell(formatted);
  expect(meaning(again), text).toBe(meaning(tree));
  expect(again.comments.map((comment) => comment.text.trim()).sort()).toEqual(
    tree.comments.map((comment) => comment.text.trim()).sort(),
  );
  expect(format(again, formatted), text).toBe(formatted);
}

test("a text that was changed at random is read, or its faults are named", () => {
  fc.assert(fc.property(mutated, check), { numRuns: 1000 });
});

test("any text is read, or its faults are named", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 1000 });
  fc.assert(
    fc.property(
      fc.array(junk, { maxLength: 40 }).map((parts) => parts.join(" ")),
      check,
    ),
    { numRuns: 1000 },
  );
});

/** Comments, line ends and blank lines at random places between the tokens of a file. */
const commented = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.array(
      fc.tuple(fc.nat(), fc.constantFrom("// a\n", "/// b\n", "\n", "\n\n", "  // c\n\n", "\n// d\n", "\n/// e\n")),
      {
        minLength: 1,
        maxLength: 12,
      },
    ),
  )
  .map(([text, insertions]) =>
    insertions.reduce((result, [at, inserted]) => {
      const gaps = [...result.matchAll(/\/\/[^\n]*|"[^"\n]*"|[ \n]+/g)].filter(([found]) => found.trim() === "");
      const gap = gaps[at % gaps.length]!;
      return result.slice(0, gap.index) + gap[0] + inserted + result.slice(gap.index + gap[0].length);
    }, text),
  );

test("comments stay, wherever they stand", () => {
  fc.assert(
    fc.property(commented, (text) => checkFormat(text, readWell(text))),
    { numRuns: 500 },
  );
});
