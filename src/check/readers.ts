/**
 * The readers that `data x = ...` knows: what they take and give. Their code is `src/runtime/data/readers.ts`, whose table must have
 * the same names. A reader of one's own needs no entry: `reader("./my.ts", "name", ...)`.
 */
export const READERS = {
  chars: {
    parameters: [{ name: "text", kind: "source" }],
    gives: "column",
    doc: "A text as one long sequence of characters; of a column of texts, each row's characters.",
  },
  words: {
    parameters: [
      { name: "text", kind: "source" },
      { name: "lower", kind: "flag", optional: true },
      { name: "least", kind: "integer", optional: true },
    ],
    gives: "column",
    doc: "A text as one long sequence of words; of a column of texts, each row's words. Words seen less than `least` times become UNK.",
  },
  lines: {
    parameters: [
      { name: "path", kind: "path" },
      { name: "unit", kind: "text", optional: true, choices: ["character", "word"] },
    ],
    gives: "column",
    doc: "Each line of a text an example: its characters, or its words.",
  },
  csv: {
    parameters: [
      { name: "path", kind: "path" },
      { name: "header", kind: "flag", optional: true },
      { name: "text", kind: "texts", optional: true },
      { name: "separator", kind: "text", optional: true },
    ],
    gives: "table",
    doc: "A table of comma-separated values; its first row names the columns.",
  },
  tsv: {
    parameters: [
      { name: "path", kind: "path" },
      { name: "header", kind: "flag", optional: true },
      { name: "text", kind: "texts", optional: true },
    ],
    gives: "table",
    doc: "A table of tab-separated values; its first row names the columns.",
  },
  jsonl: {
    parameters: [{ name: "path", kind: "path" }],
    gives: "table",
    doc: "One JSON object a line; its fields are the columns.",
  },
  json: {
    parameters: [{ name: "path", kind: "path" }],
    gives: "table",
    doc: "A JSON array of objects, whose fields are the columns, or of values.",
  },
  idx: {
    parameters: [{ name: "path", kind: "path" }],
    gives: "column",
    doc: "An IDX file, the format of MNIST; its first axis is the rows.",
  },
  mnist: {
    parameters: [
      { name: "folder", kind: "path" },
      { name: "split", kind: "text", choices: ["train", "t10k"] },
    ],
    gives: "table",
    columns: ["image", "label"],
    doc: "The handwritten digits: images [28, 28] of grey levels 0 to 1, and labels.",
  },
  safetensors: {
    parameters: [{ name: "path", kind: "path" }],
    gives: "table",
    doc: "The tensors of a safetensors file; their first axis is the rows.",
  },
  windows: {
    parameters: [
      { name: "x", kind: "data" },
      { name: "length", kind: "integer" },
      { name: "step", kind: "integer", optional: true },
    ],
    gives: "same",
    doc: "Pieces of a long sequence, each an example. `step` is 1 for numbers, `length` for tokens.",
  },
  standard: {
    parameters: [{ name: "x", kind: "data" }],
    gives: "same",
    doc: "Shifted and scaled to mean 0 and standard deviation 1.",
  },
  scaled: {
    parameters: [
      { name: "x", kind: "data" },
      { name: "low", kind: "number" },
      { name: "high", kind: "number" },
    ],
    gives: "same",
    doc: "Shifted and scaled so that the least value is `low` and the greatest `high`.",
  },
  flat: {
    parameters: [{ name: "x", kind: "data" }],
    gives: "same",
    doc: "The axes of a row merged into one.",
  },
  join: {
    parameters: [{ name: "source", kind: "text", optional: true, named: true }],
    rest: { kind: "data", least: 2 },
    gives: "table",
    doc: "The rows of several datasets, one behind the other. `source` names a further column: which one a row came from.",
  },
  reader: {
    parameters: [
      { name: "path", kind: "path" },
      { name: "name", kind: "text" },
    ],
    rest: { kind: "any", least: 0 },
    options: true,
    gives: "table",
    doc: "What a function of one's own returns: the export `name` of a TypeScript or JavaScript file.",
  },
  host: {
    parameters: [],
    gives: "table",
    doc: "What the caller of the program hands over.",
  },
} as const satisfies Readonly<Record<string, ReaderSignature>>;

export type ReaderName = keyof typeof READERS;

export interface ReaderSignature {
  readonly parameters: readonly ReaderParameter[];
  /** Further arguments, and how many there must be. */
  readonly rest?: { readonly kind: ArgumentKind; readonly least: number };
  /** Whether it takes named arguments that are not its own. */
  readonly options?: true;
  /** A table's columns have names; `same` gives what its argument does. */
  readonly gives: "column" | "table" | "same";
  /** The columns, where they are always the same; they are taken in this order. */
  readonly columns?: readonly string[];
  readonly doc: string;
}

export interface ReaderParameter {
  readonly name: string;
  readonly kind: ArgumentKind;
  readonly optional?: true;
  /** Only taken by name. */
  readonly named?: true;
  readonly choices?: readonly string[];
}

/** `source` is a path or a column; `texts` a list of strings; `any` a constant, a list of these, or data. */
export type ArgumentKind = "path" | "text" | "texts" | "integer" | "number" | "flag" | "data" | "source" | "any";

export function isReader(name: string): name is ReaderName {
  return Object.hasOwn(READERS, name);
}

export function readerSignature(name: ReaderName): ReaderSignature {
  return READERS[name];
}
