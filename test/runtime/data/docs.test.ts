import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createReport } from "../../../src/base/report.ts";
import { checkDataClause } from "../../../src/check/check-data.ts";
import { READERS } from "../../../src/check/readers.ts";
import { readClause } from "../../../src/runtime/data/clause.ts";
import { DataError } from "../../../src/runtime/data/error.ts";
import { type ShareClause, splitRows } from "../../../src/runtime/data/split.ts";
import { dataClauses, folderOf, parseClauses, read, splitClauses } from "./clauses.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/data.md"), "utf8");

function blocks(language: string): readonly string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map((match) => match[1]!);
}

/** The files that the page's snippets name. */
const FILES = {
  "tagged.jsonl": '{"words": ["a", "b"], "tag": ["x", "y"]}\n{"words": ["b"], "tag": ["y"]}\n',
  "held-out.jsonl": '{"words": ["b"], "tag": ["y"]}\n',
  "waves.ts": blocks("ts")[0]!,
};

describe("docs/data.md", () => {
  test("has snippets", () => {
    expect(blocks("seq").length).toBeGreaterThan(5);
  });

  test.each(blocks("seq"))("%s", async (source) => {
    const folder = folderOf(FILES);
    const shares = splitClauses(source).filter((clause): clause is ShareClause => clause.rule.kind === "share");
    for (const clause of parseClauses(source)) {
      const data =
        clause.kind === "data"
          ? clause
          : clause.kind === "split" && clause.rule.kind === "own"
            ? clause.rule.data
            : undefined;
      if (data === undefined) continue;
      const report = createReport();
      checkDataClause(data, report);
      expect(report.diagnostics).toEqual([]);
      const dataset = await readClause(data, { folder });
      expect(splitRows(dataset, clause.kind === "data" ? shares : [], 1).train.rows).toBeGreaterThan(0);
    }
  });

  test("the reader of one's own gives what the page says", async () => {
    const { columns, rows } = await read(blocks("seq").find((source) => source.includes("waves"))!, FILES);
    expect(rows).toBe(100);
    expect(columns.get("x")).toMatchObject({ kind: "float", shape: [20] });
  });

  test("names every reader, with its own arguments", () => {
    for (const [name, signature] of Object.entries(READERS)) {
      expect(PAGE).toContain(`\`${name}(`);
      for (const parameter of signature.parameters)
        if ("optional" in parameter) expect(PAGE).toMatch(new RegExp(`${parameter.name}: `));
    }
  });

  test("shows a message as it is", async () => {
    const folder = folderOf({ "births.csv": "day,births\n1,2\n2,3\n3,x7\n" });
    const reading = readClause(dataClauses('data x = csv("births.csv").births')[0]!, { folder });
    const error = await reading.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect(blocks("text")[0]?.trim()).toBe(error instanceof DataError && error.message.replace(`${folder}/`, ""));
  });
});
