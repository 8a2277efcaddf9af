import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith, seqc } from "./process.ts";

const docs = readFileSync(resolve(import.meta.dirname, "../../docs/cli.md"), "utf8");
const NAMES = [
  "new",
  "check",
  "fmt",
  "summary",
  "test",
  "train",
  "generate",
  "run",
  "compile",
  "explain",
  "diagnose",
  "eject",
  "doctor",
];

/** What stands under a heading. */
function section(name: string): string {
  return docs.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? "";
}

describe("docs/cli.md", () => {
  test("has every command", async () => {
    const { stdout } = await seqc(".", "help");
    const commands = [...stdout.matchAll(/^ {2}(\w+) .*/gm)].map((match) => match[1]);
    expect(commands).toEqual(expect.arrayContaining(NAMES));
    expect(NAMES.filter((name) => section(name) === "")).toEqual([]);
  });

  test.each(NAMES)("has every option of %s", async (name) => {
    const { stdout } = await seqc(".", "help", name);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map((match) => match[1] ?? "");
    const common = docs.slice(0, docs.indexOf("\n## new"));
    const missing = options.filter(
      (option) => option !== "--help" && !section(name).includes(option) && !common.includes(option),
    );
    expect(missing).toEqual([]);
  });

  test("the examples run", { timeout: 120_000 }, async () => {
    const folder = folderWith({});
    const lines = [...docs.matchAll(/^npx seqc (.*)$/gm)].map((match) => match[1] ?? "");
    const plain = lines.filter(
      (line) => /^(new|check|fmt|summary|test|compile|explain|diagnose|doctor)\b/.test(line) && !/FILE|\||>/.test(line),
    );
    expect(plain.length).toBeGreaterThan(8);
    for (const line of plain) {
      const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
      const expanded = args.flatMap((arg) => (arg === "*.seq" ? ["first.seq"] : [arg]));
      const { code, stderr } = await seqc(folder, ...expanded);
      expect({ line, code, stderr: code === 0 ? "" : stderr }).toEqual({ line, code: 0, stderr: "" });
    }
    expect(readFileSync(join(folder, "out/Writer.ts"), "utf8")).toContain("export class Writer {");
  });
});
