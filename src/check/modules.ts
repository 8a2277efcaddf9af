import type { Budget } from "../base/budget.ts";
import type { Fix, Report } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { parse } from "../syntax/parse.ts";
import type { Definition, File, Import, Name } from "../syntax/tree.ts";

/** A file and what its names mean. */
export interface Module {
  readonly file: string;
  readonly text: string;
  readonly tree: File;
  readonly definitions: ReadonlyMap<string, Definition>;
  /** Imported names: where each is defined. */
  readonly imports: ReadonlyMap<string, { readonly file: string; readonly name: string; readonly span: Span }>;
}

/** A file with all that it imports, and the library. */
export interface Modules {
  readonly entry: Module;
  /** By file, the library's files too. */
  readonly all: ReadonlyMap<string, Module>;
  /** The library, by name: known in every file, as `Name` or `std.Name`. */
  readonly library: ReadonlyMap<string, { readonly definition: Definition; readonly file: string }>;
  /** How much may be made of them; without it, as much as they say. */
  readonly budget?: Budget;
}

/** A source text and the name that diagnostics use for it. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** What `parse` makes of the text without a finding, where that is known already. */
  readonly tree?: File;
}

/** Finds the file that `import ... from "path"` in `from` means. */
export type Resolve = (path: string, from: string) => Source | undefined;

/**
 * Reads a file, what it imports, and the library.
 * @param library sources whose definitions every file knows: `models/std/*.seq` for the standard library
 * @param resolve called once for each path that a file imports; undefined is reported at the import
 * @param report every problem goes there; a module is made of what could be read, and nothing is thrown
 */
export function loadModules(entry: Source, library: readonly Source[], resolve: Resolve, report: Report): Modules {
  const all = new Map<string, Module>();
  const known = new Map<string, { definition: Definition; file: string }>();
  for (const source of library) {
    const module = load(source, resolve, report, all, []);
    for (const [name, definition] of module.definitions) known.set(name, { definition, file: source.file });
  }
  return { entry: load(entry, resolve, report, all, []), all, library: known };
}

/** What a definition's name means in a file: its own, imported, or the library's. */
export function findDefinition(
  modules: Modules,
  file: string,
  name: string,
): { readonly definition: Definition; readonly file: string } | undefined {
  const module = modules.all.get(file);
  const own = module?.definitions.get(name);
  if (own !== undefined) return { definition: own, file };
  const imported = module?.imports.get(name);
  if (imported !== undefined) {
    const definition = modules.all.get(imported.file)?.definitions.get(imported.name);
    return definition === undefined ? undefined : { definition, file: imported.file };
  }
  return modules.library.get(name);
}

/** Whether a name is unknown for a reason that is reported already: its import failed, or it may stand in what could not be read. */
export function isMissingAnyway(modules: Modules, file: string, name: string): boolean {
  const tree = modules.all.get(file)?.tree;
  if (tree === undefined) return false;
  const imported = tree.declarations.flatMap((declaration) => (declaration.kind === "import" ? declaration.names : []));
  return (
    imported.some((one) => (one.as ?? one.name).text === name) || tree.unread.some(({ words }) => words.includes(name))
  );
}

/** Every definition that a file can name, for suggestions. */
export function definitionNames(modules: Modules, file: string): readonly string[] {
  const module = modules.all.get(file);
  return [...(module?.definitions.keys() ?? []), ...(module?.imports.keys() ?? []), ...modules.library.keys()];
}

function load(
  source: Source,
  resolve: Resolve,
  report: Report,
  all: Map<string, Module>,
  path: readonly string[],
): Module {
  const before = all.get(source.file);
  if (before !== undefined) return before;
  const tree = source.tree ?? parse(source.text, source.file, report);
  const definitions = new Map<string, Definition>();
  const imports = new Map<string, { file: string; name: string; span: Span }>();
  const module: Module = { file: source.file, text: source.text, tree, definitions, imports };
  all.set(source.file, module);
  for (const declaration of tree.declarations)
    if (declaration.kind === "definition") declare(declaration, definitions, report);
  for (const declaration of tree.declarations) {
    if (declaration.kind !== "import") continue;
    const target = follow(declaration, source, resolve, report, all, [...path, source.file]);
    if (target !== undefined) takeNames(declaration, target, imports, definitions, report);
  }
  return module;
}

function declare(definition: Definition, definitions: Map<string, Definition>, report: Report): void {
  const { text, span } = definition.name;
  const before = definitions.get(text);
  if (before === undefined) {
    definitions.set(text, definition);
    return;
  }
  report.add("duplicate-name", span, `${text} is defined twice in this file`, {
    related: [{ span: before.name.span, message: "first defined here" }],
    hint: "give one of them another name",
  });
}

function follow(
  declaration: Import,
  source: Source,
  resolve: Resolve,
  report: Report,
  all: Map<string, Module>,
  path: readonly string[],
): Module | undefined {
  const target = resolve(declaration.from.value, source.file);
  if (target === undefined) {
    report.add("unknown-file", declaration.from.span, `there is no file ${declaration.from.value}`, {
      hint: "paths are relative to the importing file and end in .seq",
    });
    return undefined;
  }
  if (path.includes(target.file)) {
    const circle = [...path.slice(path.indexOf(target.file)), target.file].join(" → ");
    report.add("import-cycle", declaration.span, `files import each other in a circle: ${circle}`, {
      hint: "move what both need into a third file",
    });
    return undefined;
  }
  return load(target, resolve, report, all, path);
}

function takeNames(
  declaration: Import,
  target: Module,
  imports: Map<string, { file: string; name: string; span: Span }>,
  definitions: ReadonlyMap<string, Definition>,
  report: Report,
): void {
  for (const { name, as } of declaration.names) {
    const local = as ?? name;
    if (!target.definitions.has(name.text)) {
      const unread = target.tree.unread.some(({ words }) => words.includes(name.text));
      const known = [...target.definitions.keys()];
      if (!unread)
        report.add("unknown-name", name.span, `${target.file} does not define ${name.text}`, suggestion(name, known));
      continue;
    }
    const before = imports.get(local.text)?.span ?? definitions.get(local.text)?.name.span;
    if (before !== undefined) {
      report.add("duplicate-name", local.span, `${local.text} already has a meaning in this file`, {
        related: [{ span: before, message: "first here" }],
        hint: `write \`${name.text} as another\``,
      });
      continue;
    }
    imports.set(local.text, { file: target.file, name: name.text, span: local.span });
  }
}

function suggestion({ text, span }: Name, names: readonly string[]): { readonly hint: string; readonly fix?: Fix } {
  const near = nearest(text, names);
  if (near !== undefined) return meant(near, span);
  return { hint: names.length === 0 ? "it defines nothing" : `it defines ${names.join(", ")}` };
}
