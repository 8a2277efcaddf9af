import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { nearest } from "../../base/nearest.ts";
import { DataError } from "./error.ts";

/**
 * The file that a `.seq` file means by a path: relative to its own folder, or `npm:package/path` in a `node_modules` of that folder
 * or one above, then of this package's own.
 */
export function dataPath(path: string, folder: string): string {
  return path.startsWith("npm:") ? packagePath(path.slice(4), folder) : resolve(folder, path);
}

/** The same for a file that must exist; `kind` says which is needed. */
export function existingPath(path: string, folder: string, kind: "file" | "folder" = "file"): string {
  const found = dataPath(path, folder);
  const stat = statSync(found, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new DataError("there is no such file", { place: { file: found }, hint: similar(found) });
  }
  if (kind === "file" && stat.isDirectory())
    throw new DataError("this is a folder, a file is needed", { place: { file: found }, hint: inside(found) });
  if (kind === "folder" && !stat.isDirectory())
    throw new DataError("this is a file, a folder is needed", { place: { file: found } });
  return found;
}

function packagePath(path: string, folder: string): string {
  const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)\/?(.*)$/.exec(path) ?? [];
  if (name === undefined || rest === undefined || name.startsWith("."))
    throw new DataError(`"npm:${path}" names no package`, { hint: 'write "npm:package/path/in/it"' });
  const root = packageFolder(name, [folder, import.meta.dirname]);
  if (root === undefined) throw new DataError(`the package ${name} is not installed`, { hint: `npm install ${name}` });
  const found = resolve(root, rest);
  if (relative(root, found).split(sep)[0] === "..")
    throw new DataError(`"npm:${path}" leads out of the package ${name}`, {});
  return found;
}

function packageFolder(name: string, from: readonly string[]): string | undefined {
  for (const start of from) {
    for (let folder = resolve(start); ; folder = dirname(folder)) {
      const candidate = join(folder, "node_modules", name);
      if (existsSync(candidate)) return candidate;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

function similar(file: string): string | undefined {
  const folder = dirname(file);
  if (!existsSync(folder)) return `the folder ${folder} does not exist either; paths start at the .seq file`;
  const near = nearest(basename(file), readdirSync(folder));
  return near === undefined ? "paths start at the .seq file" : `did you mean ${near}?`;
}

function inside(folder: string): string | undefined {
  const files = readdirSync(folder);
  return files.length === 0 ? undefined : `it has ${files.slice(0, 5).join(", ")}${files.length > 5 ? " ..." : ""}`;
}
