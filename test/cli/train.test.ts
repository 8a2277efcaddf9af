import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadCheckpoint } from "../../src/runtime/checkpoint.ts";
import { LM, ROWS, SUM, TEXT } from "./files.ts";
import { folderWith, json, seqc, start, writeFiles } from "./process.ts";
import { f64, tensorFile } from "./tensors.ts";

const LM_FILES = { "lm.seq": LM, "text.txt": TEXT };
const SUM_FILES = { "sum.seq": SUM, "rows.jsonl": ROWS };
const REFERENCE = ["--target", "reference"];

type Line = Readonly<Record<string, unknown>>;

function log(folder: string, file: string): readonly Line[] {
  return readFileSync(join(folder, file), "utf8").trim().split("\n").map(json);
}

function losses(folder: string, file: string): readonly unknown[] {
  return log(folder, file).flatMap((line) =>
    line.evaluation === undefined && line.result === undefined ? [line.loss] : [],
  );
}

describe("seqc train", () => {
  test("learns; stdout has the result alone, stderr the talk, the log every step", async () => {
    const folder = folderWith(LM_FILES);
    const { code, stdout, stderr } = await seqc(folder, "train", "lm.seq", ...REFERENCE);
    expect(code).toBe(0);
    const result = json(stdout);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(result).toMatchObject({ regime: "lm", ended: "done", epochs: 4, saved: join(folder, "runs/lm") });
    expect(Object.keys(result)).toEqual(expect.arrayContaining(["loss", "val.loss", "val.bpc", "val.accuracy(ids)"]));
    expect(Number(result["val.bpc"])).toBeCloseTo(Number(result["val.loss"]) / Math.log(2), 10);
    expect(stderr).toContain("training lm: ");
    expect(stderr).toMatch(/step \d+\/\d+ {2}loss \d/);
    const lines = log(folder, "runs/lm/log.jsonl");
    const steps = losses(folder, "runs/lm/log.jsonl");
    expect(steps).toHaveLength(Number(result.steps));
    expect(Number(steps.at(-1))).toBeLessThan(Number(steps[0]));
    expect(lines.filter((line) => line.evaluation !== undefined)).toHaveLength(4);
    const { weights, vocabularies, sizes, model, best } = await loadCheckpoint(
      join(folder, "runs/lm/best.safetensors"),
    );
    expect([...weights.keys()]).toContain("cell.U.r");
    expect(vocabularies.get("V")?.tokens.join("")).toBe(" .acdeghlmnost");
    expect([...sizes]).toEqual([
      ["H", 4],
      ["V", 14],
    ]);
    expect(model).toBe("LM");
    expect(best?.value).toBe(Math.max(...lines.flatMap(({ evaluation }) => accuracy(evaluation))));
  });

  test("a run that is interrupted and resumed gives the same bytes as one that is not", async () => {
    const folder = folderWith(LM_FILES);
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--out", "whole");
    const run = start(folder, "train", "lm.seq", ...REFERENCE, "--out", "parts");
    await run.says("step 8/");
    run.child.kill("SIGINT");
    const interrupted = await run.ended;
    expect([interrupted.code, interrupted.stdout]).toEqual([130, ""]);
    expect(interrupted.stderr).toMatch(/interrupted after \d+ steps; --resume goes on/);
    const resumed = await seqc(folder, "train", "lm.seq", ...REFERENCE, "--out", "parts", "--resume");
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/from step \d+ on/);
    for (const file of ["last.safetensors", "best.safetensors"]) {
      expect(readFileSync(join(folder, "parts", file)).equals(readFileSync(join(folder, "whole", file)))).toBe(true);
    }
    expect(losses(folder, "parts/log.jsonl")).toEqual(losses(folder, "whole/log.jsonl"));
    const { seconds: _, saved: __, ...whole } = Object(log(folder, "whole/log.jsonl").at(-1)?.result);
    expect(json(resumed.stdout)).toMatchObject(whole);
  });

  test("a killed run leaves a checkpoint to go on from", async () => {
    const folder = folderWith(LM_FILES);
    const run = start(folder, "train", "lm.seq", ...REFERENCE, "--out", "killed", "--save-every", "0");
    await run.says("step 8/");
    run.child.kill("SIGKILL");
    await run.ended;
    const { progress } = await loadCheckpoint(join(folder, "killed/last.safetensors"));
    expect(progress.step).toBeGreaterThan(4);
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--out", "killed", "--resume");
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--out", "whole");
    const [killed, whole] = ["killed", "whole"].map((out) => readFileSync(join(folder, out, "last.safetensors")));
    expect(whole !== undefined && killed?.equals(whole)).toBe(true);
  });

  test("one step of gradient descent is what it is by hand", async () => {
    const folder = folderWith({ ...SUM_FILES, "w.safetensors": tensorFile({ w: f64([], [0.5]) }) });
    writeFiles(folder, { "sum.seq": SUM.replace("batch    2", "batch    4").replace("5 epochs", "1 epoch") });
    const { stdout } = await seqc(
      folder,
      "train",
      "sum.seq",
      ...REFERENCE,
      "--weights",
      "w.safetensors",
      "--out",
      "run",
    );
    const rows = [
      [6, 3],
      [1, 0.5],
      [4, 2.5],
      [2, 1],
    ] as const;
    const loss = rows.reduce((all, [x, y]) => all + 0.5 * (0.5 * x - y) ** 2 + 0.5 * Math.log(2 * Math.PI), 0) / 4;
    expect(Number(json(stdout).loss)).toBeCloseTo(loss, 12);
    const gradient = rows.reduce((all, [x, y]) => all + (0.5 * x - y) * x, 0) / 4;
    const { weights } = await loadCheckpoint(join(folder, "run/last.safetensors"));
    expect(weights.get("w")?.data[0]).toBe(Math.fround(0.5 - 0.01 * gradient));
    const after = rows.reduce((all, [x, y]) => all + ((0.5 - 0.01 * gradient) * x - y) ** 2, 0) / 4;
    expect(Number(json(stdout)["rmse(y)"])).toBeCloseTo(Math.sqrt(after), 6);
  });

  test("what is measured in chunks is what is measured at once: the state is carried over", async () => {
    const still = LM.replace("adam(cosine(1e-2, warmup: 3))", "sgd(0.0)").replace("batch    4", "batch    1");
    const folder = folderWith({
      "short.seq": still,
      "long.seq": still.replace("bptt     4", "bptt     1000"),
      "text.txt": TEXT,
    });
    const [short, long] = await Promise.all(
      ["short.seq", "long.seq"].map(async (file) => {
        const { stdout } = await seqc(folder, "train", file, ...REFERENCE, "--steps", "1", "--out", file.slice(0, -4));
        return Number(json(stdout)["val.loss"]);
      }),
    );
    expect(long).toBeGreaterThan(2);
    // What is carried is stored in float32.
    expect(short).toBeCloseTo(long ?? 0, 9);
  });

  test.each(["tfjs-cpu", "tfjs-wasm", "wasm"])("%s trains as the interpreter does", async (target) => {
    const folder = folderWith(LM_FILES);
    const [ours, theirs] = await Promise.all(
      ["reference", target].map(async (name) => {
        const { stderr } = await seqc(folder, "train", "lm.seq", "--target", name, "--steps", "6", "--out", name);
        expect(stderr).not.toContain("error");
        return losses(folder, `${name}/log.jsonl`);
      }),
    );
    expect(theirs).toHaveLength(6);
    for (const [at, loss] of (ours ?? []).entries()) expect(Number(theirs?.[at])).toBeCloseTo(Number(loss), 4);
  });

  test("takes --set, --steps, --data, --seed", async () => {
    const folder = folderWith({ ...LM_FILES, "other.txt": "abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcabc" });
    const options = ["--set", "H=3", "--steps", "2", "--data", "other.txt", "--seed", "9", "--out", "run"];
    const { code, stdout } = await seqc(folder, "train", "lm.seq", ...REFERENCE, ...options);
    expect([code, json(stdout).steps]).toEqual([0, 2]);
    const { sizes, seed, model } = await loadCheckpoint(join(folder, "run/last.safetensors"));
    expect([Object.fromEntries(sizes), seed, model]).toEqual([{ H: 3, V: 3 }, 9, "LM(H: 3)"]);
  });

  test("frozen weights stay until their epoch", async () => {
    const folder = folderWith({
      ...LM_FILES,
      "lm.seq": LM.replace("  clip ", "  freeze   emb until epoch 1\n  clip "),
    });
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--out", "run", "--save-every", "0", "--steps", "1");
    const early = await loadCheckpoint(join(folder, "run/last.safetensors"));
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--out", "run");
    const late = await loadCheckpoint(join(folder, "run/last.safetensors"));
    expect([...early.optimizer.keys()].filter((name) => name.startsWith("emb"))).toEqual([]);
    expect([...late.optimizer.keys()].filter((name) => name.startsWith("emb"))).toHaveLength(3);
    expect(late.weights.get("emb.W")?.data).not.toEqual(early.weights.get("emb.W")?.data);
  });

  test("stops when a metric stalls", async () => {
    const stalling = LM.replace("adam(cosine(1e-2, warmup: 3))", "sgd(0.0)")
      .replace("  save ", "  stop     when val.loss stalls 2 epochs\n  save ")
      .replace("for      4 epochs", "for      50 epochs");
    const { stdout } = await seqc(folderWith({ ...LM_FILES, "lm.seq": stalling }), "train", "lm.seq", ...REFERENCE);
    expect(json(stdout)).toMatchObject({ ended: "stalled", epochs: 3 });
  });

  test("a loss that is no number ends the run, and names the step", async () => {
    const folder = folderWith({ ...SUM_FILES, "sum.seq": SUM.replace("sgd(0.01)", "sgd(1e30)") });
    const { code, stdout, stderr } = await seqc(folder, "train", "sum.seq", "--out", "run");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/the loss is (Infinity|NaN) at step \d+, in epoch \d+/);
    expect(stderr).toContain("= hint: lower the learning rate");
  });

  test("says so where nothing is saved", async () => {
    const folder = folderWith(SUM_FILES);
    const { code, stderr } = await seqc(folder, "train", "sum.seq", ...REFERENCE);
    expect(code).toBe(0);
    expect(stderr).toContain("nothing is saved");
    expect(existsSync(join(folder, "runs"))).toBe(false);
  });

  test.each([
    ["wrong data", "sum.seq", { "rows.jsonl": '{"x": [1], "y": 1}\n{"x": ["a"], "y": 2}\n' }, "rows.jsonl:2"],
    ["missing data", "sum.seq", { "sum.seq": SUM.replace("rows", "row") }, "did you mean rows.jsonl?"],
    [
      "an unknown metric",
      "lm.seq",
      { "lm.seq": LM.replace("val.accuracy", "val.acuracy") },
      "lm does not measure val.acuracy",
    ],
    [
      "frozen nothing",
      "lm.seq",
      { "lm.seq": LM.replace("  clip", "  freeze   enc\n  clip") },
      "there is no weight enc",
    ],
    ["no batch", "lm.seq", { "lm.seq": LM.replace("batch    4", "batch    0") }, "a batch is a whole number from 1 on"],
  ])("%s is the user's to mend", async (_, file, change, message) => {
    const folder = folderWith({ ...LM_FILES, ...SUM_FILES, ...change });
    const { code, stdout, stderr } = await seqc(folder, "train", file, ...REFERENCE);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("internal");
  });

  test.each([
    [["lm.seq", "ml"], "the file has no train block ml\n  hint: did you mean lm?"],
    [["lm.seq", "--resume"], "there is nothing to resume from"],
    [["lm.seq", "--set", "H"], "--set H is not NAME=VALUE"],
    [["lm.seq", "--set", "HH=3"], "LM has no parameter HH"],
    [["lm.seq", "--set", "H=(3"], "--set H=(3"],
    [["text.txt"], "text.txt:1:1"],
  ])("%s", async (args, message) => {
    const { code, stdout, stderr } = await seqc(folderWith(LM_FILES), "train", ...args, ...REFERENCE);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("internal");
  });

  test("a checkpoint of another model is refused, both sides listed", async () => {
    const folder = folderWith(LM_FILES);
    await seqc(folder, "train", "lm.seq", ...REFERENCE, "--steps", "1");
    const { code, stderr } = await seqc(folder, "train", "lm.seq", ...REFERENCE, "--resume", "--set", "H=5");
    expect(code).toBe(1);
    expect(stderr).toMatch(/the model has +the file has\n +cell\.U\.n \[5, 5\] +cell\.U\.n \[4, 4\]\n/);
  });
});

function accuracy(evaluation: unknown): readonly number[] {
  const value = Object(evaluation)["val.accuracy(ids)"];
  return typeof value === "number" ? [value] : [];
}
