import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CODES, type DiagnosticCode } from "../../src/base/codes.ts";
import { cases } from "./diagnose.ts";

/** The first code of each part of the list. */
const PARTS: readonly (readonly [title: string, first: DiagnosticCode])[] = [
  ["Reading", "not-text"],
  ["Names and files", "duplicate-name"],
  ["Shapes", "shape-mismatch"],
  ["Equations", "missing-prime"],
  ["Emissions, training and generation", "sees-answer"],
];

const INTRODUCTION = `# Errors and warnings

Every finding has a code that keeps its meaning from version to version. It shows the line of the file and what is wrong there, then
the other places that matter, a hint that says what to write, and, where there is one, the fix that \`seqc check --fix\` applies.
A warning stops nothing. A mistake inside a definition of the library or of an imported file is told where the file uses it; one
that the definition has by itself, where the definition is.

This page is made from the tests in \`test/errors\` and \`test/syntax/errors\`, one example a code; \`npm run golden\` writes it.
`;

function goldens(folder: string): readonly string[] {
  const path = join(import.meta.dirname, folder);
  return readdirSync(path)
    .filter((name) => name.endsWith(".txt"))
    .map((name) => readFileSync(join(path, name), "utf8"));
}

/** The shortest finding of a code among the goldens: of those whose only finding it is, where there are such. */
function exampleOf(code: string, all: readonly string[]): string | undefined {
  const start = new RegExp(`^(error|warning)\\[${code}\\]`);
  const blocks = all.map((golden) => golden.trimEnd().split(/\n\n(?=(?:error|warning)\[)/));
  const alone = blocks.filter((found) => found.length === 1);
  const fitting = [alone, blocks].map((group) => group.flat().filter((block) => start.test(block)));
  const [found] = (fitting.find((group) => group.length > 0) ?? []).toSorted((a, b) => weight(a) - weight(b));
  return found;
}

/** Short examples first, but one that shows a second place before one that does not. */
function weight(block: string): number {
  return block.length + (block.includes("\nnote: ") ? 0 : 400);
}

const READ = "../syntax/errors/golden";
const DATA = "../runtime/data/golden/not-a-number.txt";
const LIMITS = "../api/golden/too-large.txt";

function page(): string {
  const all = [...goldens("."), ...goldens(READ)];
  const read = (file: string): string => readFileSync(join(import.meta.dirname, file), "utf8").trimEnd();
  const elsewhere: Readonly<Record<string, string>> = {
    "wrong-data": read(DATA).split("\n---\n")[1] ?? "",
    "too-large": read(LIMITS),
  };
  const parts = Object.entries(CODES).map(([code, sentence]) => {
    const title = PARTS.find(([, first]) => first === code)?.[0];
    const example = elsewhere[code] ?? exampleOf(code, all);
    if (example === undefined) throw new Error(`${code} has no example: write a program for it`);
    return `${title === undefined ? "" : `## ${title}\n\n`}### ${code}\n\n${sentence}\n\n\`\`\`text\n${example}\n\`\`\`\n`;
  });
  return [INTRODUCTION, ...parts].join("\n");
}

test("docs/errors.md lists every code with an example", async () => {
  expect(cases.length).toBeGreaterThan(80);
  await expect(page()).toMatchFileSnapshot("../../docs/errors.md");
});
