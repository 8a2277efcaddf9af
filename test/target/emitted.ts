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
  const { write, dispose } = moduleFolder();
  return { text: only.text, file: write(only.path, only.text), dispose };
}

/** A new folder for modules, from where they find the project's packages. */
export interface ModuleFolder {
  /** Gives the file's path. */
  readonly write: (name: string, text: string) => string;
  readonly dispose: () => void;
}

export function moduleFolder(): ModuleFolder {
  const folder = mkdtempSync(join(tmpdir(), "seqc-emit-"));
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(folder, "node_modules"));
  return {
    write: (name, text) => {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    },
    dispose: () => rmSync(folder, { recursive: true }),
  };
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

/**
 * What a TypeScript compiler says of modules in one folder under the strictest settings; every declaration that they reach is checked,
 * tfjs's too.
 */
export function strictProblems(
  files: readonly string[],
  compiler: keyof typeof COMPILERS = CURRENT,
  more: readonly string[] = [],
): readonly string[] {
  const [first = ""] = files;
  const program = join(dirname(first), "node_modules", compiler, "bin/tsc");
  const flags = [...STRICT, ...COMPILERS[compiler], ...more];
  const { stdout, error } = spawnSync(process.execPath, [program, ...flags, ...files], {
    cwd: dirname(first),
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
