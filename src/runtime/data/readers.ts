import type { ArgumentKind, READERS, ReaderName, ReaderParameter } from "../../check/readers.ts";
import { flat, scaled, standard, windows } from "./combine.ts";
import { type Dataset, onlyColumn, single } from "./dataset.ts";
import { DataError } from "./error.ts";
import { callForeign, type ForeignData, foreignDataset } from "./foreign.ts";
import { join } from "./join.ts";
import { existingPath } from "./path.ts";
import { readIdx, readMnist } from "./read-idx.ts";
import { readJson, readJsonLines } from "./read-json.ts";
import { readSafetensors } from "./read-safetensors.ts";
import { readTable } from "./read-table.ts";
import { readChars, readTextLines, readWords, splitColumn } from "./read-text.ts";

/**
 * The code of every reader in `src/check/readers.ts`. To add a reader, add its entry there and here: what it takes is typed by its
 * signature, paths of kind "path" come as written.
 */
export const IMPLEMENTATIONS: { readonly [N in ReaderName]: Reader<N> } = {
  chars: async ({ text }, context) =>
    single(
      typeof text === "string"
        ? await readChars(existingPath(text, context.folder))
        : splitColumn(onlyColumn(text), "character", { lower: false, least: 1 }),
    ),
  words: async ({ text, lower = false, least = 1 }, context) =>
    single(
      typeof text === "string"
        ? await readWords(existingPath(text, context.folder), { lower, least })
        : splitColumn(onlyColumn(text), "word", { lower, least }),
    ),
  lines: async ({ path, unit }, context) =>
    single(await readTextLines(existingPath(path, context.folder), unit === "word" ? "word" : "character")),
  csv: ({ path, header = true, text = [], separator = "," }, context) =>
    readTable(existingPath(path, context.folder), { header, text, delimiter: separator, wanted: context.wanted }),
  tsv: ({ path, header = true, text = [] }, context) =>
    readTable(existingPath(path, context.folder), { header, text, delimiter: "\t", wanted: context.wanted }),
  jsonl: ({ path }, context) => readJsonLines(existingPath(path, context.folder), context.wanted),
  json: ({ path }, context) => readJson(existingPath(path, context.folder), context.wanted),
  idx: async ({ path }, context) => single(await readIdx(existingPath(path, context.folder))),
  mnist: ({ folder, split }, context) => readMnist(existingPath(folder, context.folder, "folder"), split),
  safetensors: ({ path }, context) => readSafetensors(existingPath(path, context.folder), context.wanted),
  windows: async ({ x, length, step }) => windows(x, length, step),
  standard: async ({ x }) => standard(x),
  scaled: async ({ x, low, high }) => scaled(x, low, high),
  flat: async ({ x }) => flat(x),
  join: async ({ source, rest }) => join(rest, source),
  reader: ({ path, name, rest, options }, context) =>
    callForeign(existingPath(path, context.folder), name, rest, options),
  host: async (_, context) => {
    if (context.host === undefined)
      throw new DataError("the caller gave no data", {
        hint: "a program that hands it over opens the regime with openHosted",
      });
    return foreignDataset(context.host, "host()");
  },
};

/** What the evaluation of a reader depends on beside its arguments. */
export interface DataContext {
  /** The folder of the `.seq` file: paths start there. */
  readonly folder: string;
  /** What `host()` gives. */
  readonly host?: ForeignData | undefined;
}

/** `wanted` are the columns that are asked for: a table need not read others. */
export interface ReadContext extends DataContext {
  readonly wanted: readonly string[] | undefined;
}

export type Reader<N extends ReaderName> = (args: ArgumentsOf<N>, context: ReadContext) => Promise<Dataset>;

/** A constant of the source, or data. */
export type AnyArgument = number | string | boolean | readonly AnyArgument[] | Dataset;

interface ArgumentValues {
  readonly path: string;
  readonly text: string;
  readonly texts: readonly string[];
  readonly integer: number;
  readonly number: number;
  readonly flag: boolean;
  readonly data: Dataset;
  readonly source: string | Dataset;
  readonly any: AnyArgument;
}

type Signatures = typeof READERS;
type ParameterOf<N extends ReaderName> = Signatures[N]["parameters"][number];
type Value<P extends ReaderParameter> = ArgumentValues[P["kind"]];

/** The arguments by name, as the reader's signature types them. */
export type ArgumentsOf<N extends ReaderName> = {
  readonly [P in ParameterOf<N> as P["name"]]: P extends { readonly optional: true } ? Value<P> | undefined : Value<P>;
} & (Signatures[N] extends { readonly rest: { readonly kind: infer K extends ArgumentKind } }
  ? { readonly rest: readonly ArgumentValues[K][] }
  : unknown) &
  (Signatures[N] extends { readonly options: true }
    ? { readonly options: Readonly<Record<string, AnyArgument>> }
    : unknown);
