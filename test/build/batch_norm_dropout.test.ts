import { describe, expect, test } from "vitest";
import { expectNumbers, numbers, withRegime } from "../support/arrays.ts";
import { compileStepOf, compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

describe("BatchNorm", () => {
  const C = 3;
  const weights = {
    "n.scale": { shape: [C], data: [1.5, 0.5, -1] },
    "n.shift": { shape: [C], data: [0.1, -0.2, 0.3] },
    "n.m": { shape: [C], data: [0.4, 0.5, 0.6] },
    "n.v": { shape: [C], data: [1.1, 0.9, 2] },
  };
  /** Mean and variance of each channel over the rows that count. */
  const statistics = (
    rows: readonly (readonly number[])[],
  ): readonly { readonly mean: number; readonly variance: number }[] =>
    Array.from({ length: C }, (_, channel) => {
      const column = rows.map((row) => row[channel] ?? Number.NaN);
      const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
      return { mean, variance: column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length };
    });
  const rowsOf = ({ data }: NamedArray): readonly (readonly number[])[] =>
    Array.from({ length: data.length / C }, (_, row) => Array.from(data).slice(row * C, (row + 1) * C));
  const shapes: Readonly<
    Record<string, readonly [type: string, shape: readonly number[], lengths: readonly number[] | undefined]>
  > = {
    vectors: ["[C]", [5, C], undefined],
    images: ["[4, 2, C]", [3, 4, 2, C], undefined],
    "ragged time": ["[T, C]", [3, 6, C], [6, 3, 1]],
  };
  for (const [name, [type, shape, lengths]] of Object.entries(shapes)) {
    const model = `model M(C) { ${lengths === undefined ? "" : "time T"} in x: ${type} use n = BatchNorm(C) y = n(x) loss = sum[${type.slice(1, -1)}](y**2) }`;
    const x = numbers(shape, 3);
    const arrays = { ...weights, x, ...(lengths === undefined ? {} : { "T.length": { shape: [3], data: lengths } }) };
    const inside = (row: number): boolean => lengths === undefined || row % 6 < (lengths[Math.floor(row / 6)] ?? 0);
    const counted = statistics(rowsOf(x).filter((_, row) => inside(row)));

    test(`of ${name} uses the batch in training, the running statistics afterwards`, () => {
      const program = compileText(withRegime(model, "loss"), { sizes: { C }, regime: "check", values: ["y"] });
      for (const training of [true, false]) {
        const y = rowsOf(readArray(program, evaluate(program.graph, feed(program, arrays, { training })), "value.y"));
        rowsOf(x).forEach((row, place) => {
          if (!inside(place)) return;
          const wanted = row.map((value, channel) => {
            const [mean, variance] = training
              ? [counted[channel]?.mean ?? 0, counted[channel]?.variance ?? 0]
              : [weights["n.m"].data[channel] ?? 0, weights["n.v"].data[channel] ?? 0];
            const scale = weights["n.scale"].data[channel] ?? 0;
            return (scale * (value - mean)) / Math.sqrt(variance + 1e-5) + (weights["n.shift"].data[channel] ?? 0);
          });
          expectNumbers(y[place] ?? [], wanted, `row ${place}`);
        });
      }
    });

    test(`of ${name} moves its running statistics at a step, and trains them not`, () => {
      const step = compileStepOf(withRegime(model, "loss", "optim adam(0.1)"), "check", { sizes: { C } });
      const results = evaluate(step.graph, feed(step, arrays));
      const moved = (weight: "n.m" | "n.v", to: (channel: number) => number): void => {
        const wanted = weights[weight].data.map((before, channel) => before + 0.1 * (to(channel) - before));
        expectNumbers(readArray(step, results, `weight.${weight}`).data, wanted, weight);
      };
      moved("n.m", (channel) => counted[channel]?.mean ?? Number.NaN);
      moved("n.v", (channel) => counted[channel]?.variance ?? Number.NaN);
      const slots = [...step.params.values()].flatMap((role) => (role.kind === "slot" ? [role.weight] : []));
      expect([...new Set(slots)].sort()).toEqual(["n.scale", "n.shift"]);
    });
  }

  test("applied twice moves twice, in the order of the file", () => {
    const model =
      "model M(C) { in x: [C], z: [C] use n = BatchNorm(C, rate: 0.25) a = n(x) b = n(z) loss = sum(a**2) + sum(b * a) }";
    const step = compileStepOf(withRegime(model, "loss"), "check", { sizes: { C } });
    const [x, z] = [numbers([5, C], 3), numbers([5, C], 4)];
    const results = evaluate(step.graph, feed(step, { ...weights, x, z }));
    const wanted = weights["n.m"].data.map((before, channel) =>
      [x, z].reduce((m, array) => m + 0.25 * ((statistics(rowsOf(array))[channel]?.mean ?? 0) - m), before),
    );
    expectNumbers(readArray(step, results, "weight.n.m").data, wanted, "n.m");
  });
});

describe("dropout", () => {
  const model = "model M(D) { in x: [D] param w: [D] y = dropout(w * x, p: 0.3) loss = sum(y) }";
  const program = compileText(withRegime(model, "loss"), {
    sizes: { D: 100 },
    regime: "check",
    values: ["y"],
    gradients: true,
  });
  const arrays = {
    x: { shape: [200, 100], data: new Float64Array(20_000).fill(1) },
    w: { shape: [100], data: new Float64Array(100).fill(2) },
  };
  const run = (training: boolean, seed: number): ReturnType<typeof evaluate> =>
    evaluate(program.graph, feed(program, arrays, { training, seed }));

  test("leaves 0.7 of the values, scaled so that their mean stays", () => {
    const y = Array.from(readArray(program, run(true, 5), "value.y").data);
    const kept = y.filter((value) => value !== 0);
    expect(kept.every((value) => Math.abs(value - 2 / 0.7) < 1e-12)).toBe(true);
    expect(Math.abs(kept.length / y.length - 0.7)).toBeLessThan(4 * Math.sqrt(0.21 / y.length));
  });
  test("changes nothing in evaluation", () => {
    expect(Array.from(readArray(program, run(false, 5), "value.y").data).every((value) => value === 2)).toBe(true);
  });
  test("drops others for another seed, the same for the same", () => {
    const [first, again, other] = [5, 5, 6].map((seed) =>
      Array.from(readArray(program, run(true, seed), "value.y").data),
    );
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
  test("drops the same in the gradient", () => {
    const results = run(true, 5);
    const y = readArray(program, results, "value.y").data;
    const wanted = Array.from(
      { length: 100 },
      (_, place) =>
        Array.from({ length: 200 }, (_value, row) => (y[row * 100 + place] ?? 0) / 2).reduce(
          (sum, value) => sum + value,
          0,
        ) / 200,
    );
    expectNumbers(readArray(program, results, "gradient.w").data, wanted, "gradient");
  });
  test("two places drop apart", () => {
    const two = compileText(
      withRegime("model M { in x: [] a = dropout(x, p: 0.5) b = dropout(x, p: 0.5) loss = a + b }", "loss"),
      {
        regime: "check",
        values: ["a", "b"],
      },
    );
    const results = evaluate(two.graph, feed(two, { x: { shape: [4000], data: new Float64Array(4000).fill(1) } }));
    const [a, b] = ["a", "b"].map((name) => Array.from(readArray(two, results, `value.${name}`).data));
    const both = a?.filter((value, place) => value !== 0 && b?.[place] !== 0).length ?? 0;
    expect(Math.abs(both / 4000 - 0.25)).toBeLessThan(4 * Math.sqrt(0.1875 / 4000));
  });
});
