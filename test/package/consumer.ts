import { compile, createReport, type Diagnostic, type Executor, parse, renderDiagnostic, startWasm } from "seqc";

/** A program that a user of the package could write: it prints the diagnostics of a wrong model and what became of a right one. */
const SOURCE = `
model Line() {
  in x: []
  param a: []
  param b: []

  emit y: [] ~ normal(a * x + b, 1)
}`;

const shown = (diagnostics: readonly Diagnostic[], text: string): readonly string[] =>
  diagnostics.map((one) => renderDiagnostic(one, new Map([["model.seq", text]])));

const mistaken = SOURCE.replace("a * x", "c * x");
const right = compile(SOURCE);
const { files } = await right.emit("ts");
const executor: Executor = await startWasm();
console.log(
  JSON.stringify({
    declarations: parse(SOURCE, "model.seq", createReport()).declarations.length,
    wrong: shown(compile(mistaken).diagnostics, mistaken),
    right: shown(right.diagnostics, SOURCE),
    files: files.map(({ path }) => path),
    executor: typeof executor.prepare,
  }),
);
