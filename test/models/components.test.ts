import { expect, test } from "vitest";
import { readSource } from "../support/compile.ts";
import { filesIn, prepared, trainedOn } from "../support/train.ts";

/** Orthonormal axes of four dimensions, and the variance along each. */
const AXES = [
  [0.5, 0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5, -0.5],
  [0.5, 0.5, -0.5, -0.5],
  [0.5, -0.5, -0.5, 0.5],
] as const;
const VARIANCES = [3, 1.5, 0.3, 0.1] as const;
const MEAN = [1, -2, 0.5, 0];

/** Points on both sides of the mean along each axis, so that their covariance has these axes and variances exactly. */
const ROWS = VARIANCES.flatMap((variance, axis) =>
  [1, -1].map((side) =>
    MEAN.map((mean, d) => mean + side * Math.sqrt(variance * VARIANCES.length) * (AXES[axis]?.[d] ?? 0)),
  ),
);

const FILE = filesIn({
  "x.seq": [
    readSource("models/autoencoder.seq").text.split(/^train /m)[0],
    readSource("models/ppca.seq").text.split(/^train /m)[0],
    regime("tied", "Tied(D: 4, Z: 2)", 500),
    regime("ppca", "PPCA(D: 4, Z: 2)", 600),
  ].join("\n"),
  "rows.jsonl": ROWS.map((x) => JSON.stringify({ x })).join("\n"),
});

function regime(name: string, model: string, steps: number): string {
  return `train ${name} of ${model} { data x = jsonl("rows.jsonl") minimize nll(x) optim adam(lr: cosine(3e-2)) batch 8 for ${steps} steps seed 1 }`;
}

test("the linear autoencoder spans the principal components: no direction of it is a degree away", async () => {
  const { outcome } = await trainedOn(await prepared(FILE, { regime: "tied" }), "wasm");
  const { data } = outcome.state.weights.get("W") ?? { data: [] };
  const along = [0, 1].map((row) =>
    AXES.map((axis) => axis.reduce((sum, each, d) => sum + each * (data[row * 4 + d] ?? 0), 0)),
  );
  // Any mix of the rows: its part along the components left out, beside that along the two kept.
  for (let turn = 0; turn < Math.PI; turn += 0.1) {
    const mixed = AXES.map((_, axis) => {
      const [first = 0, second = 0] = along.map((row) => row[axis] ?? 0);
      return Math.cos(turn) * first + Math.sin(turn) * second;
    });
    const [a = 0, b = 0, c = 0, d = 0] = mixed;
    expect((Math.atan2(Math.hypot(c, d), Math.hypot(a, b)) * 180) / Math.PI).toBeLessThan(1);
  }
});

test("probabilistic components reach the likelihood of the closed form (Tipping and Bishop 1999, eqs. 4, 7 and 8)", async () => {
  const { losses } = await trainedOn(await prepared(FILE, { regime: "ppca" }), "wasm");
  const [first, second, third, fourth] = VARIANCES;
  const noise = (third + fourth) / 2;
  const best = 0.5 * (4 * Math.log(2 * Math.PI) + Math.log(first * second) + 2 * Math.log(noise) + 4);
  expect(Math.abs((losses.at(-1) ?? Number.NaN) - best) / best).toBeLessThan(1e-3);
  expect(losses.at(-1)).toBeGreaterThan(best - 1e-5);
});
