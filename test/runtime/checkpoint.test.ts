import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  type Checkpoint,
  loadCheckpoint,
  saveCheckpoint,
  sourceHash,
  verifyValues,
} from "../../src/runtime/checkpoint.ts";
import { createVocabulary, withSpecial } from "../../src/runtime/data/vocabulary.ts";
import { encodeTensors } from "../../src/runtime/safetensors.ts";
import { folderOf } from "./data/clauses.ts";

const checkpoint: Checkpoint = {
  weights: new Map([
    ["l1.W.i", { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ["head.b", { shape: [2], data: Float32Array.of(5, 6) }],
  ]),
  optimizer: new Map([
    ["l1.W.i/m", { shape: [2, 2], data: new Float32Array(4) }],
    ["step", { shape: [], data: Int32Array.of(17) }],
  ]),
  carried: new Map([["y1.h", { shape: [1, 2], data: Float32Array.of(0.5, -0.5) }]]),
  progress: { step: 17, epoch: 2, position: 3 },
  seed: 7,
  best: { metric: "val.bpc", value: 2.25, epoch: 1, step: 14 },
  stop: { metric: "val.loss", value: 1.5, epoch: 2, step: 16 },
  vocabularies: new Map([["V", withSpecial(createVocabulary("character", ["\n", "a", "é"]), "EOS")]]),
  regime: "pretrain",
  model: "M(H: 2)",
  sizes: new Map([
    ["H", 2],
    ["V", 4],
  ]),
  running: { sum: 3.5, weight: 2 },
  source: sourceHash("model M() {}"),
};

describe("checkpoints", () => {
  test("give back what was saved, with the same bytes again", async () => {
    const file = join(folderOf({}), "runs/deep/last.safetensors");
    await saveCheckpoint(file, checkpoint);
    const first = readFileSync(file);
    const loaded = await loadCheckpoint(file);
    expect(loaded).toEqual(checkpoint);
    await saveCheckpoint(file, loaded);
    expect(readFileSync(file)).toEqual(first);
    expect(readdirSync(join(file, ".."))).toEqual(["last.safetensors"]);
  });

  test("do without a best metric", async () => {
    const file = join(folderOf({}), "last.safetensors");
    await saveCheckpoint(file, { ...checkpoint, best: undefined, stop: undefined });
    expect((await loadCheckpoint(file)).best).toBeUndefined();
  });

  test("a partial file of a killed run does no harm", async () => {
    const file = join(folderOf({}), "last.safetensors");
    await saveCheckpoint(file, checkpoint);
    writeFileSync(`${file}.partial`, "half a file");
    expect(await loadCheckpoint(file)).toEqual(checkpoint);
    await saveCheckpoint(file, { ...checkpoint, seed: 8 });
    expect((await loadCheckpoint(file)).seed).toBe(8);
    expect(existsSync(`${file}.partial`)).toBe(false);
  });

  test("a run that is killed while it saves leaves a whole file", { timeout: 20_000 }, async () => {
    const file = join(folderOf({}), "last.safetensors");
    for (const delay of [0, 3, 7]) {
      const child = savingForever(file);
      await once(child.stdout!, "data");
      await wait(delay);
      child.kill("SIGKILL");
      await once(child, "exit");
      const { weights, progress } = await loadCheckpoint(file);
      const { data } = weights.get("W")!;
      expect(data.every((value) => value === progress.step)).toBe(true);
      expect(data).toHaveLength(1 << 18);
    }
  });

  test("a folder that cannot be written is named", async () => {
    const folder = folderOf({ runs: "a file" });
    await expect(saveCheckpoint(join(folder, "runs/last.safetensors"), checkpoint)).rejects.toThrow(
      `${folder}/runs/last.safetensors: it cannot be written: `,
    );
  });

  test.each([
    ["no file", undefined, "it cannot be opened: "],
    ["another's weights", encodeTensors(new Map(), new Map([["format", "pt"]])), "this is no checkpoint of seqc"],
    [
      "no notes",
      encodeTensors(new Map(), new Map([["format", "seqc checkpoint 1"]])),
      "the checkpoint's notes are damaged",
    ],
    [
      "damaged notes",
      encodeTensors(
        new Map(),
        new Map([
          ["format", "seqc checkpoint 1"],
          ["notes", '{"progress": {}}'],
        ]),
      ),
      "the checkpoint's notes are damaged",
    ],
  ])("%s", async (_, pieces, message) => {
    const file = join(
      folderOf(pieces === undefined ? {} : { "a.safetensors": Buffer.concat(pieces) }),
      "a.safetensors",
    );
    await expect(loadCheckpoint(file)).rejects.toThrow(message);
  });

  test("weights of another model are listed on both sides", () => {
    const expected = new Map([
      ["l1.W.i", [2, 3]],
      ["head.b", [2]],
      ["head.W", [2, 2]],
    ]);
    const found = new Map([...checkpoint.weights, ["old.b", { shape: [3], data: new Float32Array(3) }] as const]);
    expect(() => verifyValues("a.safetensors", "weights", found, expected)).toThrowErrorMatchingInlineSnapshot(`
      [DataError: a.safetensors: the weights do not fit the model
          the model has   the file has
          head.W [2, 2]   -
          l1.W.i [2, 3]   l1.W.i [2, 2]
          -               old.b [3]
        hint: train anew, or go back to the model that the file was made with]
    `);
    expect(() =>
      verifyValues(
        "a.safetensors",
        "weights",
        checkpoint.weights,
        new Map([
          ["l1.W.i", [2, 2]],
          ["head.b", [2]],
        ]),
      ),
    ).not.toThrow();
  });
});

/** A process that saves a checkpoint of a megabyte again and again; it writes a line after the first. */
function savingForever(file: string): ChildProcess {
  const script = `
    import { saveCheckpoint } from ${JSON.stringify(join(import.meta.dirname, "../../src/runtime/checkpoint.ts"))};
    for (let step = 1; ; step++) {
      const weights = new Map([["W", { shape: [1 << 18], data: new Float32Array(1 << 18).fill(step) }]]);
      await saveCheckpoint(${JSON.stringify(file)}, { weights, optimizer: new Map(), carried: new Map(),
        progress: { step, epoch: 0, position: 0 }, seed: 0, best: undefined, stop: undefined, vocabularies: new Map(),
        regime: "", model: "", sizes: new Map(), running: { sum: 0, weight: 0 }, source: "" });
      if (step === 1) console.log("saved");
    }`;
  return spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
}
