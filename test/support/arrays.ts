import { expect } from "vitest";
import { createChance } from "./chance.ts";
import type { NamedArray } from "./feed.ts";

/** Reproducible numbers, uniform in low ... high where nothing else is said. */
export function numbers(
  shape: readonly number[],
  seed: number,
  draw = (chance: ReturnType<typeof createChance>): number => chance.between(-2, 2),
): NamedArray & { readonly data: Float64Array } {
  const chance = createChance(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float64Array.from({ length: count }, () => draw(chance)) };
}

/** A model's text with a regime `check` that minimizes something; its data are never read. */
export function withRegime(model: string, objective: string, clauses = "optim sgd(0.0)"): string {
  return `${model} train check of M { data x = csv("rows.csv") minimize ${objective} ${clauses} for 1 steps }`;
}

export function expectNumbers(found: ArrayLike<number>, wanted: readonly number[], what: string): void {
  expect(found.length, what).toBe(wanted.length);
  for (const [place, value] of wanted.entries()) {
    expect(found[place], `${what}[${place}]`).toBeCloseTo(value, 10);
  }
}
