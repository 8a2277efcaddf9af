import { packageText } from "./file.ts";

interface Review {
  readonly text: string;
  readonly class: number;
}

interface Reviews {
  readonly words: readonly (readonly string[])[];
  /** 1 where the sentence praises. */
  readonly label: readonly number[];
}

/**
 * Sentences of reviews, of things ("amazon"), films ("imdb") and places ("yelp"). Kotzias et al. 2015. A word that the domains
 * `known` do not have twice becomes "unknown".
 */
export function reviews(domains: readonly string[], { known = domains }: { known?: readonly string[] } = {}): Reviews {
  const counts = new Map<string, number>();
  for (const word of known.flatMap(sentences).flatMap(({ words }) => words)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const rows = domains.flatMap(sentences);
  return {
    words: rows.map(({ words }) => words.map((word) => ((counts.get(word) ?? 0) < 2 ? "unknown" : word))),
    label: rows.map(({ label }) => label),
  };
}

function sentences(domain: string): readonly { readonly words: readonly string[]; readonly label: number }[] {
  const all: readonly Review[] = JSON.parse(packageText(`sentiment/test/fixtures/${domain}.json`));
  const rows = all.map((one) => ({ words: one.text.toLowerCase().match(/[a-z']+|\d+|[!?]/g) ?? [], label: one.class }));
  return rows.filter(({ words }) => words.length > 0);
}
