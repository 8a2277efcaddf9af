/**
 * Counter-based random numbers: what lies at a position depends on the seed, the stream's name and the position alone, so that
 * every target reproduces it in any order, with 32-bit integer arithmetic only.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011).
 * Key: (seed mod 2³², `hashStream(stream)`). Counter: (block mod 2³², block div 2³², 0, distribution).
 */

/** Four 32-bit words from a 128-bit counter and a 64-bit key. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): readonly [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c2 = high0 ^ c3 ^ k1;
    c1 = low1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** The upper 32 bits of a product of two unsigned 32-bit integers, from 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) | 0;
}

/** FNV-1a over the UTF-16 code units' bytes: the stream's half of the key. */
export function hashStream(stream: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < stream.length; index++) {
    const unit = stream.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

export type Distribution = "uniform" | "gaussian";

/** The last word of the counter, so that the distributions of one stream do not share words. */
export const DISTRIBUTION_COUNTER: Readonly<Record<Distribution | "word" | "seed", number>> = {
  uniform: 0,
  gaussian: 1,
  word: 2,
  seed: 3,
};

/**
 * Fills with numbers of the stream from position 0 on.
 * uniform: position p takes word p mod 4 of block p div 4, `uniformOf`. gaussian: position p takes words 2(p mod 2) and
 * 2(p mod 2)+1 of block p div 2 as u, v: √(-2 ln u) cos(2πv) (Box & Muller 1958).
 */
export function fillRandom(out: Float64Array, distribution: Distribution, seed: number, stream: string): void {
  const key = [lowWord(seed), hashStream(stream)] as const;
  const perBlock = distribution === "uniform" ? 4 : 2;
  for (let start = 0; start < out.length; start += perBlock) {
    const words = philox(counterOf(start / perBlock, DISTRIBUTION_COUNTER[distribution]), key);
    for (let lane = 0; lane < perBlock && start + lane < out.length; lane++) {
      out[start + lane] =
        distribution === "uniform"
          ? uniformOf(words[lane] ?? 0)
          : gaussianOf(words[2 * lane] ?? 0, words[2 * lane + 1] ?? 0);
    }
  }
}

/** An odd multiple of 2⁻²⁴ in the open interval (0, 1): the word's 23 upper bits and a half, exact in float32 too. */
export function uniformOf(word: number): number {
  return ((word >>> 9) + 0.5) * 2 ** -23;
}

function gaussianOf(first: number, second: number): number {
  return Math.sqrt(-2 * Math.log(uniformOf(first))) * Math.cos(2 * Math.PI * uniformOf(second));
}

/** A uniformly random order of 0 … count-1 (Fisher & Yates), for shuffling examples; count is at most 2³². */
export function randomOrder(count: number, seed: number, stream: string): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  const key = [lowWord(seed), hashStream(stream)] as const;
  let words: readonly number[] = [];
  for (let last = count - 1, drawn = 0; last > 0; last--, drawn++) {
    if (drawn % 4 === 0) words = philox(counterOf(drawn / 4, DISTRIBUTION_COUNTER.word), key);
    const other = Math.floor(((words[drawn % 4] ?? 0) / 2 ** 32) * (last + 1));
    const kept = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}

/** A seed for step `step` of what `seed` started: an integer in 0 … 2³¹-1, so that it fits a signed 32-bit word. */
export function deriveSeed(seed: number, stream: string, step: number): number {
  return philox(counterOf(step, DISTRIBUTION_COUNTER.seed), [lowWord(seed), hashStream(stream)])[0] >>> 1;
}

function counterOf(block: number, distribution: number): [number, number, number, number] {
  return [lowWord(block), Math.floor(block / 2 ** 32), 0, distribution];
}

/** An integer modulo 2³². */
function lowWord(value: number): number {
  return Number(BigInt.asUintN(32, BigInt(Math.trunc(value))));
}
