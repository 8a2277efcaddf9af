import { describe, expect, test } from "vitest";
import { compileDefinitionOf, openJob } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";
import { compareWithDifferences } from "../support/finite.ts";

const SIZES = {
  B: 2,
  D: 4,
  H: 3,
  V: 5,
  K: 4,
  T: 3,
  S: 3,
  Q: 3,
  A: 2,
  N: 2,
  C: 3,
  M: 3,
  O: 2,
  I: 3,
  X: 5,
  Y: 4,
  Z: 2,
  G: 2,
};

/** Definitions that need more than sizes. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  RNN: ["RNN", "RNN(act: relu)"],
  MLP: ["MLP([3, 4, 2])", "MLP([3, 2], last: tanh)", "MLP([3, 4, 5, 2], act: gelu)"],
  Bi: ["Bi(LSTM)", "Bi(GRU)"],
  Dense: ["Dense", "Dense(act: tanh)"],
  Attention: ["Attention", "Attention(4, 1)"],
  CausalAttention: ["CausalAttention", "CausalAttention(4, 1)"],
  top_k: ["top_k(2)"],
  dropout: ["dropout(p: 0.3)"],
  sgd: ["sgd(0.1)"],
  momentum: ["momentum(0.1)"],
  adam: ["adam(0.1)"],
  adamw: ["adamw(0.1)"],
  rmsprop: ["rmsprop(0.1)"],
  clip_norm: ["clip_norm(0.7)", "clip_norm(7.0)"],
  clip_value: ["clip_value(0.5)"],
  cosine: ["cosine(0.3)", "cosine(0.3, warmup: 2)"],
  linear: ["linear(1.0, 0.5)"],
  step_decay: ["step_decay(0.5)"],
  noam: ["noam(4)"],
};

/** Symmetric matrices whose factor exists: one in each example of the batch. */
function positive(_: unknown, place: number): number {
  const [row, column] = [Math.floor(place / SIZES.D) % SIZES.D, place % SIZES.D];
  return row === column ? 1.5 + 0.3 * row : 0.2 + 0.07 * (row + column);
}

const DRAWS = { cov: positive, A: positive };

/** All that computes something: layouts say where weights come from. */
const names = [...openJob("").modules.library].flatMap(([name, { definition }]) =>
  definition.definitionKind === "layout" ? [] : [name],
);

describe("gradients of the library against difference quotients", () => {
  for (const name of names) {
    for (const expression of ARGUMENTS[name] ?? [name]) {
      test(expression, () => {
        const program = compileDefinitionOf(expression, { sizes: SIZES });
        for (const training of [true, false]) {
          const { compared, wrong } = compareWithDifferences(
            program,
            randomFeed(program, SIZES, { training, draw: DRAWS }),
          );
          expect(wrong).toEqual([]);
          expect(compared).toBeGreaterThan(0);
        }
      });
    }
  }
});
