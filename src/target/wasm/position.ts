import { choose, i32, i32x4, type V128, v128 } from "./encode-code.ts";
import type { Kernel, Scalar } from "./kernel.ts";
import { type Position, positionDepth, positionKey, positionVector, scalarPosition, type Vector } from "./memory.ts";

/* Arithmetic on positions: on single integers where all lanes have the same, else lane by lane. */

export function addToPosition(kernel: Kernel, position: Position, by: Scalar): Position {
  switch (position.kind) {
    case "scalar":
      return scalarPosition(kernel.add(position.at, by));
    case "run":
      return by.constant === undefined
        ? { ...position, at: kernel.add(position.at, by) }
        : { ...position, plus: position.plus + by.constant };
    case "lanes":
      return lanes(kernel, "add", [position], [by], ([a]) => i32x4.add(a ?? ZERO, i32x4.splat(by.code)));
    default:
      return position satisfies never;
  }
}

const ZERO = i32x4.const(0);

export function negated(kernel: Kernel, value: Scalar): Scalar {
  return kernel.subtract(kernel.constant(0), value);
}

/** The nearest of the positions 0 … length-1; 0 where there are none. */
export function clipPosition(kernel: Kernel, position: Position, length: Scalar): Position {
  const last = kernel.subtract(length, kernel.constant(1));
  if (position.kind === "scalar") {
    const { at } = position;
    if (at.constant !== undefined && last.constant !== undefined) {
      return scalarPosition(kernel.constant(Math.max(Math.min(at.constant, last.constant), 0)));
    }
    const low = kernel.scalar("min", [at, last], (a, b) => choose(i32.lt(a, b), a, b));
    return scalarPosition(kernel.scalar("max0", [low], (a) => choose(i32.gt(a, i32.const(0)), a, i32.const(0))));
  }
  return lanes(kernel, "clip", [position], [last], ([a]) =>
    i32x4.max(i32x4.min(a ?? ZERO, i32x4.splat(last.code)), i32x4.const(0)),
  );
}

/** Whether a position is one of 0 … length-1. */
export function insideOf(kernel: Kernel, position: Position, length: Scalar): Vector {
  const at = positionVector(kernel, position);
  const depth = Math.max(at.depth, length.depth);
  const key = `inside ${at.key} ${length.key}`;
  const code = v128.and(i32x4.ge(at.code, i32x4.const(0)), i32x4.lt(at.code, i32x4.splat(length.code)));
  return { code: kernel.bind(depth, code, key), depth, key, dtype: "bool" };
}

/** Σ factor · position. */
export function joinPositions(
  kernel: Kernel,
  parts: readonly { readonly position: Position; readonly factor: Scalar }[],
): Position {
  let sum = kernel.constant(0);
  let across: Position | undefined;
  for (const { position, factor } of parts) {
    if (position.kind === "scalar") {
      sum = kernel.add(sum, kernel.multiply(position.at, factor));
      continue;
    }
    const scaled =
      factor.constant === 1
        ? position
        : lanes(kernel, "times", [position], [factor], ([a]) => i32x4.mul(a ?? ZERO, i32x4.splat(factor.code)));
    across =
      across === undefined
        ? scaled
        : lanes(kernel, "plus", [across, scaled], [], ([a, b]) => i32x4.add(a ?? ZERO, b ?? ZERO));
  }
  return across === undefined ? scalarPosition(sum) : addToPosition(kernel, across, sum);
}

/** A position that is not negative, divided by a size. */
export function divided(
  kernel: Kernel,
  position: Position,
  size: Scalar,
): { readonly quotient: Position; readonly remainder: Position } {
  // Of a size of 0 there are no positions, but code may be computed before that is known.
  const by = kernel.scalar("divisor", [size], (code) => i32.or(code, i32.eqz(code)));
  if (position.kind === "scalar") {
    const quotient = kernel.scalar("quotient", [position.at, by], i32.divUnsigned);
    const remainder = kernel.scalar("remainder", [position.at, by], i32.remUnsigned);
    return { quotient: scalarPosition(quotient), remainder: scalarPosition(remainder) };
  }
  const quotient = lanes(kernel, "quotient", [position], [by], ([a]) => {
    const value = a ?? ZERO;
    let code: V128 = i32x4.splat(i32.divUnsigned(i32x4.extract(value, 0), by.code));
    for (let lane = 1; lane < kernel.width(); lane++) {
      code = i32x4.replace(code, lane, i32.divUnsigned(i32x4.extract(value, lane), by.code));
    }
    return code;
  });
  const remainder = lanes(kernel, "remainder", [position, quotient], [by], ([a, q]) =>
    i32x4.sub(a ?? ZERO, i32x4.mul(q ?? ZERO, i32x4.splat(by.code))),
  );
  return { quotient, remainder };
}

function lanes(
  kernel: Kernel,
  name: string,
  positions: readonly Position[],
  scalars: readonly Scalar[],
  make: (codes: readonly V128[]) => V128,
): Position {
  const depth = Math.max(0, ...positions.map(positionDepth), ...scalars.map((scalar) => scalar.depth));
  const key = `${name}(${[...positions.map(positionKey), ...scalars.map((scalar) => scalar.key)].join(",")})`;
  const code = make(positions.map((position) => positionVector(kernel, position).code));
  return { kind: "lanes", at: { code: kernel.bind(depth, code, key), depth, key, dtype: "int" } };
}
