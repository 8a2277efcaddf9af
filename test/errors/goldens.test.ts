import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CODES } from "../../src/base/codes.ts";
import type { Diagnostic, Fix } from "../../src/base/diagnostic.ts";
import { applyFixes } from "../../src/base/edit.ts";
import type { Source } from "../../src/check/modules.ts";
import { cases, diagnose, files } from "./diagnose.ts";

/** The codes in `// expect: a b`, one for each finding. */
function expected({ file, text }: Source): readonly string[] {
  const line = /^\/\/ expect: ([a-z -]+)\n/.exec(text);
  if (line?.[1] === undefined) throw new Error(`${file} does not begin with // expect: code`);
  return line[1].split(" ");
}

function apply(fix: Fix, texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const changed = new Map(texts);
  for (const file of new Set(fix.edits.map(({ span }) => span.file))) {
    const edits = fix.edits.filter(({ span }) => span.file === file);
    changed.set(file, applyFixes(texts.get(file) ?? "", [{ title: fix.title, edits }]));
  }
  return changed;
}

function isSame(a: Diagnostic, b: Diagnostic): boolean {
  return a.code === b.code && a.message === b.message;
}

describe.each(cases.map((source) => [source.file, source] as const))("%s", (file, source) => {
  const found = diagnose(source);

  test("says what is wrong, once", async () => {
    expect(found.diagnostics.map(({ code }) => code).toSorted()).toEqual([...expected(source)].toSorted());
    await expect(`${found.text}\n`).toMatchFileSnapshot(file.replace(/\.seq$/, ".txt"));
  });

  test("speaks plainly, and says what to write", () => {
    for (const { message, hint, fix, related } of found.diagnostics) {
      for (const text of [message, hint, fix?.title, ...related.map((place) => place.message)]) {
        expect(text ?? "").not.toMatch(/~\d|\bundefined\b|\bNaN\b|internal|\[object|\bseveral\b|[^.]\.$/);
      }
      expect(hint ?? fix?.title, message).toBeDefined();
    }
  });

  test("its fixes fix it", () => {
    for (const diagnostic of found.diagnostics) {
      if (diagnostic.fix === undefined) continue;
      const texts = apply(diagnostic.fix, files);
      const after = diagnose({ file, text: texts.get(file) ?? "" }, texts);
      expect(after.diagnostics.filter((other) => isSame(other, diagnostic))).toEqual([]);
      const errors = after.diagnostics.filter(({ severity }) => severity === "error");
      const worse = errors.filter((other) => !found.diagnostics.some((before) => before.code === other.code));
      expect(worse, `after: ${diagnostic.fix.title}`).toEqual([]);
    }
  });
});

test("every golden has its program", () => {
  const known = cases.map(({ file }) => file.replace(/\.seq$/, ".txt"));
  const goldens = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".txt"));
  expect(goldens.filter((name) => !known.includes(name))).toEqual([]);
});

/** Codes whose findings come from a data file or from limits; their tests are `test/runtime/data` and `test/api`. */
const ELSEWHERE: ReadonlySet<string> = new Set(["wrong-data", "too-large"]);

test("every code of checking has a program", () => {
  const codes = Object.keys(CODES);
  const checked = codes.slice(codes.indexOf("duplicate-name")).filter((code) => !ELSEWHERE.has(code));
  const shown = new Set(cases.flatMap(expected));
  expect(checked.filter((code) => !shown.has(code))).toEqual([]);
});
