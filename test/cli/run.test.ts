import { describe, expect, test } from "vitest";
import type { WritableTensor } from "../../src/runtime/safetensors.ts";
import { SUM, TAGGER } from "./files.ts";
import { folderWith, json, seqc } from "./process.ts";
import { f32, f64, i32, numbers, type Plain, tensorFile, tensorsIn } from "./tensors.ts";

/** Weights of the tagger, for 5 words, 3 tags, E = 3, H = 4. */
function taggerWeights(change: Readonly<Record<string, WritableTensor | undefined>> = {}): Uint8Array {
  const shapes: Record<string, readonly number[]> = { "emb.W": [5, 3], "proj.W": [3, 8], "proj.b": [3] };
  for (const gate of ["r", "z", "n"]) {
    Object.assign(shapes, { [`fwd.W.${gate}`]: [4, 3], [`fwd.U.${gate}`]: [4, 4], [`fwd.b.${gate}`]: [4] });
  }
  for (const gate of ["i", "f", "o", "g"]) {
    Object.assign(shapes, { [`bwd.W.${gate}`]: [4, 3], [`bwd.U.${gate}`]: [4, 4], [`bwd.b.${gate}`]: [4] });
  }
  const weights = Object.entries(shapes).map(([name, shape], at) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return [name, f32(shape, numbers(count, at))] as const;
  });
  const all = Object.entries({ ...Object.fromEntries(weights), ...change });
  return tensorFile(
    Object.fromEntries(all.flatMap(([name, tensor]) => (tensor === undefined ? [] : [[name, tensor]]))),
  );
}

const WORDS = i32([2, 4], [1, 2, 3, 4, 0, 4, -1, 77]);
const LENGTHS = i32([2], [4, 2]);
const TAGS = i32([2, 4], [0, 1, 2, 1, 0, 1, 99, -5]);

const ARGUMENTS = ["--weights", "w.safetensors", "--inputs", "i.safetensors", "--outputs", "o.safetensors"];

function close(found: Plain | undefined, wanted: readonly number[], digits = 12): void {
  expect(found?.data).toHaveLength(wanted.length);
  for (const [at, value] of (found?.data ?? []).entries()) expect(value).toBeCloseTo(wanted[at] ?? Number.NaN, digits);
}

