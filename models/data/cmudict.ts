import { dictionary } from "cmu-pronouncing-dictionary";

interface Pronunciations {
  readonly word: readonly string[];
  /** Phones without their stress: 39 of them. */
  readonly phones: readonly (readonly string[])[];
  /** The syllable that has the main stress: 0 first, 1 second, 2 any later. */
  readonly stress: readonly number[];
  /** Syllables. */
  readonly count: readonly number[];
}

/**
 * CMU's pronouncing dictionary: words of letters alone, their first pronunciation. `part` "test" is every tenth word in
 * alphabetical order, "train" the others; `every: 100` keeps one word in a hundred.
 */
export function pronunciations({ part, every = 1 }: { part?: "train" | "test"; every?: number } = {}): Pronunciations {
  const entries = Object.entries(dictionary)
    .filter(([word, phones]) => /^[a-z]+$/.test(word) && !phones.includes("#"))
    .filter((_, at) => part === undefined || (at % 10 === 0) === (part === "test"))
    .filter((_, at) => at % every === 0);
  const phones = entries.map(([, text]) => text.split(" "));
  const syllables = phones.map((list) => list.filter((phone) => /\d$/.test(phone)));
  return {
    word: entries.map(([word]) => word),
    phones: phones.map((list) => list.map((phone) => phone.replace(/\d$/, ""))),
    stress: syllables.map((list) =>
      Math.min(
        2,
        Math.max(
          0,
          list.findIndex((phone) => phone.endsWith("1")),
        ),
      ),
    ),
    count: syllables.map((list) => list.length),
  };
}
