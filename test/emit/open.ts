import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { optimizedFor } from "../../src/api/modules.ts";
import { createReport } from "../../src/base/report.ts";
import { loadModules } from "../../src/check/modules.ts";
import { emitStandalone } from "../../src/emit/standalone/emit.ts";
import type { StandaloneTarget } from "../../src/emit/standalone/machine.ts";
import { type ModelPrograms, modelPrograms } from "../../src/runtime/model-programs.ts";
import { readSource } from "../support/compile.ts";
import { LIBRARY } from "../support/library.ts";
import { STANDALONE } from "../support/typescript.ts";
import { SMALL_TUNING } from "../webgpu/execute.ts";

/** The programs of a file's only model. */
export function programsOf(text: string, sizes: Readonly<Record<string, number>>, file = "test.seq"): ModelPrograms {
  const report = createReport();
  const modules = loadModules({ file, text }, LIBRARY, () => undefined, report);
  const model = modules.entry.tree.declarations.find(
    (one) => one.kind === "definition" && one.definitionKind === "model",
  );
  if (model?.kind !== "definition") throw new Error("the file has no model");
  const expression = { kind: "reference", span: model.name.span, name: model.name.text, primed: false } as const;
  const programs = modelPrograms(modules, expression, new Map(Object.entries(sizes)), report);
  if (programs === undefined) throw new Error(report.diagnostics.map(({ message }) => message).join("\n"));
  return programs;
}

export function sourceText(path: string): string {
  return readSource(path).text;
}

export async function emitted(programs: ModelPrograms): Promise<{ readonly path: string; readonly text: string }> {
  return emitStandalone(programs, await STANDALONE, { instructions: ["plain", "relaxed"] });
}

/** The module for graphics devices, or for either, with shaders that a processor does not take too long to compile. */
export async function textFor(programs: ModelPrograms, target: StandaloneTarget) {
  const options = { target, instructions: ["plain"], tuning: SMALL_TUNING } as const;
  const forDevices = optimizedFor(programs, "webgpu");
  return emitStandalone(programs, await STANDALONE, { ...options, forDevices });
}

/** Writes a module into a folder of its own and imports it. */
export async function imported<M>(programs: ModelPrograms): Promise<M> {
  return importedText(await emitted(programs));
}

export async function importedText<M>({ path, text }: { readonly path: string; readonly text: string }): Promise<M> {
  const file = join(mkdtempSync(join(tmpdir(), "seqc-standalone-")), path);
  writeFileSync(file, text);
  return (await import(file)) as M;
}
