import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Plugin } from "vite";
import type { Diagnostic } from "../base/diagnostic.ts";
import { linesOf, placeOf } from "../base/lines.ts";
import { renderDiagnostic } from "../base/render.ts";
import { compileFile, type FileCompilation } from "./compile-file.ts";
import { joinedDeclarations } from "./declarations.ts";

/** What the plugin is told. */
export interface SeqcOptions {
  /** Sizes by name, for all files; those that no file says are taken from the data of train blocks, where that can be read. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Leaves the training out. */
  readonly only?: "forward";
  /** Adds code for engines with relaxed SIMD. */
  readonly relaxed?: boolean;
  /**
   * Whether `char_lm.d.seq.ts` is written beside `char_lm.seq` whenever it is compiled: its types, which TypeScript finds with
   * `allowArbitraryExtensions`. They are where not said otherwise.
   */
  readonly declarations?: boolean;
}

/** `char_lm.seq?model=CharLM`: one model of a file that has several. */
const OF_FILE = /^(.*\.seq)(?:\?model=(\w+))?$/;

/**
 * A plugin for Vite: `import { CharLM } from "./char_lm.seq"` gives the class that `seqc compile` writes, with types. Findings are shown at
 * their lines; a change of a file, or of one that it imports, compiles it anew.
 */
export function seqc(options: SeqcOptions = {}): Plugin {
  return {
    name: "seqc",
    async load(id) {
      const [, file, model] = OF_FILE.exec(id) ?? [];
      if (file === undefined) return undefined;
      const compiled = await compileFile(file, options);
      for (const read of compiled.texts.keys()) this.addWatchFile(join(dirname(file), read));
      for (const finding of compiled.diagnostics) {
        if (finding.severity === "error") this.error(logOf(file, finding, compiled));
        else this.warn(logOf(file, finding, compiled));
      }
      const { modules } = compiled;
      const loaded = modules.find(({ name }) => name === (model ?? modules[0]?.name));
      if (model !== undefined) return loaded ?? this.error(`there is no model ${model}`);
      if (options.declarations !== false) await writeChanged(file, joinedDeclarations(modules));
      if (modules.length === 1) return loaded;
      const path = JSON.stringify(`./${basename(file)}?model=`).slice(0, -1);
      return modules.map(({ name }) => `export { ${name} } from ${path}${name}";\n`).join("");
    },
  };
}

/** A finding as bundlers show it; its file is relative to the one that is compiled. */
function logOf(path: string, finding: Diagnostic, { texts }: FileCompilation) {
  const { file, start } = finding.span;
  const { line, column } = placeOf(linesOf(texts.get(file) ?? ""), start);
  return { message: renderDiagnostic(finding, texts), loc: { file: join(dirname(path), file), line, column } };
}

/** Writes declarations beside their source, where they differ from what is there: nothing that watches them should wake for nothing. */
async function writeChanged(source: string, text: string): Promise<void> {
  const file = source.replace(/\.seq$/, ".d.seq.ts");
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before !== text) await writeFile(file, text);
}
