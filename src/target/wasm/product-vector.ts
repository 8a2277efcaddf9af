import { WIDE_PANEL } from "../../plan/product.ts";
import { call, f32x4, i32, type Local, local, type Procedure, type Statement, v128, when } from "./encode-code.ts";
import { countUp } from "./product-matrix.ts";
import { multiplyAdd, PANEL, partFunction, type Tiling } from "./product-tile.ts";

const FLOATS = 4;
const PARAMS = Array.from({ length: 7 }, () => "i32" as const);

/**
 * (left, packed, out, n, k, leftStep, add): one row, out[n] (+)= Σ_k left[k]·right[k][n], for a right matrix in wide panels [n/32][k][32].
 * It is bound by how fast the matrix comes from memory, so that is read from end to end, once; several streams side by side come slower.
 * Eight sums hide how long one multiply-add takes. `leftStep` leads from k to k, in bytes.
 */
export function vectorFunction(tiling: Tiling): Procedure {
  return tiling.module.shared("vector", PARAMS, "none", (builder) => {
    const [left, packed, out, n, k, leftStep, add] = PARAMS.map((type, index) => builder.param(index, type));
    if (!left || !packed || !out || !n || !k || !leftStep || !add) return;
    const [column, step, from] = [builder.local("i32"), builder.local("i32"), builder.local("i32")];
    const sums = Array.from({ length: WIDE_PANEL / FLOATS }, () => builder.local("v128"));
    const value = builder.local("v128");
    const forward = (pointer: Local<"i32">, by: number): Statement =>
      local.set(pointer, i32.add(local.get(pointer), i32.const(by)));
    const multiply = [
      local.set(value, v128.load32Splat(local.get(from))),
      local.set(from, i32.add(local.get(from), local.get(leftStep))),
      ...sums.map((sum, at) =>
        local.set(
          sum,
          multiplyAdd(tiling, local.get(value), v128.load(local.get(packed), 4 * FLOATS * at), local.get(sum)),
        ),
      ),
      forward(packed, FLOATS * WIDE_PANEL),
    ];
    const whole = (adding: boolean): readonly Statement[] =>
      sums.map((sum, at) => {
        const before = v128.load(local.get(out), 4 * FLOATS * at);
        return v128.store(local.get(out), adding ? f32x4.add(before, local.get(sum)) : local.get(sum), 4 * FLOATS * at);
      });
    const rest = i32.sub(local.get(n), local.get(column));
    const part = Array.from({ length: WIDE_PANEL / PANEL }, (_, panel): Statement => {
      const [low = value, high = value] = sums.slice(2 * panel);
      const width = i32.sub(rest, i32.const(PANEL * panel));
      const to = i32.add(local.get(out), i32.const(FLOATS * PANEL * panel));
      return call(partFunction(tiling), to, local.get(low), local.get(high), width, local.get(add));
    });
    builder.finish(
      countUp(column, WIDE_PANEL, local.get(n), [
        local.set(from, local.get(left)),
        ...sums.map((sum) => local.set(sum, f32x4.const(0))),
        countUp(step, 1, local.get(k), multiply),
        ...(tiling.compact
          ? part
          : [when(i32.ge(rest, i32.const(WIDE_PANEL)), [when(local.get(add), whole(true), whole(false))], part)]),
        forward(out, FLOATS * WIDE_PANEL),
      ]),
    );
  });
}
