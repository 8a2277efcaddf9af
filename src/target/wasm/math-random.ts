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
  type Local,
  local,
  type Statement,
  shuffle32,
  type V128,
  v128,
} from "./encode-code.ts";
import type { FunctionBuilder, ModuleBuilder } from "./encode-module.ts";
import { countUp } from "./product-matrix.ts";

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
  // A block of four words serves four positions of a uniform value, and two of a gaussian one.
  const [perBlock, lane] = distribution === "uniform" ? [2, 3] : [1, 1];
  const inBlock = v128.and(positions, i32x4.const(lane));
  const word = call(
    wordFunction(module),
    i32x4.shrUnsigned(positions, perBlock),
    ...[i32.const(DISTRIBUTION_COUNTER[distribution]), seed, i32.const(stream)],
    distribution === "uniform" ? inBlock : i32x4.add(i32x4.shl(inBlock, 1), i32x4.const(part)),
  );
  const upper = f32x4.convert(i32x4.shrUnsigned(word, 9));
  return f32x4.mul(f32x4.add(upper, f32x4.const(0.5)), f32x4.const(2 ** -23));
}

const ROUNDS = 10;

/** (blocks, distribution, seed, stream, words) → of each lane's block the word that it wants, 0 … 3. */
function wordFunction(module: ModuleBuilder): FunctionReference<"v128"> {
  return module.shared("philox", ["v128", "i32", "i32", "i32", "v128"], "v128", (builder) => {
    const i32At = (index: number): V128 => i32x4.splat(local.get(builder.param(index, "i32")));
    const wanted = local.get(builder.param(4, "v128"));
    const start = [local.get(builder.param(0, "v128")), i32x4.const(0), i32x4.const(0), i32At(1)];
    const counter = start.map(() => builder.local("v128"));
    const key = [builder.local("v128"), builder.local("v128")];
    const round = builder.local("i32");
    const [c0, c1, c2, c3] = counter;
    const [k0, k1] = key;
    if (!c0 || !c1 || !c2 || !c3 || !k0 || !k1) return;
    const first = wideProduct(builder, local.get(c0), 0xd2511f53);
    const second = wideProduct(builder, local.get(c2), 0xcd9e8d57);
    const mixed = (high: V128, c: Local<"v128">, k: Local<"v128">): V128 =>
      v128.xor(v128.xor(high, local.get(c)), local.get(k));
    const forward = (k: Local<"v128">, by: number): Statement =>
      local.set(k, i32x4.add(local.get(k), i32x4.splat(i32.const(by | 0))));
    const words = counter
      .slice(1)
      .reduce(
        (value, word, index) =>
          v128.bitselect(local.get(word), value, i32x4.eq(wanted, i32x4.splat(i32.const(index + 1)))),
        local.get(c0),
      );
    builder.finish(
      ...counter.map((each, at) => local.set(each, start[at] ?? wanted)),
      local.set(k0, i32At(2)),
      local.set(k1, i32At(3)),
      countUp(round, 1, i32.const(ROUNDS), [
        ...first.statements,
        ...second.statements,
        local.set(c0, mixed(second.high, c1, k0)),
        local.set(c1, second.low),
        local.set(c2, mixed(first.high, c3, k1)),
        local.set(c3, first.low),
        forward(k0, 0x9e3779b9),
        forward(k1, 0xbb67ae85),
      ]),
      words,
    );
  });
}

/** The upper and the lower halves of unsigned 64-bit products. */
function wideProduct(
  builder: FunctionBuilder<"v128">,
  a: V128,
  factor: number,
): { readonly statements: readonly Statement[]; readonly high: V128; readonly low: V128 } {
  const b = i32x4.splat(i32.const(factor | 0));
  const [low, high] = [builder.local("v128"), builder.local("v128")];
  const [x, y] = [local.get(low), local.get(high)];
  return {
    statements: [local.set(low, i64x2.extendMultiplyLow(a, b)), local.set(high, i64x2.extendMultiplyHigh(a, b))],
    high: shuffle32(x, y, [1, 3, 5, 7]),
    low: shuffle32(x, y, [0, 2, 4, 6]),
  };
}
