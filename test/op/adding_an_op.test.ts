import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OPS } from "../../src/op/table.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("the entry that docs/adding-an-op.md shows is the one in the source", () => {
  const document = read("docs/adding-an-op.md");
  const diff = /```diff\n([\s\S]*?)```/.exec(document)?.[1] ?? "";
  const lines = diff.trimEnd().split("\n");
  expect(lines.every((line) => line.startsWith("+"))).toBe(true);
  const entry = lines.map((line) => line.slice(1)).join("\n");
  expect(entry.length).toBeGreaterThan(100);
  expect(read("src/op/map.ts")).toContain(`\n${entry}\n`);
  // It is the whole change: no other source file names the op.
  const name = /name: "(\w+)"/.exec(entry)?.[1];
  expect(OPS.filter((op) => op.name === name)).toHaveLength(1);
});

test("the files that it names exist", () => {
  const paths = read("docs/adding-an-op.md").match(/(?:src|test)\/[\w/]+\.ts/g) ?? [];
  expect(paths.length).toBeGreaterThan(5);
  for (const path of new Set(paths)) expect(read(path).length, path).toBeGreaterThan(0);
});
