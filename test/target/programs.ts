import { createReport } from "../../src/base/report.ts";
import { loadModules, type Source } from "../../src/check/modules.ts";
import { readRegime } from "../../src/check/regime.ts";
import { compileGeneration } from "../../src/compile/decoder.ts";
import { optimizeProgram } from "../../src/compile/optimize.ts";
import { compileForward, compileStep, type Job } from "../../src/compile/program.ts";
import type { EmitInput } from "../../src/emit/tfjs/emit-input.ts";
import { LIBRARY } from "../support/library.ts";

/** A file with a model, a training and a generation, compiled and through all passes, as `seqc compile` does. */
export function compileFile(entry: Source, sizes: ReadonlyMap<string, number>): EmitInput {
  const report = createReport();
  const modules = loadModules(entry, LIBRARY, () => undefined, report);
  const job: Job = { modules, sizes, dense: false, report };
  const { declarations } = modules.entry.tree;
  const given = <Value>(value: Value | undefined): Value => {
    if (value === undefined || report.hasErrors)
      throw new Error(`${entry.file} does not compile: ${JSON.stringify(report)}`);
    return value;
  };
  const trains = declarations.filter((declaration) => declaration.kind === "train");
  const generates = declarations.filter((declaration) => declaration.kind === "generate");
  const [first] = trains;
  const forward = optimizeProgram(given(compileForward(job, given(first).model, { values: [], gradients: false })));
  return {
    model: given(declarations.find((declaration) => declaration.kind === "definition")).name.text,
    file: entry.file,
    doc: "A model of a test.\nIt has a doc comment of two lines.",
    parts: [{ name: "LSTM", doc: "Long short-term memory." }],
    sources: new Map([...modules.all.values()].map(({ file, text }) => [file, text])),
    forward,
    train: trains.map((train) => ({
      name: train.name.text,
      doc: undefined,
      seed: 7,
      program: optimizeProgram(given(compileStep(job, readRegime(train, report), new Set()))),
    })),
    generate: generates.map((generate): EmitInput["generate"][number] => {
      const { program, name } = given(compileGeneration(job, generate));
      return { name, doc: "Continues a text.", program: optimizeProgram(program) };
    }),
  };
}

export const CHARACTERS: Source = {
  file: "characters.seq",
  text: `
model Characters(V, E = 5, H = 6) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, E), l1 = LSTM(E, H), head = Linear(H, V)

  y1 = scan l1 over dropout(emb(ids), p: 0.2)
  emit ids[t+1] ~ categorical(head(y1[t]))
}
train learn of Characters {
  data     ids = chars("text.txt")
  minimize nll(ids)
  optim    adam(lr: 0.01)
  clip     norm(1.0)
  batch    4
  for      2 epochs
  seed     7
}
generate continue of Characters {
  ids by sample(temperature: 0.8)
  max 50
}
`,
};

/** Trained in chunks, by an optimizer that keeps nothing. */
export const CHUNKS: Source = {
  file: "chunks.seq",
  text: `
/// Numbers after numbers.
model Chunks(H = 5) {
  time T
  in  x: [T], y: [T]
  use cell = GRU(1, H), head = Linear(H, 1)

  h = scan cell over x
  emit y[t] ~ normal(head(h[t]), 1)
}
train learn of Chunks {
  data     x, y = csv("numbers.csv")
  minimize nll(y)
  bptt     4
  optim    sgd(lr: linear(0.1, 0.01))
  batch    2
  for      10 steps
}
`,
};

/** An answer to another sequence. */
export const ANSWERS: Source = {
  file: "answers.seq",
  text: `
model Answers(V, W, E = 4, H = 5) {
  time S, T
  in  word: tok(V)[S]
  use es = Embed(V, E), et = Embed(W, E), enc = GRU(E, H), dec = GRU(E, H), head = Linear(H, W)

  m, s0 = scan enc over es(word)
  prev[t] = phones[t-1] else BOS
  y = scan dec over et(prev) from s0
  emit phones[t in T]: tok(W) ~ categorical(head(y[t])) until EOS
}
train learn of Answers {
  data     word, phones = cmudict("npm:cmu-pronouncing-dictionary")
  minimize nll(phones)
  optim    adam(0.01)
  batch    2
  for      10 steps
}
generate answer of Answers {
  word = "abc"
  phones
}
`,
};
