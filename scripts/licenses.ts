import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The licenses of the packages that these files come from, each package once. Throws where one has none. */
export function licensesOf(files: readonly string[]): string {
  const folders = files.flatMap(
    (file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file.replace(/^\0/, ""))?.[0] ?? [],
  );
  return [...new Set(folders)].sort().map(licenseOf).join("\n\n");
}

function licenseOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[sc]e/i.test(name));
  const about: { name: string; version: string; license?: string } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  if (file === undefined)
    throw new Error(`${about.name} (${about.license}) has no license file: it cannot be built in`);
  const title = `${about.name} ${about.version}`;
  return `${title}\n${"=".repeat(title.length)}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}
