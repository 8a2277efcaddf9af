import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageFile } from "../support/compile.ts";
import { folderWith, json, seqc } from "./process.ts";
import { f32, tensorFile } from "./tensors.ts";

/** h_t = w^(t+1) x_0: each step back halves the gradient. */
const CHAIN = `model Chain {
  time T
  in    x: [T]
  param w: [] init 0.5
  h[t] = w * h[t-1] else x[t]
  last = h[T-1]
  emit y: [] ~ normal(last, 1)
}

train chain of Chain {
  data     x, y = jsonl("rows.jsonl")
  minimize nll(y)
  optim    sgd(0.1)
  clip     norm(0.25)
  for      1 epoch
}
`;
const ROWS = '{"x": [4, 1, 1, 1], "y": 3}\n{"x": [8, 2], "y": 0}\n';

interface Shown {
  readonly models: readonly {
    readonly model: string;
    readonly loss: number;
    readonly lines: readonly { readonly name: string; readonly norms: readonly number[] }[];
    readonly norm: number;
    readonly clipped?: number;
  }[];
}

describe("seqc diagnose", () => {
  test("takes data of a train block, whose lengths differ, and shows what clipping leaves", async () => {
    const folder = folderWith({ "c.seq": CHAIN, "rows.jsonl": ROWS });
    const { stdout, stderr, code } = await seqc(
      folder,
      "diagnose",
      "c.seq",
      "--train",
      "chain",
      "--loss",
      "last",
      "--split",
      "w",
    );
    expect(stderr).toBe(
      "note: Chain: examples differ in length; their last steps are put under each other (of weights, their first steps)\n",
    );
    expect(code).toBe(0);
    // h = 4/16 and 8/4 at the end, so the loss' slopes are 1/4 - 3 and 2 - 0: in the mean 2.375.
    expect(stdout).toMatch(/^ {2}3 +2\.38 /m);
    expect(stdout).toMatch(/^ {2}a step back +x 0\.5/m);
    expect(stdout).toMatch(/^ {2}all +\S+ +0\.250$/m);
  });

  test("a gradient that overflows is said, and drawn as far as it goes", async () => {
    const folder = folderWith({ "c.seq": CHAIN, "w.safetensors": tensorFile({ w: f32([], [1e9]) }) });
    const args = [
      "diagnose",
      "c.seq",
      "--model",
      "Chain",
      "--weights",
      "w.safetensors",
      "--length",
      "9",
      "--out",
      "g.svg",
    ];
    const { stderr, code } = await seqc(folder, ...args);
    expect(stderr).toContain("warning: Chain: the gradient by h is not finite at step");
    expect(stderr).toContain("--target reference computes in float64");
    expect(code).toBe(0);
    expect(readFileSync(join(folder, "g.svg"), "utf8")).not.toMatch(/NaN|Infinity/);
  });

  test("mistakes are the user's", async () => {
    const folder = folderWith({ "c.seq": CHAIN });
    const [model, picture] = [
      await seqc(folder, "diagnose", "c.seq", "--train", "chian"),
      await seqc(folder, "diagnose", "c.seq", "--out", "g.png"),
    ];
    expect(model).toMatchObject({ code: 1, stdout: "" });
    expect(model.stderr).toContain("did you mean chain?");
    expect(picture).toMatchObject({ code: 1, stdout: "" });
    expect(picture.stderr).toContain("the picture is SVG");
  });

  test("the picture of the documentation is made by its command", async () => {
    const docs = readFileSync(packageFile("docs/models.md"), "utf8");
    const [, line = ""] = /^npx seqc (diagnose models\/gradients\.seq .*)$/m.exec(docs) ?? [];
    const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
    const folder = folderWith({});
    const here = args.map((arg) => (arg.startsWith("models/") ? packageFile(arg) : arg));
    const { code, stdout } = await seqc(folder, ...here, "--json");
    const { models } = JSON.parse(stdout) as Shown;
    expect(code).toBe(0);
    const kept = readFileSync(packageFile("docs/gradients.svg"), "utf8");
    const made = readFileSync(join(folder, "docs/gradients.svg"), "utf8");
    const titles = (svg: string) => [...svg.matchAll(/<title>(.*?)<\/title>/g)].map((match) => match[1]);
    expect(titles(made)).toEqual(titles(kept));
    // Vanishing, kept, kept, vanishing more slowly, kept, exploding: as the documentation says.
    const factors = models.map(({ lines }) => (lines[0]?.norms[0] ?? 0) / (lines[0]?.norms.at(-1) ?? 1));
    expect(factors.map((factor) => (factor < 1e-3 ? "vanishes" : factor > 1e3 ? "explodes" : "stays"))).toEqual([
      "vanishes",
      "stays",
      "stays",
      "vanishes",
      "stays",
      "explodes",
    ]);
    expect(json(stdout).loss).toBe("the loss of the last step");
  });
});
