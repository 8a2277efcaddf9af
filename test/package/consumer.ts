import {
  compileStep,
  createReport,
  loadModules,
  type Program,
  parse,
  readRegime,
  renderDiagnostic,
  type Source,
  startWasm,
} from "seqc";
import { readLibrary } from "seqc/library";

/** A program that a user of the package could write: it prints the diagnostics of a wrong model and the losses of a right one. */
const source: Source = {
  file: "line.seq",
  text: `
model Line() {
  in  x: []
  out y: []
  weight a: []
  weight b: []

  emit y ~ normal(a * x + b, 1)
}

train line of Line {
  data x, y = host()
  minimize nll(y)
  optim sgd(0.1)
  batch 4
  for 1 epoch
}`,
};

function compiled(text: string): Program | readonly string[] {
  const report = createReport();
  const modules = loadModules({ ...source, text }, readLibrary(), () => undefined, report);
  const block = modules.entry.tree.declarations.find((declaration) => declaration.kind === "train");
  if (block !== undefined && !report.hasErrors) {
    const job = { modules, sizes: new Map<string, number>(), dense: true, report };
    const program = compileStep(job, readRegime(block, report), new Set());
    if (program !== undefined && !report.hasErrors) return program;
  }
  return report.diagnostics.map((one) => renderDiagnostic(one, new Map([[source.file, text]])));
}

const wrong = compiled(source.text.replace("a * x", "c * x"));
const right = compiled(source.text);
const executor = await startWasm();
console.log(
  JSON.stringify({
    declarations: parse(source.text, source.file, createReport()).declarations.length,
    wrong,
    program: "graph" in right ? right.name : right,
    executor: typeof executor.prepare,
  }),
);
