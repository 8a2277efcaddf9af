import type { LibraryFunction } from "./math.ts";
import { float, polynomial } from "./number.ts";

/** (-1)ᵏ (2π)²ᵏ⁺¹ / (2k+1)! for k = 6 … 0. */
const SINE_OF_TURNS: readonly number[] = [6, 5, 4, 3, 2, 1, 0].map((k) => {
  let value = 2 * Math.PI;
  for (let n = 1; n <= k; n++) value *= -((2 * Math.PI) ** 2) / (2 * n * (2 * n + 1));
  return value;
});

/** The numbers of `ir/random.ts`. */
export const RANDOM = {
  /** Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011). */
  philox: {
    needs: ["multiply_high"],
    code: `
fn philox(block: u32, distribution: u32, seed: u32, stream: u32) -> vec4u {
  var c = vec4u(block, 0u, 0u, distribution);
  var k = vec2u(seed, stream);
  for (var round_ = 0; round_ < 10; round_++) {
    let high = vec2u(multiply_high(0xd2511f53u, c.x), multiply_high(0xcd9e8d57u, c.z));
    c = vec4u(high.y ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high.x ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`,
  },
  uniform_of: {
    needs: [],
    code: `
fn uniform_of(word: u32) -> f32 {
  return (f32(word >> 9u) + 0.5f) * ${float(2 ** -23)};
}`,
  },
  random_uniform: {
    needs: ["philox", "uniform_of"],
    code: `
fn random_uniform(position: i32, seed: i32, stream: u32) -> f32 {
  let at = bitcast<u32>(position);
  let words = philox(at >> 2u, 0u, bitcast<u32>(seed), stream);
  return uniform_of(words[at & 3u]);
}`,
  },
  /** √(-2 ln u) cos(2πv) (Box & Muller 1958). */
  random_gaussian: {
    needs: ["philox", "uniform_of", "log_number"],
    code: `
fn random_gaussian(position: i32, seed: i32, stream: u32) -> f32 {
  let at = bitcast<u32>(position);
  let words = philox(at >> 1u, 1u, bitcast<u32>(seed), stream);
  let pair = select(words.xy, words.zw, (at & 1u) == 1u);
  let turns = uniform_of(pair.y);
  let t = 0.25f - abs(turns - round(turns));
  let square = t * t;
  let cosine = t * ${polynomial("square", SINE_OF_TURNS)};
  return sqrt(-2.0f * log_number(uniform_of(pair.x))) * cosine;
}`,
  },
} as const satisfies Readonly<Record<string, LibraryFunction>>;
