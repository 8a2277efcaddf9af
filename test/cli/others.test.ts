import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LM, SUM, TEXT } from "./files.ts";
import { folderWith, json, seqc } from "./process.ts";

describe("seqc test", () => {
  test("measures what files expect, and fails where it does not hold", async () => {
    const folder = folderWith({
      "x.seq": `cell Leaky(D) {
  in    x: [D]
  state h: [D]
  param a: [D] init 0.5
  h' = a * h + x
  out h'
}
cell Same(D) {
  in    input: [D]
  state h: [D]
  param a: [D] init 0.1
  h' = input + h * a
  out h'
}
cell Other(D) {
  in    x: [D]
  state h: [D]
  param a: [D] init 0.5
  h' = a * h + 1.01 * x
  out h'
}
model M(D = 3) {
  time T
  in  x: [T, D]
  use cell = Leaky(D)
  y, s = scan cell over x
  emit z: [] ~ normal(sum(s.h), 1)
}
expect params(M) == 3
expect params(M(D: 5)) < 5
expect gradcheck(Leaky, D: 4)
expect same(Leaky, Same)
expect same(Leaky, Other, D: 2, atol: 1e-6)
expect same(Leaky, std.GRU)
expect gradcheck(M, T: 4)
expect gradcheck(Quiet)
model Quiet { in x: [] param a: [] init 2 loss = (a * x - 1)**2 }
train quiet of Quiet { data x = csv("x.csv") minimize loss optim sgd(0.1) for 1 steps }
`,
    });
    const { code, stdout, stderr } = await seqc(folder, "test", "x.seq");
    expect(code).toBe(1);
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => line.slice(0, 4).trim())).toEqual([
      "ok",
      "FAIL",
      "ok",
      "ok",
      "FAIL",
      "FAIL",
      "ok",
      "ok",
    ]);
    expect(lines[1]).toContain("params(M(D: 5)) < 5  (5 parameters)");
    expect(lines[2]).toMatch(/\(\d+ gradients, worst difference \S+e-\d+ in \w+\)/);
    expect(lines[5]).toContain("Leaky has a [D], GRU no a");
    expect(lines[6]).toMatch(/\(3 gradients/);
    expect(lines[7]).toMatch(/\(1 gradients/);
    expect(stderr).toContain("5 of 8 expectations hold");
  });

  test("kernels and peaks are those of the sizes that are said, or of the data", async () => {
    const lines = [
      "expect peak(lm) < 1 MB",
      "expect peak(lm, B: 64, T: 50) < 20 kB",
      "expect kernels(lm) < 10",
      "expect kernels(text) + kernels(LM) < 1000",
      "expect peak(lm, Q: 3) < 1 MB",
    ];
    const folder = folderWith({ "lm.seq": `${LM}\n${lines.join("\n")}\n`, "text.txt": TEXT });
    const { code, stdout, stderr } = await seqc(folder, "test", "lm.seq");
    const shown = stdout.trim().split("\n");
    expect(shown.map((line) => line.slice(0, 4).trim())).toEqual(["ok", "FAIL", "FAIL", "ok", "skip"]);
    expect(shown[0]).toMatch(/peak\(lm\) < 1 MB {2}\(\d+\.?\d* kB at B = 4, T = 5, H = 4, V = 14\)/);
    expect(shown[1]).toContain("at B = 64, T = 50, H = 4, V = 14");
    expect(stderr).toContain("lm has no size Q to be bound");
    expect(stderr).toContain("it has B, T");
    expect(code).toBe(1);
  });

  test("sizes that the data decides are read there", async () => {
    const folder = folderWith({ "lm.seq": `${LM}\nexpect params(LM) == 234\n`, "text.txt": TEXT });
    const { code, stdout } = await seqc(folder, "test", "lm.seq");
    expect([code, stdout]).toEqual([0, "ok    lm.seq: params(LM) == 234  (234 parameters)\n"]);
  });

  test("an unknown check is a mistake of the file", async () => {
    const folder = folderWith({ "x.seq": `${SUM}\nexpect gradchek(Sum)\n` });
    const { code, stderr } = await seqc(folder, "test", "x.seq");
    expect(code).toBe(1);
    expect(stderr).toContain("did you mean gradcheck?");
  });
});

