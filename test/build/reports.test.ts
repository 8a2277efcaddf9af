import { describe, expect, test } from "vitest";
import { interpret } from "../../src/ir/interpret.ts";
import { numbers } from "../support/arrays.ts";
import { compileReportsOf, compileText, openJob, reportsOf } from "../support/compile.ts";
import { evaluate, numberOf } from "../support/execute.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

type Arrays = Readonly<Record<string, NamedArray>>;

/** What a regime reports over several batches. */
function reported(
  text: string,
  sizes: Readonly<Record<string, number>>,
  batches: readonly Arrays[],
): ReadonlyMap<string, number> {
  const reports = compileReportsOf(text, "check", { sizes });
  const totals = Array.from({ length: reports.averages }, () => ({ sum: 0, count: 0 }));
  for (const batch of batches) {
    const results = evaluate(reports.totals.graph, feed(reports.totals, batch, { training: false }));
    totals.forEach((total, place) => {
      total.sum += numberOf(results, `sum.${place}`);
      total.count += numberOf(results, `count.${place}`);
    });
  }
  const means = totals.map(({ sum, count }, place) => {
    const tensor = { dtype: "float" as const, axes: [], shape: [], data: Float64Array.of(sum / count) };
    return [`mean.${place}`, tensor] as const;
  });
  const values = interpret(reports.summary, new Map(means), new Map());
  return new Map([...values].map(([name, { data }]) => [name, data[0] ?? Number.NaN]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("reports over two batches weigh every position alike", () => {
  const K = 3;
  const lengths = [
    [4, 2, 1],
    [3, 3],
  ];
  const weights = { "f.W": numbers([K, 2], 1), "f.b": numbers([K], 2) };
  const batches = lengths.map((own, place) => ({
    ...weights,
    x: numbers([own.length, 4, 2], place + 3),
    y: numbers([own.length, 4], place + 5, (chance) => chance.below(K)),
    "T.length": { shape: [own.length], data: own },
  }));
  const model = "model M(K) { time T in x: [T, 2] use f = Linear(2, K) emit y: tok(K)[T] ~ categorical(f(x)) }";
  const text = `${model} train check of M { data x, y = csv("rows.csv") minimize nll(y) optim sgd(0.1) for 1 steps
    report accuracy(y), bits = nll(y) / log(2), error = 1 - accuracy(y) }`;

  test("tokens", () => {
    const forward = compileText(model, { sizes: { K } });
    const rows = batches.flatMap((batch, place) => {
      const logits = readArray(forward, evaluate(forward.graph, feed(forward, batch)), "y.logits").data;
      return (lengths[place] ?? []).flatMap((length, example) =>
        Array.from({ length }, (_, t) => {
          const at = example * 4 + t;
          const scores = Array.from(logits).slice(at * K, (at + 1) * K);
          const truth = batch.y.data[at] ?? 0;
          const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
          return {
            nll: Math.log(sum) - (scores[truth] ?? 0),
            right: scores.indexOf(Math.max(...scores)) === truth ? 1 : 0,
          };
        }),
      );
    });
    expect(rows).toHaveLength(13);
    const [nll, accuracy] = [mean(rows.map((row) => row.nll)), mean(rows.map((row) => row.right))];
    const found = reported(text, { K }, batches);
    expect([...found.keys()]).toEqual(["loss", "accuracy(y)", "bits", "error"]);
    expect(found.get("loss")).toBeCloseTo(nll, 12);
    expect(found.get("accuracy(y)")).toBeCloseTo(accuracy, 12);
    expect(found.get("bits")).toBeCloseTo(nll / Math.LN2, 12);
    expect(found.get("error")).toBeCloseTo(1 - accuracy, 12);
    expect(accuracy).toBeGreaterThan(0);
  });
});

describe("of arrays", () => {
  test("an error is the mean over all entries, a likelihood the sum over an example's", () => {
    const text = `model M(D) { in x: [D], y: [D] param w: [D] emit y ~ normal(w * x, 2) }
      train check of M { data x, y = csv("rows.csv") minimize nll(y) optim sgd(0.1) for 1 steps report rmse(y), mse(y), mae(y) }`;
    const D = 3;
    const w = numbers([D], 1);
    const batches = [4, 2].map((count, place) => ({
      w,
      x: numbers([count, D], place + 2),
      y: numbers([count, D], place + 4),
    }));
    const errors = batches.flatMap(({ x, y }) =>
      Array.from(x.data, (value, place) => value * (w.data[place % D] ?? 0) - (y.data[place] ?? 0)),
    );
    const square = mean(errors.map((error) => error ** 2));
    const found = reported(text, { D }, batches);
    expect(found.get("mse(y)")).toBeCloseTo(square, 12);
    expect(found.get("rmse(y)")).toBeCloseTo(Math.sqrt(square), 12);
    expect(found.get("mae(y)")).toBeCloseTo(mean(errors.map(Math.abs)), 12);
    const nll = mean(errors.map((error) => 0.5 * (error / 2) ** 2 + Math.log(2) + 0.5 * Math.log(2 * Math.PI)));
    expect(found.get("loss")).toBeCloseTo(D * nll, 12);
  });
  test("how often tokens are right is no more than always", () => {
    const text = `model M(K) { in x: [2, K] emit y: tok(K)[2] ~ categorical(x) }
      train check of M { data x, y = csv("rows.csv") minimize nll(y) optim sgd(0.1) for 1 steps report accuracy(y) }`;
    const batch = {
      x: { shape: [2, 2, 3], data: [1, 0, 0, 0, 2, 0, 0, 0, 3, 5, 4, 3] },
      y: { shape: [2, 2], data: [0, 1, 2, 1] },
    };
    expect(reported(text, { K: 3 }, [batch]).get("accuracy(y)")).toBe(0.75);
  });
});

describe("terms of a report", () => {
  const regime = (objective: string, report = ""): string => `model M(D) { in x: [D], y: [D] param w: [D], s: []
    kl = sum((x - w)**2)
    emit y ~ normal(w * x, 1) }
    train check of M { data x, y = csv("rows.csv") minimize ${objective} optim sgd(0.1) for 1 steps ${report} }`;
  const weights = { w: numbers([2], 1), s: { shape: [], data: [0.3] } };
  const batches = [4, 1].map((count, place) => ({
    ...weights,
    x: numbers([count, 2], place + 2),
    y: numbers([count, 2], place + 4),
  }));
  const found = (objective: string, report?: string): ReadonlyMap<string, number> =>
    reported(regime(objective, report), { D: 2 }, batches);
  const nll = found("nll(y)").get("loss") ?? Number.NaN;
  const kl = found("kl").get("loss") ?? Number.NaN;
  const square = Array.from(weights.w.data).reduce((sum, value) => sum + value ** 2, 0);

  test("that differ by example, of weights, and of numbers", () => {
    expect(found("nll(y) + kl").get("loss")).toBeCloseTo(nll + kl, 12);
    expect(found("nll(y) - 0.5 * kl + 0.1 * sum(w**2) - 3").get("loss")).toBeCloseTo(
      nll - 0.5 * kl + 0.1 * square - 3,
      12,
    );
    expect(found("exp(-s) * nll(y) + s").get("loss")).toBeCloseTo(Math.exp(-0.3) * nll + 0.3, 12);
    expect(found("nll(y)", "report both = -(kl + 2 * nll(y))").get("both")).toBeCloseTo(-(kl + 2 * nll), 12);
  });
  test("that multiply a mean by what differs by example are refused", () => {
    const job = openJob(regime("kl * nll(y)"), { sizes: { D: 2 } });
    expect(reportsOf(job, "check")).toBeUndefined();
    expect(job.report.diagnostics.map(({ code }) => code)).toEqual(["not-scalar"]);
  });
});

describe("a loss", () => {
  test("adds its terms, each averaged, and turns what is maximized", () => {
    const text = `model M { in x: [], y: [] param w: [] emit y ~ normal(w * x, 1) close = (w - 1)**2 gain = w * x }
      train check of M { data x, y = csv("rows.csv") minimize nll(y) + 0.5 * close maximize gain optim sgd(0.1) for 1 steps }`;
    const program = compileText(text, { regime: "check" });
    const [x, y, w] = [[1, 2, 3], [2, 2, 5], 1.5];
    const results = evaluate(
      program.graph,
      feed(program, { x: { shape: [3], data: x }, y: { shape: [3], data: y }, w: { shape: [], data: [w] } }),
    );
    const nll = mean(x.map((value, place) => 0.5 * (w * value - (y[place] ?? 0)) ** 2 + 0.5 * Math.log(2 * Math.PI)));
    expect(numberOf(results, "loss")).toBeCloseTo(nll + 0.5 * 0.25 - w * 2, 12);
  });
});
