import { describe, expect, test } from "vitest";
import { seqc } from "../cli/process.ts";
import { packageFile, readSource, seqFiles } from "../support/compile.ts";

const files = seqFiles("models");

describe("every example model", () => {
  test("says what it expects", () => {
    expect(files.filter((file) => !/^expect /m.test(readSource(`models/${file}`).text))).toEqual([]);
  });

  test("keeps it", { timeout: 120_000 }, async () => {
    const { code, stdout, stderr } = await seqc(packageFile("models"), "test", ...files);
    expect({ code, failed: `${stdout}${stderr}`.split("\n").filter((line) => /^(fail|error)/.test(line)) }).toEqual({
      code: 0,
      failed: [],
    });
  });
});
