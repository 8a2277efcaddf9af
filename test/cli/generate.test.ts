import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LM, ROWS, SUM, TEXT } from "./files.ts";
import { folderWith, json, seqc, writeFiles } from "./process.ts";
import { f64, tensorFile } from "./tensors.ts";

const REFERENCE = ["--target", "reference"];

describe("seqc generate", () => {
  const folder = mkdtempSync(join(tmpdir(), "seqc-generate-"));
  beforeAll(async () => {
    writeFiles(folder, { "lm.seq": LM, "text.txt": TEXT });
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--steps", "8");
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--steps", "2", "--set", "H=6", "--out", "wide");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const generate = (...args: readonly string[]): ReturnType<typeof seqc> => seqc(folder, "generate", "lm.seq", ...args);

  test("writes text with what was saved: the prompt, then as many characters as are asked for", async () => {
    const { code, stdout, stderr } = await generate("text", ...REFERENCE);
    expect([code, stderr]).toEqual([0, `with the weights of ${folder}/runs/lm/best.safetensors\n`]);
    expect(stdout).toMatch(/^the [ .acdeghlmnost]{12}\n$/);
  });

  test("a seed gives the same text on every target, another seed another", async () => {
    const options = ["text", "--seed", "5", "--max", "40", "--weights", "runs/lm"];
    const texts = [
      await generate(...options, ...REFERENCE),
      await generate(...options, ...REFERENCE),
      await generate(...options, "--target", "tfjs-cpu"),
      await generate("text", "--seed", "6", "--max", "40", "--weights", "runs/lm", ...REFERENCE),
    ].map(({ stdout }) => stdout);
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).toBe(texts[0]);
    expect(texts[3]).not.toBe(texts[0]);
  });

  test("--count, --prompt and --json", async () => {
    const { stdout } = await generate(
      "text",
      "--count",
      "3",
      "--prompt",
      "a dog",
      "--max",
      "4",
      "--json",
      ...REFERENCE,
    );
    const samples = stdout.trim().split("\n").map(json);
    expect(samples).toHaveLength(3);
    for (const sample of samples) expect(sample.ids).toMatch(/^a dog.{4}$/);
    expect(new Set(samples.map(({ ids }) => ids)).size).toBeGreaterThan(1);
  });

  test("decoding the best is what running the model on the result thinks best", async () => {
    const { stdout } = await generate("likely", "--max", "6", ...REFERENCE);
    expect(stdout).toMatch(/^the .{6}\n$/);
    expect((await generate("likely", "--max", "6", "--seed", "3", ...REFERENCE)).stdout).toBe(stdout);
  });

  test("weights bring the parameters along that they were trained with", async () => {
    const { code, stdout } = await generate("text", "--weights", "wide", ...REFERENCE);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^the .{12}\n$/);
  });

  test.each([
    [["text", "--prompt", "xyz"], 'ids has "x", "y" and "z", not in the vocabulary'],
    [["text", "--prompt", ""], "it needs a beginning"],
    [["txt"], "the file has no generate block txt\n  hint: did you mean text?"],
    [[], "the file has several generate blocks\n  hint: name one: text, likely"],
    [["text", "--weights", "nowhere"], "nowhere: it cannot be opened"],
    [["text", "--input", "ids"], "--input ids is not NAME=VALUE"],
    [["text", "--input", "idz=a"], "the model has no input idz"],
  ])("%s", async (args, message) => {
    const { code, stdout, stderr } = await generate(...args, ...REFERENCE);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });

  test("says what to do where nothing was trained", async () => {
    const { code, stderr } = await seqc(folderWith({ "lm.seq": LM }), "generate", "lm.seq", "text");
    expect(code).toBe(1);
    expect(stderr).toContain("there are no weights yet\n  hint: seqc train lm.seq lm makes them");
  });

  test("numbers come as JSON, inputs can be given", async () => {
    const files = { "sum.seq": SUM, "rows.jsonl": ROWS, "w.safetensors": tensorFile({ w: f64([], [0.25]) }) };
    const sum = folderWith(files);
    const options = ["--weights", "w.safetensors", ...REFERENCE];
    expect(json((await seqc(sum, "generate", "sum.seq", ...options)).stdout)).toEqual({ y: 1.5, total: 1.5 });
    const { stdout } = await seqc(sum, "generate", "sum.seq", ...options, "--input", "x=[4, 4]");
    expect(json(stdout)).toEqual({ y: 2, total: 2 });
    const { code, stderr } = await seqc(sum, "generate", "sum.seq", ...options, "--input", "x=abc");
    expect([code, stderr]).toEqual([1, "error: x is no constant\n  hint: write a number, a text or a list\n"]);
  });
});
