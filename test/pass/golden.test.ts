import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { printGraph } from "../../src/ir/print.ts";
import { PASS_NAMES, PASSES } from "../../src/pass/pipeline.ts";
import { failedChecks, readGolden } from "./golden.ts";
import { expectSameMeaning } from "./meaning.ts";

describe.each(PASS_NAMES)("%s", (pass) => {
  const folder = join(import.meta.dirname, pass);
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".txt")) : [];

  test("has goldens", () => {
    expect(files.length).toBeGreaterThan(0);
  });

  test.each(files)("%s", (file) => {
    const { graph, options, checks } = readGolden(readFileSync(join(folder, file), "utf8"));
    const after = PASSES[pass](graph, options);
    expect(checks.length).toBeGreaterThan(0);
    expect(failedChecks(checks, printGraph(graph), printGraph(after)), printGraph(after)).toEqual([]);
    expectSameMeaning(graph, after, options.sizes, file);
    expect(PASSES[pass](graph, { ...options }), "the same again").toEqual(after);
  });
});