describe("seqc summary", () => {
  test("shows parts, shapes and parameters, as names where the data decides", async () => {
    const { code, stdout } = await seqc(folderWith({ "lm.seq": LM }), "summary", "lm.seq");
    expect(code).toBe(0);
    expect(stdout).toContain("in    ids: tok(V)[T]");
    expect(stdout).toContain("emit  ids[t+1] ~ categorical(head(y[t]))");
    expect(stdout).toMatch(/cell = GRU\(H, H\)\n/);
    expect(stdout).toMatch(/ {2}emb\.W +\[V, H\] +\[V, 4\] +4\*V\n/);
    expect(stdout).toMatch(/\n9\*V \+ 108 parameters\n$/);
  });

  test("the peak of a step, as far as its sizes are known", async () => {
    const folder = folderWith({ "lm.seq": LM, "text.txt": TEXT });
    const last = async (...args: readonly string[]): Promise<string> =>
      (await seqc(folder, "summary", "lm.seq", ...args)).stdout.trim().split("\n").at(-1) ?? "";
    expect(await last()).toBe("9*V + 108 parameters");
    expect(await last("--data")).toMatch(/^peak of lm: \d+\.\d kB at B = 4, T = 5, H = 4, V = 14$/);
    expect(await last("--set", "V=14")).toMatch(/kB at B = 4, T = 5, V = 14, H = 4$/);
    expect(await last("--set", "V=14", "--length", "9", "--batch", "2")).toMatch(/ at B = 2, T = 9, V = 14, H = 4$/);
  });

  test("--json, --set", async () => {
    const { stdout } = await seqc(folderWith({ "lm.seq": LM }), "summary", "lm.seq", "LM", "--json", "--set", "V=14");
    expect(json(stdout)).toMatchObject({ model: "LM(V: 14)", sizes: { V: 14, H: 4 }, parameters: 234 });
  });
});

