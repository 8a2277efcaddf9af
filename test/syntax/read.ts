import { readdirSync, readFileSync } from "node:fs";
import { createReport } from "../../src/base/report.ts";
import { parse } from "../../src/syntax/parse.ts";
import type { File } from "../../src/syntax/tree.ts";

/** The `.seq` files of a folder beside the tests, by name. */
export function sources(folder: string): readonly (readonly [name: string, text: string])[] {
  const at = new URL(`${folder}/`, import.meta.url);
  return readdirSync(at)
    .filter((name) => name.endsWith(".seq"))
    .sort()
    .map((name) => [name, readFileSync(new URL(name, at), "utf8")] as const);
}

export function read(text: string, file = "a.seq") {
  const report = createReport();
  return { tree: parse(text, file, report), diagnostics: report.diagnostics };
}

/** Reads a text that must have no faults. */
export function readWell(text: string): File {
  const { tree, diagnostics } = read(text);
  if (diagnostics.length > 0) throw new Error(`${diagnostics.map(({ message }) => message).join("\n")}\n\n${text}`);
  return tree;
}

const places = new Set(["span", "operatorSpan", "comments", "unread"]);

/** A tree without its places: what two texts that mean the same have in common. */
export function meaning(tree: object): string {
  return JSON.stringify(tree, (key, value) => (places.has(key) ? undefined : sorted(value)), 1);
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
