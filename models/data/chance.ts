/** Numbers in [0, 1) that depend on the seed alone (Marsaglia 2003, xorshift), for tasks that are made and not read. */
export function chance(seed: number): () => number {
  let state = (seed + 1) * 0x9e3779b1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A whole number in [0, below). */
export function below(draw: () => number, limit: number): number {
  return Math.floor(draw() * limit);
}
