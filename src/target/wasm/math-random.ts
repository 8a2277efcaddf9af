import type { Distribution } from "../../ir/random.ts";
import { DISTRIBUTION_COUNTER } from "../../ir/random.ts";
import {
  call,
  type FunctionReference,
  f32x4,
  type I32,
  i32,
  i32x4,
  i64x2,
  local,
  type Statement,
  shuffle32,
  type V128,
  v128,
} from "./encode-code.ts";
import type { ModuleBuilder } from "./encode-module.ts";

/**
 * The words that `ir/random.ts` gives for four positions at once: Philox4x32-10 with each lane's own block. Returns the 23 bits and a
 * half of each position's `part`-th word as a float in (0, 1).
 */
export function uniformOf(
  module: ModuleBuilder,
  distribution: Distribution,
  positions: V128,
  seed: I32,
  stream: number,
  part: 0 | 1,
): V128 {
  const word = call(wordFunction(module, distribution), positions, seed, i32.const(stream), i32.const(part));
  const upper = f32x4.convert(i32x4.shrUnsigned(word, 9));
  return f32x4.mul(f32x4.add(upper, f32x4.const(0.5)), f32x4.const(2 ** -23));
}

/** (positions, seed, stream, part) → a word each. */
function wordFunction(module: ModuleBuilder, distribution: Distribution): FunctionReference<"v128"> {
  return module.shared(`philox ${distribution}`, ["v128", "i32", "i32", "i32"], "v128", (builder) => {
    const statements: Statement[] = [];
    const once = (code: V128): V128 => {
      const variable = builder.local("v128");
      statements.push(local.set(variable, code));
      return local.get(variable);
    };
    const positions = local.get(builder.param(0, "v128"));
    // A block of four words serves four positions of a uniform value, and two of a gaussian one.
    const perBlock = distribution === "uniform" ? 2 : 1;
    let counter: readonly [V128, V128, V128, V128] = [
      i32x4.shrUnsigned(positions, perBlock),
      i32x4.const(0),
      i32x4.const(0),
      i32x4.const(DISTRIBUTION_COUNTER[distribution]),
    ];
    let key: readonly [V128, V128] = [
      once(i32x4.splat(local.get(builder.param(1, "i32")))),
      once(i32x4.splat(local.get(builder.param(2, "i32")))),
    ];
    for (let round = 0; round < 10; round++) {
      counter = philoxRound(counter, key, once);
      key = [once(i32x4.add(key[0], i32x4.const(0x9e3779b9))), once(i32x4.add(key[1], i32x4.const(0xbb67ae85)))];
    }
    const part = i32x4.splat(local.get(builder.param(3, "i32")));
    const lane = v128.and(positions, i32x4.const(distribution === "uniform" ? 3 : 1));
    const wanted = once(distribution === "uniform" ? lane : i32x4.add(i32x4.shl(lane, 1), part));
    const words = counter.map(once);
    const [first = positions, ...rest] = words;
    const chosen = rest.reduce(
      (value, word, index) => v128.bitselect(word, value, i32x4.eq(wanted, i32x4.const(index + 1))),
      first,
    );
    builder.finish(...statements, chosen);
  });
}

function philoxRound(
  [c0, c1, c2, c3]: readonly [V128, V128, V128, V128],
  [k0, k1]: readonly [V128, V128],
  once: (code: V128) => V128,
): readonly [V128, V128, V128, V128] {
  const [high0, low0] = wideProduct(once(c0), 0xd2511f53, once);
  const [high1, low1] = wideProduct(once(c2), 0xcd9e8d57, once);
  return [once(v128.xor(v128.xor(high1, c1), k0)), low1, once(v128.xor(v128.xor(high0, c3), k1)), low0];
}

/** The upper and the lower halves of unsigned 64-bit products. */
function wideProduct(a: V128, factor: number, once: (code: V128) => V128): readonly [V128, V128] {
  const b = i32x4.const(factor);
  const low = once(i64x2.extendMultiplyLow(a, b));
  const high = once(i64x2.extendMultiplyHigh(a, b));
  return [once(shuffle32(low, high, [1, 3, 5, 7])), once(shuffle32(low, high, [0, 2, 4, 6]))];
}
