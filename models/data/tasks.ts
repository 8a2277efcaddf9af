import { below, chance } from "./chance.ts";

/** Hochreiter and Schmidhuber 1997, experiment 4: of `length` numbers two are marked; their sum is asked for. Always 1 has variance 1/6. */
export function adding({ length, count, seed }: { length: number; count: number; seed: number }): {
  x: readonly (readonly (readonly number[])[])[];
  total: readonly number[];
} {
  const draw = chance(seed);
  const rows = Array.from({ length: count }, () => {
    const first = below(draw, Math.floor(length / 2));
    const second = Math.floor(length / 2) + below(draw, Math.ceil(length / 2));
    return Array.from({ length }, (_, t) => [draw(), t === first || t === second ? 1 : 0] as const);
  });
  return { x: rows, total: rows.map((row) => row.reduce((sum, [value, marked]) => sum + value * marked, 0)) };
}

/**
 * Symbols to be remembered over a gap and said again (Hochreiter and Schmidhuber 1997; Arjovsky et al. 2016): `symbols` of eight
 * kinds, then `gap` blanks (8), the signal to speak (9), blanks. The answer is blank (8) until then.
 */
export function copying({ symbols, gap, count, seed }: { symbols: number; gap: number; count: number; seed: number }): {
  heard: readonly (readonly number[])[];
  said: readonly (readonly number[])[];
} {
  const draw = chance(seed);
  const words = Array.from({ length: count }, () => Array.from({ length: symbols }, () => below(draw, 8)));
  const blanks = (length: number): readonly number[] => Array.from({ length }, () => 8);
  return {
    heard: words.map((word) => [...word, ...blanks(gap), 9, ...blanks(symbols)]),
    said: words.map((word) => [...blanks(symbols + gap + 1), ...word]),
  };
}

/** Reber's grammar: from each state, a letter and the next state. */
const REBER: readonly (readonly (readonly [letter: string, next: number])[])[] = [
  [
    ["T", 1],
    ["P", 2],
  ],
  [
    ["S", 1],
    ["X", 3],
  ],
  [
    ["T", 2],
    ["V", 4],
  ],
  [
    ["X", 2],
    ["S", 5],
  ],
  [
    ["P", 3],
    ["V", 5],
  ],
];

/** Words of the embedded Reber grammar: the last letter but one is the second, over a whole word of Reber's grammar. */
export function reber({ count, seed }: { count: number; seed: number }): { word: readonly string[] } {
  const draw = chance(seed);
  const inner = (): string => {
    let word = "B";
    for (let state = 0; state < REBER.length; ) {
      const ways = REBER[state] ?? [];
      const [letter, next] = ways[below(draw, ways.length)] ?? ["", REBER.length];
      word += letter;
      state = next;
    }
    return `${word}E`;
  };
  const words = Array.from({ length: count }, () => {
    const kept = draw() < 0.5 ? "T" : "P";
    return `B${kept}${inner()}${kept}E`;
  });
  return { word: words };
}
