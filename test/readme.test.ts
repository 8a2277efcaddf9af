import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkModules } from "../src/compile/check.ts";
import { openJob, packageFile, renderFindings } from "./support/compile.ts";

const text = readFileSync(packageFile("README.md"), "utf8");
const blocks = [...text.matchAll(/```seq\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

test.each(blocks.map((block) => [block.trim().split("\n")[0] ?? "", block] as const))("README: %s", (_first, block) => {
  const job = openJob(block, { file: packageFile("models/readme.seq") });
  checkModules(job.modules, job.report);
  expect(job.report.hasErrors, renderFindings(job)).toBe(false);
});

test("the README shows three programs, and names files that exist", () => {
  expect(blocks.length).toBe(3);
  for (const [, path = ""] of text.matchAll(/\]\(((?:docs|models)\/[^)]+)\)/g)) {
    expect(() => readFileSync(packageFile(path)), path).not.toThrow();
  }
});
