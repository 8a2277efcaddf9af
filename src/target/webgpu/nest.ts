import type { Axis } from "../../ir/type.ts";
import { type Kernel, sizeTerm } from "./context.ts";
import type { Positions } from "./memory.ts";

export const TYPES = { float: "f32", int: "i32", bool: "bool" } as const;

/** Loops inside of one thread. */
export function nest(
  kernel: Kernel,
  axes: readonly Axis[],
  positions: Positions,
  body: (positions: Positions) => void,
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) {
    body(positions);
    return;
  }
  kernel.repeat(
    sizeTerm(kernel, axis.size),
    (index) => nest(kernel, inner, new Map([...positions, [axis.id, index]]), body),
    `at_${axis.id}`,
  );
}
