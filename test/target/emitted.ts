import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { emitModule } from "../../src/emit/tfjs/emit.ts";
import type { EmitInput } from "../../src/emit/tfjs/emit-input.ts";
import { ON_TFJS } from "../support/typescript.ts";

/** A module that was emitted into a folder of its own, from where it finds tfjs. */
export interface EmittedModule {
  readonly text: string;
  readonly file: string;
  dispose(): void;
}

export async function writeModule(input: EmitInput): Promise<EmittedModule> {
  const [only, ...more] = emitModule(input, await ON_TFJS);
  if (only === undefined || more.length > 0) throw new Error("a model is one module");
  const folder = mkdtempSync(join(tmpdir(), "seqc-emit-"));
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(folder, "node_modules"));
  const file = join(folder, only.path);
  writeFileSync(file, only.text);
  return { text: only.text, file, dispose: () => rmSync(folder, { recursive: true }) };
}

/** The compilers that a module is for, and what each needs beside `--strict`. */
const COMPILERS = {
  // Its own declarations of the page have WebGPU, which collides with the declarations that tfjs brings.
  typescript: ["--libReplacement", "--types", "long"],
  // TypeScript 5.9. Its default target is older than asynchronous functions.
  "typescript-messages": ["--target", "es2022", "--module", "nodenext"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export const CURRENT = "typescript";
export const BEFORE = "typescript-messages";

/** What a TypeScript compiler says under the strictest settings; every declaration that the module reaches is checked, tfjs's too. */
export function strictProblems(
  file: string,
  compiler: keyof typeof COMPILERS = CURRENT,
  others: readonly string[] = [],
): readonly string[] {
  const program = join(dirname(file), "node_modules", compiler, "bin/tsc");
  const flags = [...STRICT, ...COMPILERS[compiler]];
  const { stdout, error } = spawnSync(process.execPath, [program, ...flags, file, ...others], {
    cwd: dirname(file),
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  return stdout.split("\n").filter((line) => line !== "");
}

const STRICT: readonly string[] = [
  "--noEmit",
  "--strict",
  "--noUncheckedIndexedAccess",
  "--exactOptionalPropertyTypes",
  "--noUnusedLocals",
  "--noUnusedParameters",
];
