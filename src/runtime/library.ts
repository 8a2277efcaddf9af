import { readdirSync, readFileSync } from "node:fs";
import { createReport } from "../base/report.ts";
import type { Source } from "../check/modules.ts";
import { parse } from "../syntax/parse.ts";

const LIBRARY = new URL("../../models/std/", import.meta.url);

/**
 * The library's files, which diagnostics call `std/cells.seq`, with their trees. The built package has what this returns as data: there it
 * needs neither files nor the parser.
 */
export function readLibrary(): readonly Source[] {
  return readdirSync(LIBRARY)
    .filter((name) => name.endsWith(".seq"))
    .sort()
    .map((name) => parsed({ file: `std/${name}`, text: readFileSync(new URL(name, LIBRARY), "utf8") }));
}

/** A file with a mistake goes without its tree: whoever loads it is told. */
function parsed(source: Source): Source {
  const report = createReport();
  const tree = parse(source.text, source.file, report);
  return report.diagnostics.length === 0 ? { ...source, tree } : source;
}