describe("seqc compile", () => {
  const TFJS = ["--target", "tfjs"];

  test("writes a TypeScript module with the sizes that the data has", async () => {
    const folder = folderWith({ "lm.seq": LM, "text.txt": TEXT });
    const { code, stdout, stderr } = await seqc(folder, "compile", "lm.seq", ...TFJS, "--out", "out");
    expect([code, stdout, stderr]).toEqual([0, "out/LM.ts\n", ""]);
    const text = readFileSync(join(folder, "out/LM.ts"), "utf8");
    expect(text).toContain('"emb.W": { shape: [14, 4]');
    expect(text).toContain("export function trainStep");
  });

  test("prints the scheduled graphs", async () => {
    const { code, stdout } = await seqc(folderWith({ "lm.seq": LM }), "compile", "lm.seq", "--emit", "ir");
    expect(code).toBe(0);
    expect(stdout).toContain("// LM.forward\ngraph LM(");
    expect(stdout).toMatch(/ = scan\(/);
    expect(stdout).toContain("// lm.step\n");
  });

  test("passes are left out and shown by name", async () => {
    const folder = folderWith({ "lm.seq": LM, "text.txt": TEXT });
    const shown = await seqc(
      folder,
      "compile",
      "lm.seq",
      "--print-after",
      "cse",
      "--print-after",
      "dce",
      "--no-dce",
      ...TFJS,
    );
    expect(shown.code).toBe(0);
    expect(shown.stderr.match(/^\/\/ \S+ after \w+$/gm)).toEqual(
      ["LM.forward", "lm.step", "LM.decode", "LM.decode"].flatMap((name) => Array(2).fill(`// ${name} after cse`)),
    );
    const wrong = await seqc(folder, "compile", "lm.seq", "--print-after", "cs");
    expect(wrong.stderr).toContain("argument 'cs' is invalid. Did you mean cse?");
    expect((await seqc(folder, "compile", "lm.seq", "--no-sing")).stderr).toContain("Did you mean --no-sink?");
    expect((await seqc(folder, "compile", "lm.seq", "--no-fuse", ...TFJS)).stderr).toContain("there is no fuse here");
  });

  test("the plan has one kernel for each value where nothing is fused", async () => {
    const folder = folderWith({ "lm.seq": LM, "text.txt": TEXT });
    const kernels = async (...args: readonly string[]): Promise<number> => {
      const { stdout } = await seqc(folder, "compile", "lm.seq", "--emit", "plan", ...args);
      return stdout.match(/^ *\d+ \w+ %/gm)?.length ?? 0;
    };
    const fused = await kernels();
    expect(fused).toBeGreaterThan(50);
    expect(await kernels("--no-fuse")).toBeGreaterThan(4 * fused);
  });

  test("the shaders say what they compute", async () => {
    const folder = folderWith({ "lm.seq": LM, "text.txt": TEXT });
    const { code, stdout } = await seqc(folder, "compile", "lm.seq", "--target", "webgpu", "--emit", "wgsl");
    expect(code).toBe(0);
    expect(stdout).toContain("// lm.step\n// in order:\n//  shader 0: ");
    expect(stdout).toMatch(/^\/\/ .* = .*tanh\(/m);
    expect(stdout).toContain("@compute @workgroup_size(256)");
    const wrong = await seqc(folder, "compile", "lm.seq", "--target", "auto", "--emit", "wgsl");
    expect(wrong.stderr).toContain("--emit wgsl is code for webgpu");
    const module = await seqc(folder, "compile", "lm.seq", "--target", "auto", "--only", "forward");
    expect(module.stdout).toContain("get target(): Promise<Target>");
  });

  test("an unknown size is the user's to give", async () => {
    const { code, stderr } = await seqc(folderWith({ "lm.seq": LM }), "compile", "lm.seq");
    expect(code).toBe(1);
    expect(stderr).toContain("the size V is not known");
    expect(stderr).toContain("--set V=...");
  });
});

describe("seqc explain", () => {
  test("shows equations with their kernels, for the data's sizes or others", async () => {
    const folder = folderWith({ "lm.seq": LM, "text.txt": TEXT });
    const { code, stdout, stderr } = await seqc(folder, "explain", "lm.seq");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^lm\.step on wasm, B = 4, T = 5, H = 4, V = 14\n/);
    expect(stdout).toContain("ids: emit ids[t+1] ~ categorical(head(y[t]))  (lm.seq:6)");
    expect(stdout).toMatch(
      /\n {2}- cell\.W\.z @ select\(.*\): does not feed back: for all of T at once, before the loop\n/,
    );
    const other = await seqc(folder, "explain", "lm.seq", "text", "--batch", "2", "--json");
    expect(json(other.stdout)).toMatchObject({ program: "LM.decode", sizes: { B: 2, T: 12 } });
  });

  test("an unknown block, and sizes that nothing says", async () => {
    const folder = folderWith({ "lm.seq": LM.replace("  bptt     4\n", "") });
    expect((await seqc(folder, "explain", "lm.seq", "lmm")).stderr).toContain("did you mean lm?");
    expect((await seqc(folder, "explain", "lm.seq")).stderr).toContain("give --set V=..., or data that can be read");
    const guess = await seqc(folder, "explain", "lm.seq", "--set", "V=9");
    expect([guess.code, guess.stderr]).toEqual([0, "note: nothing says how long T is; --length does\n"]);
  });
});

describe("seqc eject", () => {
  test("prints a definition with its comment, which can be used as it is", async () => {
    const { code, stdout } = await seqc(".", "eject", "LSTM");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\/\/\/ Hochreiter and Schmidhuber 1997/);
    const folder = folderWith({
      "x.seq": `${stdout.replace("cell LSTM", "cell Mine")}\nexpect same(Mine, std.LSTM)\n`,
    });
    expect((await seqc(folder, "test", "x.seq")).code).toBe(0);
  });

  test("knows the nearest name", async () => {
    const { code, stdout, stderr } = await seqc(".", "eject", "adma");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe("error: the library has no adma\n  hint: did you mean adam?\n");
  });
});

describe("seqc new", () => {
  test("writes a model that is in canonical form, right, and trains", async () => {
    const folder = folderWith({});
    const { code, stdout } = await seqc(folder, "new", "first");
    expect([code, stdout]).toEqual([0, "first.seq\nfirst.txt\n"]);
    expect(await seqc(folder, "fmt", "--check", "first.seq")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await seqc(folder, "check", "first.seq")).toEqual({ code: 0, stdout: "", stderr: "" });
    const trained = await seqc(folder, "train", "first.seq", "--steps", "3");
    expect(trained.code).toBe(0);
    expect(existsSync(join(folder, "runs/first/best.safetensors"))).toBe(true);
    expect((await seqc(folder, "test", "first.seq")).stdout.match(/^ok/gm)).toHaveLength(3);
  });

  test("overwrites nothing", async () => {
    const folder = folderWith({ "first.txt": "mine" });
    const { code, stderr } = await seqc(folder, "new", "first");
    expect([code, stderr]).toEqual([1, "error: first.txt: this file is already there\n"]);
    expect(existsSync(join(folder, "first.seq"))).toBe(false);
  });
});
