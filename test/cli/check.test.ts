import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { LM } from "./files.ts";
import { folderWith, seqc } from "./process.ts";

const WRONG = `model M(V, H = 8) {
  time T
  in ids: tok(V)[T]
  use emb = Embed(V, H), cell = LSTN(H, H), head = Linear(H, V)
  y = scan cell over emb(ids)
  emit ids[t+1] ~ categorical(hed(y[t]))
}
`;

describe("seqc check", () => {
  test("says nothing of a right file", async () => {
    const folder = folderWith({ "lm.seq": LM });
    expect(await seqc(folder, "check", "lm.seq")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("shows every mistake of a file on stderr, and fails", async () => {
    const folder = folderWith({ "wrong.seq": WRONG });
    const { code, stdout, stderr } = await seqc(folder, "check", "wrong.seq");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("wrong.seq:4:33");
    expect(stderr).toContain("did you mean LSTM?");
    expect(stderr).toContain("wrong.seq:6:31");
    expect(stderr).toMatch(/2 errors\b.*\n$/);
  });

  test("--json gives them as data on stdout", async () => {
    const folder = folderWith({ "wrong.seq": WRONG });
    const { code, stdout, stderr } = await seqc(folder, "check", "--json", "wrong.seq");
    expect([code, stderr]).toEqual([1, ""]);
    const found: readonly { code: string; severity: string; start: { line: number } }[] = JSON.parse(stdout);
    expect(found.filter(({ severity }) => severity === "error").map(({ code, start }) => [code, start.line])).toEqual([
      ["unknown-name", 4],
      ["unknown-name", 6],
    ]);
  });

  test("--fix writes what diagnostics offer", async () => {
    const folder = folderWith({ "wrong.seq": WRONG });
    const { code, stderr } = await seqc(folder, "check", "--fix", "wrong.seq");
    expect([code, stderr]).toEqual([0, "fixed 2 problems\n"]);
    const fixed = WRONG.replace("LSTN", "LSTM").replace("hed(", "head(");
    expect(readFileSync(join(folder, "wrong.seq"), "utf8")).toBe(fixed);
  });

  test("follows imports, and names the file of a mistake", async () => {
    const folder = folderWith({
      "parts/cell.seq": "cell C(D) {\n  in x: [D]\n  state h: [D]\n  h' = tanh(x + hh)\n  out h'\n}\n",
      "main.seq": `import { C } from "parts/cell.seq"
model M(D = 2) {
  time T
  in x: [T, D]
  use c = C(D)
  y, s = scan c over x
  emit z: [] ~ normal(sum(s.h), 1)
}
`,
    });
    const { code, stderr } = await seqc(folder, "check", "main.seq");
    expect(code).toBe(1);
    expect(stderr).toContain("parts/cell.seq:4:17");
  });

  test.each([
    ["a missing file", { "model.seq": LM }, "modle.seq", "there is no file modle.seq", "did you mean model.seq?"],
    ["a folder", { "sub/model.seq": LM }, "sub", "sub is a folder", "it has model.seq"],
    ["zero bytes", { "x.seq": Uint8Array.of(109, 0, 1, 2) }, "x.seq", "not a text file", "UTF-8"],
    ["Latin-1", { "x.seq": Uint8Array.of(0x2f, 0x2f, 0xe9, 10) }, "x.seq", "not UTF-8", "UTF-8"],
    ["an empty file", { "x.seq": "" }, "x.seq", "no declarations", "a file begins with"],
    ["a missing import", { "x.seq": 'import { A } from "y.seq"\n' }, "x.seq", "there is no file y.seq", "relative"],
  ])("%s", async (_, files, file, message, hint) => {
    const { code, stdout, stderr } = await seqc(folderWith(files), "check", file);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("internal");
  });

  test("loads no device library", () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, "utf8");
      for (const [, target = ""] of text.matchAll(/^(?:import|export) (?!type)[^;]*?from "([^"]+)"/gms)) {
        if (target.endsWith(".ts")) visit(resolve(dirname(file), target));
        else if (!target.endsWith(".seq")) packages.add(target);
      }
    };
    const cli = resolve(import.meta.dirname, "../../src/cli");
    visit(join(cli, "check.ts"));
    expect(seen.size).toBeGreaterThan(50);
    expect([...packages].filter((name) => !name.startsWith("node:")).sort()).toEqual(["chevrotain", "commander"]);
    const runtime = [...seen].map((file) => relative(cli, file)).filter((file) => /tfjs|target/.test(file));
    expect(runtime).toEqual([]);
  });
});

describe("wrong command lines", () => {
  test.each([
    [["chekc"], "(Did you mean check?)"],
    [["check", "--jsn", "x.seq"], "(Did you mean --json?)"],
    [["check"], "missing required argument"],
    [["train", "x.seq", "--steps", "many"], "It is a whole number from 0 on."],
    [["train", "x.seq", "--target", "gpu"], "It is one of tfjs-wasm"],
    [["run", "x.seq"], "required option '--model"],
  ])("%s", async (args, message) => {
    const { code, stdout, stderr } = await seqc(".", ...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });

  test("help is data", async () => {
    const { code, stdout, stderr } = await seqc(".", "help", "train");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("--resume");
  });
});
