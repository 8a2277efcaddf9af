import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Compilation, compile } from "../api/compile.ts";
import type { EmitOptions } from "../api/emit.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { createReport } from "../base/report.ts";
import { loadModules, type Modules, type Resolve } from "../check/modules.ts";
import { findSizes } from "../runtime/find-sizes.ts";
import { readLibrary } from "../runtime/library.ts";

/** What became of a file: a JavaScript module for each model. */
export interface FileCompilation {
  readonly diagnostics: readonly Diagnostic[];
  readonly modules: readonly ModelModule[];
  /** Of it and what it imports, by their names in findings: relative to its folder. */
  readonly texts: ReadonlyMap<string, string>;
}

export interface ModelModule {
  readonly name: string;
  readonly code: string;
  /** Leads its class and methods to the source, in the form of ECMA-426. */
  readonly map: string;
  readonly declarations: string;
}

/** Compiles a file with its imports from the disk. Sizes that nobody gives are those of the data that its train blocks read. */
export async function compileFile(
  path: string,
  { sizes = {}, ...how }: EmitOptions & { readonly sizes?: Readonly<Record<string, number>> },
): Promise<FileCompilation> {
  const folder = dirname(path);
  const text = readFileSync(path, "utf8");
  const entry = { file: basename(path), text };
  const texts = new Map([[entry.file, text]]);
  const resolve: Resolve = (wanted, from) => {
    const file = join(dirname(from), wanted);
    const found = textOf(join(folder, file));
    if (found === undefined) return undefined;
    texts.set(file, found);
    return { file, text: found };
  };
  const library = readLibrary();
  const whole = compile(entry, { library, resolve });
  const diagnostics = [...whole.diagnostics];
  const modules: ModelModule[] = [];
  // Data is read relative to the file, as the command line reads it.
  const onDisk = loadModules(
    { file: path, text },
    library,
    (wanted, from) => resolve(wanted, basename(from)),
    createReport(),
  );
  for (const { name } of whole.models) {
    const known = { ...(await foundSizes(onDisk, name)), ...sizes };
    const given = Object.fromEntries(Object.entries(known).filter(([size]) => isParameter(onDisk, name, size)));
    const { emit } = compile(entry, { library, resolve, model: name, sizes: given });
    const emitted = await emit("js", { ...how, sourceMap: true });
    diagnostics.push(...emitted.diagnostics);
    modules.push({ name, ...scriptOf(emitted.files) });
  }
  return { diagnostics, modules, texts };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function foundSizes(modules: Modules, name: string): Promise<Readonly<Record<string, number>>> {
  const span = modules.entry.definitions.get(name)?.name.span ?? modules.entry.tree.span;
  return Object.fromEntries(await findSizes(modules, { kind: "reference", span, name, primed: false }, undefined));
}

function isParameter({ entry }: Modules, model: string, size: string): boolean {
  return entry.definitions.get(model)?.parameters.some(({ name }) => name.text === size) ?? false;
}

function scriptOf(files: Awaited<ReturnType<Compilation["emit"]>>["files"]): Omit<ModelModule, "name"> {
  const ending = (end: string): string => files.find(({ path }) => path.endsWith(end))?.text ?? "";
  const code = ending(".js").replace(/^\/\/# sourceMappingURL=.*\n?/m, "");
  return { code, map: ending(".js.map"), declarations: ending(".d.ts") };
}
