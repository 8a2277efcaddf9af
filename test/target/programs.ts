import { readdirSync, readFileSync } from "node:fs";
import { createReport } from "../../src/base/report.ts";
import type { Program } from "../../src/build/program.ts";
import { loadModules, type Source } from "../../src/check/modules.ts";
import { readRegime } from "../../src/check/regime.ts";
import { compileGeneration } from "../../src/compile/decoder.ts";
import { compileForward, compileStep, type Job } from "../../src/compile/program.ts";
import type { EmitInput } from "../../src/target/typescript/emit-input.ts";

/** A file with a model, a training and a generation, compiled. */
export function compileFile(entry: Source, sizes: ReadonlyMap<string, number>): EmitInput {
  const report = createReport();
  const modules = loadModules(entry, library(), () => undefined, report);
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
  const forward = given(compileForward(job, given(first).model, { values: [], gradients: false }));
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
      program: given(compileStep(job, readRegime(train, report), new Set())),
    })),
    generate: generates.map((generate): EmitInput["generate"][number] => {
      const { program, name } = given(compileGeneration(job, generate));
      return { name, doc: "Continues a text.", program };
    }),
  };
}

function library(): readonly Source[] {
  const folder = new URL("../../models/std/", import.meta.url);
  return readdirSync(folder).map((file) => ({
    file: `std/${file}`,
    text: readFileSync(new URL(file, folder), "utf8"),
  }));
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

/** The program's param of a role, by its id. */
export function paramId(program: Program, isWanted: (role: ReturnType<Program["params"]["get"]>) => boolean): string {
  const found = [...program.params].find(([, role]) => isWanted(role));
  if (found === undefined) throw new Error(`${program.name} has no such param`);
  return found[0];
}
