import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ModuleKind, ModuleResolutionKind, Project, ScriptTarget } from "ts-morph";
import { readTypescriptSupport } from "../../src/runtime/typescript-support.ts";
import { emitModule } from "../../src/target/typescript/emit.ts";
import type { EmitInput } from "../../src/target/typescript/emit-input.ts";

/** A module that was emitted into a folder of its own, from where it finds tfjs. */
export interface EmittedModule {
  readonly text: string;
  readonly file: string;
  dispose(): void;
}

export async function writeModule(input: EmitInput): Promise<EmittedModule> {
  const [only, ...more] = emitModule(input, await readTypescriptSupport());
  if (only === undefined || more.length > 0) throw new Error("a model is one module");
  const folder = mkdtempSync(join(tmpdir(), "seqc-emit-"));
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(folder, "node_modules"));
  const file = join(folder, only.path);
  writeFileSync(file, only.text);
  return { text: only.text, file, dispose: () => rmSync(folder, { recursive: true }) };
}

/** What the TypeScript compiler says under the strictest settings. */
export function strictProblems(file: string): readonly string[] {
  const project = new Project({
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
      skipLibCheck: true,
      target: ScriptTarget.ES2022,
      module: ModuleKind.ESNext,
      moduleResolution: ModuleResolutionKind.Bundler,
      types: [],
    },
  });
  project.addSourceFileAtPath(file);
  return project
    .getPreEmitDiagnostics()
    .map((diagnostic) => `${diagnostic.getLineNumber()}: ${JSON.stringify(diagnostic.getMessageText())}`);
}