describe("seqc run", () => {
  test("gives what can be worked out by hand: lengths, junk behind ends, loss, gradient", async () => {
    const folder = folderWith({
      "sum.seq": SUM,
      "w.safetensors": tensorFile({ w: f64([], [0.3]) }),
      "i.safetensors": tensorFile({
        x: f64([3, 3], [1, 2, 3, 4, Number.NaN, 1e30, 0.5, 0.25, -7]),
        "x.length": i32([3], [3, 1, 2]),
        y: f64([3], [1, 2, -1]),
      }),
    });
    const { code, stdout, stderr } = await seqc(
      folder,
      "run",
      "sum.seq",
      "--model",
      "Sum",
      ...ARGUMENTS,
      "--values",
      "total",
      "--grads",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const sums = [6, 4, 0.75];
    const errors = sums.map((sum, at) => 0.3 * sum - ([1, 2, -1][at] ?? 0));
    const loss = errors.reduce((all, error) => all + 0.5 * error ** 2 + 0.5 * Math.log(2 * Math.PI), 0) / 3;
    const outputs = await tensorsIn(folder, "o.safetensors");
    close(outputs.loss, [loss]);
    close(
      outputs["y.mu"],
      sums.map((sum) => 0.3 * sum),
    );
    close(
      outputs.total,
      sums.map((sum) => 0.3 * sum),
    );
    close(outputs.w, [errors.reduce((all, error, at) => all + error * (sums[at] ?? 0), 0) / 3]);
    expect(outputs.w?.dtype).toBe("F64");
    expect(json(stdout)).toMatchObject({ loss: outputs.loss?.data[0], outputs: "o.safetensors" });
  });

  test("targets agree, and nothing behind an example's end is seen", async () => {
    const folder = folderWith({
      "tag.seq": TAGGER,
      "w.safetensors": taggerWeights(),
      "i.safetensors": tensorFile({ words: WORDS, "words.length": LENGTHS, tag: TAGS }),
      "alone.safetensors": tensorFile({ words: i32([1, 2], [0, 4]), tag: i32([1, 2], [0, 1]) }),
    });
    const run = async (target: string, inputs: string): Promise<Readonly<Record<string, Plain>>> => {
      const files = ["--weights", "w.safetensors", "--inputs", inputs, "--outputs", "o.safetensors"];
      const { stderr } = await seqc(
        folder,
        "run",
        "tag.seq",
        "--model",
        "Tagger",
        ...files,
        "--values",
        "z",
        "--grads",
        "--target",
        target,
      );
      expect(stderr).toBe("");
      return tensorsIn(folder, "o.safetensors");
    };
    const reference = await run("reference", "i.safetensors");
    const tfjs = await run("tfjs-cpu", "i.safetensors");
    expect(Object.keys(reference)).toHaveLength(24 + 3);
    expect(Object.keys(tfjs).sort()).toEqual(Object.keys(reference).sort());
    for (const [name, { shape, data }] of Object.entries(reference)) {
      expect(tfjs[name]?.shape).toEqual(shape);
      close(tfjs[name], data, 5);
    }
    const { z, "tag.logits": logits } = reference;
    expect(z?.shape).toEqual([2, 4, 8]);
    expect(z?.data.slice(6 * 8)).toEqual(new Array(16).fill(0));
    const alone = await run("reference", "alone.safetensors");
    close(alone["tag.logits"], logits?.data.slice(4 * 3, 6 * 3) ?? []);
  });

  test("sizes come from the weights; without labels there is no loss", async () => {
    const folder = folderWith({
      "tag.seq": TAGGER.replace("E = 3, H = 4", "E = 100, H = 200"),
      "w.safetensors": taggerWeights(),
      "i.safetensors": tensorFile({ words: i32([1, 3], [1, 2, 3]) }),
    });
    const { code, stdout } = await seqc(folder, "run", "tag.seq", "--model", "Tagger", ...ARGUMENTS);
    expect([code, json(stdout)]).toEqual([0, { outputs: "o.safetensors", shapes: { "tag.logits": [1, 3, 3] } }]);
    const { code: wrong, stderr } = await seqc(folder, "run", "tag.seq", "--model", "Tagger", ...ARGUMENTS, "--grads");
    expect(wrong).toBe(1);
    expect(stderr).toContain("the inputs lack tag, which the gradient needs");
  });

  test("a missing weight and a wrong shape are listed, both sides beside each other", async () => {
    const folder = folderWith({
      "tag.seq": TAGGER,
      "w.safetensors": taggerWeights({ "proj.b": f32([4], [0, 0, 0, 0]), "emb.W": undefined, more: f32([1], [0]) }),
      "i.safetensors": tensorFile({ words: WORDS }),
    });
    const { code, stdout, stderr } = await seqc(folder, "run", "tag.seq", "--model", "Tagger(V: 5)", ...ARGUMENTS);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("w.safetensors: the weights do not fit the model\n");
    expect(stderr).toMatch(
      /the model has +the file has\n +emb\.W \[5, 3\] +-\n +- +more \[1\]\n +proj\.b \[3\] +proj\.b \[4\]\n/,
    );
  });

  test.each([
    ["an unknown model", ["--model", "Taggr"], {}, "there is no model Taggr"],
    ["an unknown parameter", ["--model", "Tagger", "--set", "HH=3"], {}, "Tagger has no parameter HH"],
    ["an unknown value", ["--model", "Tagger", "--values", "q"], {}, "Tagger has no value q"],
    ["no inputs", ["--model", "Tagger"], { tag: i32([1, 2], [0, 1]) }, "the inputs lack words"],
    [
      "an unknown input",
      ["--model", "Tagger"],
      { words: WORDS, wrds: WORDS },
      '"wrds" is no input of the model\n  hint: did you mean words?',
    ],
    [
      "a token too large",
      ["--model", "Tagger"],
      { words: i32([1, 2], [1, 5]) },
      '"words" has 5 at [0, 1]: tokens are from 0 on, below V = 5',
    ],
    [
      "fractions as tokens",
      ["--model", "Tagger"],
      { words: f32([1, 2], [1, 0.5]) },
      '"words" holds F32 values, the model takes tokens',
    ],
    ["too few axes", ["--model", "Tagger"], { words: i32([3], [1, 2, 3]) }, '"words" is [3], the model takes [B, T]'],
    [
      "other lengths",
      ["--model", "Tagger"],
      { words: WORDS, tag: i32([2, 3], [0, 0, 0, 0, 0, 0]) },
      '"tag" is [2, 3], the model takes [B, T] with T = 4',
    ],
    [
      "a length too large",
      ["--model", "Tagger"],
      { words: WORDS, "words.length": i32([2], [5, 2]) },
      '"words.length" has 5: a length is from 1 to 4',
    ],
    [
      "lengths that differ",
      ["--model", "Tagger"],
      { words: WORDS, "words.length": LENGTHS, tag: TAGS, "tag.length": i32([2], [3, 2]) },
      "gives T other lengths than another input does",
    ],
  ])("%s", async (_, model, inputs, message) => {
    const folder = folderWith({
      "tag.seq": TAGGER,
      "w.safetensors": taggerWeights(),
      "i.safetensors": tensorFile(inputs),
    });
    const { code, stdout, stderr } = await seqc(folder, "run", "tag.seq", ...model, ...ARGUMENTS);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });

  test.each([
    ["missing", undefined, "it cannot be opened"],
    ["no safetensors", "not weights at all", "this is no safetensors file"],
  ])("weights that are %s", async (_, content, message) => {
    const folder = folderWith({ "tag.seq": TAGGER, ...(content === undefined ? {} : { "w.safetensors": content }) });
    const { code, stderr } = await seqc(folder, "run", "tag.seq", "--model", "Tagger", ...ARGUMENTS);
    expect(code).toBe(1);
    expect(stderr).toContain(`error: w.safetensors`);
    expect(stderr).toContain(message);
  });
});
