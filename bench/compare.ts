import type { Results } from "./side.ts";

export interface Difference {
  readonly name: string;
  /** ‖a − b‖ / ‖b‖, Euclidean, over the whole array. */
  readonly relative: number;
  readonly tolerance: number;
}

/** How far float32 programs may lie apart that sum in different orders. */
const TOLERANCES: Readonly<Record<string, number>> = {
  loss: 1e-4,
  output: 1e-4,
  gradient: 1e-3,
  /** Adam's first step is nearly the gradient's sign, so entries near zero may jump. */
  update: 2e-2,
};

/** Differences of what both sides give, the worst first. Throws where they have nothing in common. */
export function compare(results: Results, reference: Results): readonly Difference[] {
  const differences: Difference[] = [];
  for (const [name, values] of results) {
    const expected = reference.get(name);
    if (expected === undefined) continue;
    const [kind = ""] = name.split(".");
    differences.push({ name, relative: relativeDistance(values, expected), tolerance: TOLERANCES[kind] ?? 1e-4 });
  }
  if (differences.length === 0) throw new Error("the sides have no result in common");
  return differences.sort((a, b) => excess(b) - excess(a));
}

/** Above 1 where the difference is too large. */
export function excess({ relative, tolerance }: Difference): number {
  return relative / tolerance;
}

function relativeDistance(values: Float32Array, expected: Float32Array): number {
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  let distance = 0;
  let length = 0;
  for (let at = 0; at < values.length; at++) {
    const other = expected[at] ?? Number.NaN;
    distance += ((values[at] ?? Number.NaN) - other) ** 2;
    length += other ** 2;
  }
  const relative = Math.sqrt(distance / Math.max(length, Number.MIN_VALUE));
  return distance === 0 ? 0 : Number.isNaN(relative) ? Number.POSITIVE_INFINITY : relative;
}
