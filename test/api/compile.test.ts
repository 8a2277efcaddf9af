import { describe, expect, test } from "vitest";
import { renderDiagnostic } from "../../src/base/render.ts";
import { type CompileOptions, compile } from "../../src/index.ts";

const MODEL = `/// A model of tokens.
model M(V, H = 3) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, H), head = Linear(H, V)
  emit ids[t+1] ~ categorical(head(emb(ids)[t]))
}
train m of M { data ids = chars("none.txt") minimize nll(ids) optim sgd(0.1) batch 1 for 1 steps }`;

function codes(text: string, options: CompileOptions = {}): readonly string[] {
  return compile(text, options).diagnostics.map(({ code }) => code);
}

describe("compile", () => {
  const found = compile(MODEL, { sizes: { V: 5 } });

  test("gives models, what they are, and their kernels", () => {
    expect(found.diagnostics).toEqual([]);
    expect(found.models.map(({ name, doc }) => ({ name, doc }))).toEqual([{ name: "M", doc: "A model of tokens." }]);
    expect(found.summary).toMatchObject([
      {
        model: "M",
        sizes: { V: 5, H: 3 },
        inputs: [{ name: "ids", type: "tok(V)[T]", emitted: true }],
        emissions: ["ids[t+1] ~ categorical(head(emb(ids)[t]))"],
        parameters: 5 * 3 + 3 * 5 + 5,
      },
    ]);
    expect(found.plan.map(({ model, program }) => `${model} ${program}`)).toEqual(["M M", "M m"]);
  });

  test("writes every form, the same each time", async () => {
    const begins = {
      ts: "// Written by seqc from model.seq.",
      js: "// Written by seqc from model.seq.",
      ir: "// M",
      plan: "// M",
      wgsl: "// M",
      dot: 'digraph "M" {',
      svg: "<?xml",
    } as const;
    for (const kind of ["ts", "js", "ir", "plan", "wgsl", "dot", "svg"] as const) {
      const { files, diagnostics } = await found.emit(kind);
      expect(diagnostics).toEqual([]);
      expect(files[0]?.text.slice(0, begins[kind].length), kind).toBe(begins[kind]);
    }
    const again = compile(MODEL, { sizes: { V: 5 } });
    expect(await again.emit("plan")).toEqual(await found.emit("plan"));
    const { files } = await found.emit("ts", { only: "forward" });
    expect(files[0]?.text.includes("batches: Iterable<MBatch>")).toBe(false);
  });

  test("says what a module still needs, and writes none", async () => {
    const { models, emit } = compile(MODEL);
    expect(models).toHaveLength(1);
    const { files, diagnostics } = await emit("ts");
    expect(files).toEqual([]);
    expect(diagnostics).toMatchObject([{ code: "unknown-size", hint: "give a number for it: sizes: { V: ... }" }]);
    expect((await emit("ir")).files).toHaveLength(2);
  });

  test("takes one model, with arguments", () => {
    const two = `${MODEL}\nmodel N { in x: [2] loss = sum(x) }`;
    expect(compile(two).models.map(({ name }) => name)).toEqual(["M", "N"]);
    expect(compile(two, { model: "M(H: 8)" }).summary).toMatchObject([{ model: "M", sizes: { H: 8 } }]);
  });

  test("throws at nothing: what is wrong comes as findings", async () => {
    expect(codes("")).toEqual(["empty-file"]);
    expect(codes("model M {")).toContain("unclosed-bracket");
    expect(codes("\0")).toEqual(["not-text"]);
    expect(codes(MODEL, { sizes: { W: 3 } })).toEqual(["unknown-name"]);
    expect(codes(MODEL, { sizes: { V: 2.5 } })).toEqual(["wrong-option"]);
    expect(codes(MODEL, { model: "Q" })).toEqual(["unknown-name"]);
    expect(codes(MODEL, { model: "M(" })).not.toEqual([]);
    const wrong = compile("model M { in x: [2] y = z }");
    expect(wrong.models).toEqual([]);
    expect((await wrong.emit("ts")).diagnostics).toBe(wrong.diagnostics);
  });

  test("reads only what it is given", () => {
    const importing = `import { Twice } from "./twice.seq"\nmodel M { in x: [2] y = Twice(x) loss = sum(y) }`;
    expect(codes(importing)).toEqual(["unknown-file"]);
    const asked: string[] = [];
    const resolve: CompileOptions["resolve"] = (path, from) => {
      asked.push(`${path} in ${from}`);
      return { file: "twice.seq", text: "layer Twice { in x: [D] out 2 * x }" };
    };
    expect(codes(importing, { resolve })).toEqual([]);
    expect(asked).toEqual(["./twice.seq in model.seq"]);
    expect(codes(MODEL, { library: [] })).toContain("unknown-name");
  });

  test("stops at its limits", async () => {
    const text = `layer A { in x: [] param W: [] out x * W }\nmodel M { in x: [2] use a = stack 50 of A  loss = sum(a(x)) }`;
    expect(codes(text)).toEqual([]);
    for (const limits of [{ characters: 20 }, { nodes: 40 }, { milliseconds: 0 }]) {
      const { diagnostics, models } = compile(text, { limits });
      expect(diagnostics.map(({ code }) => code)).toEqual(["too-large"]);
      expect(models).toEqual([]);
    }
    let count = 0;
    const resolve: CompileOptions["resolve"] = () => ({
      file: `${++count}.seq`,
      text: 'import { A } from "again.seq"',
    });
    const endless = compile('import { A } from "again.seq"', { resolve });
    expect(endless.diagnostics.map(({ code }) => code)).toContain("too-large");
    expect(count).toBe(101);
    const [finding] = compile(text, { limits: { nodes: 40 } }).diagnostics;
    const shown = finding === undefined ? "" : renderDiagnostic(finding, new Map([["model.seq", text]]));
    await expect(`${shown}\n`).toMatchFileSnapshot("golden/too-large.txt");
  });
});
