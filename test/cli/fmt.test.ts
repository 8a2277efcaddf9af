import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith, seqc } from "./process.ts";

const LOOSE = "layer  twice{in x:[]\nout 2*x}\n";
const NEAT = "layer twice {\n  in x: []\n  out 2 * x\n}\n";

describe("seqc fmt", () => {
  test("formats in place, and leaves what is right alone", async () => {
    const folder = folderWith({ "a.seq": LOOSE, "b.seq": NEAT });
    const before = statSync(join(folder, "b.seq")).mtimeMs;
    expect(await seqc(folder, "fmt", "a.seq", "b.seq")).toEqual({ code: 0, stdout: "", stderr: "formatted a.seq\n" });
    expect(readFileSync(join(folder, "a.seq"), "utf8")).toBe(NEAT);
    expect(statSync(join(folder, "b.seq")).mtimeMs).toBe(before);
  });

  test("--check lists what would change, and changes nothing", async () => {
    const folder = folderWith({ "a.seq": LOOSE, "b.seq": NEAT });
    expect(await seqc(folder, "fmt", "--check", "a.seq", "b.seq")).toEqual({ code: 1, stdout: "a.seq\n", stderr: "" });
    expect(readFileSync(join(folder, "a.seq"), "utf8")).toBe(LOOSE);
  });

  test("--stdout prints the text", async () => {
    const folder = folderWith({ "a.seq": LOOSE });
    expect(await seqc(folder, "fmt", "--stdout", "a.seq")).toEqual({ code: 0, stdout: NEAT, stderr: "" });
  });

  test("a broken file is reported and left alone", async () => {
    const broken = "layer twice {\n  in x: [\n  out 2 * x\n}\n";
    const folder = folderWith({ "a.seq": broken });
    const { code, stderr } = await seqc(folder, "fmt", "a.seq");
    expect(code).toBe(1);
    expect(stderr).toContain("a.seq:");
    expect(readFileSync(join(folder, "a.seq"), "utf8")).toBe(broken);
  });
});
