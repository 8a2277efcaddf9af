/** Reproducible choices for tests. */
export interface Chance {
  /** In [0, 1). */
  uniform(): number;
  between(low: number, high: number): number;
  /** An integer in 0 ... count-1. */
  below(count: number): number;
  pick<T>(items: readonly T[]): T;
  /** Each item with probability one half. */
  some<T>(items: readonly T[]): readonly T[];
  shuffled<T>(items: readonly T[]): readonly T[];
}

/** mulberry32. */
export function createChance(seed: number): Chance {
  let state = seed | 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(uniform() * count);
  return {
    uniform,
    below,
    between: (low, high) => low + (high - low) * uniform(),
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
    some: (items) => items.filter(() => uniform() < 0.5),
    shuffled: (items) => {
      const left = [...items];
      return items.map(() => left.splice(below(left.length), 1)[0] as (typeof items)[number]);
    },
  };
}
