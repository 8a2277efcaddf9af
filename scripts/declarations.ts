import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

/** Entries of the package that have types. */
const ENTRIES = ["src/index.d.ts", "src/tfjs.d.ts", "src/vite/plugin.d.ts"] as const;

/** Writes the declarations of the public entries, and of what they mention. */
export async function writeDeclarations(root: string, folder: string): Promise<void> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const child = spawn(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", folder], {
    stdio: "inherit",
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`tsc ended with code ${code}`);
  const mentioned = new Set(ENTRIES.map((entry) => join(folder, entry)));
  for (const file of mentioned) for (const other of rewritten(file)) mentioned.add(other);
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)))
    if (file.endsWith(".ts") && !mentioned.has(file)) rmSync(file);
}

/** Names what a declaration file imports by JavaScript's ending, as every version of TypeScript expects; those files' declarations. */
function rewritten(file: string): readonly string[] {
  const found: string[] = [];
  const text = readFileSync(file, "utf8").replace(
    /((?:from|import\()\s*")(\.[^"]+)\.ts"/g,
    (_, before, path: string) => {
      found.push(`${resolve(dirname(file), path)}.d.ts`);
      return `${before}${path}.js"`;
    },
  );
  writeFileSync(file, text);
  return found;
}
