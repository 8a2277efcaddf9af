import { describe, expect, test } from "vitest";
import { demand } from "../../src/build/equation.ts";
import { openDefinition } from "../../src/build/standalone.ts";
import { findDefinition } from "../../src/check/modules.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { compileGenerationOf, compileReportsOf, compileStepOf, compileText, openJob } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { type Feed, feed, type NamedArray, randomArrays, randomFeed } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

/** The library's normal without its divergence: then that is sampled. */
const OPEN = `dist open_normal {
  in    mu: [], sigma: []
  of    y: []
  noise e: [] ~ gaussian
  log_prob = -0.5 * ((y - mu) / sigma)**2 - log(sigma) - 0.5 * log(2 * pi)
  sample   = mu + sigma * e
  best     = mu
}`;

function model(dist: string): string {
  return `${OPEN}
  model M(D = 3, Z = 2) {
    in    x: [D], label: tok(3)
    use   mu = Linear(D + 3, Z), lv = Linear(D, Z), dec = Linear(Z, D), own = Embed(3, Z)
    latent z: [Z] ~ ${dist}(mu(concat(x, one_hot(label))), exp(0.5 * lv(x))) prior ${dist}(own(label), 1)
    emit  x ~ bernoulli(logits: dec(z))
  }
  train check of M {
    data x, label = csv("rows.csv") maximize elbo() optim sgd(0.1) for 1 steps report nll(x), kl(z), elbo()
  }
  train weighed of M { data x, label = csv("rows.csv") maximize elbo(beta: linear(0, 2, epochs: 4)) optim sgd(0.1) for 1 steps }
  generate made of M { label = 1 x by best z }
  generate rebuilt of M { x = [0.1, 0.2, 0.3] label = 1 z }`;
}

const SEQUENCE = `model M(H = 3, Z = 2) {
  time T
  in   x: [T]
  use  f = GRU(1, H), mu = Linear(H, Z), g = GRU(Z, H), out = Linear(H, 1), own = Linear(H, Z)
  h = scan f over x reverse
  y[t], s[t] = g(z[t], s[t-1])
  latent z[t in T]: [Z] ~ normal(mu(h[t]), 0.5) prior normal(own(s[t-1].h), 1)
  emit x ~ normal(out(y), 1)
}
train check of M { data x = csv("rows.csv") maximize elbo() optim sgd(0.1) for 1 steps report nll(x), kl(z) }`;

/** The quantities that a regime averages, in order: nll, kl and elbo of one batch. */
function reports(text: string, arrays: Readonly<Record<string, NamedArray>>): readonly number[] {
  const { totals, averages } = compileReportsOf(text, "check");
  const results = evaluate(totals.graph, feed(totals, arrays, { training: false }));
  const value = (name: string): number => readArray(totals, results, name).data[0] ?? Number.NaN;
  return Array.from({ length: averages }, (_, at) => value(`sum.${at}`) / value(`count.${at}`));
}

function manyExamples(text: string): Record<string, NamedArray> {
  const { totals } = compileReportsOf(text, "check");
  const arrays = randomArrays(totals, { B: 4000 });
  const x = arrays.x?.data ?? [];
  const label = arrays.label?.data ?? [];
  return {
    ...arrays,
    x: { shape: [4000, 3], data: Float64Array.from(x, (_, at) => x[at % 3] ?? 0) },
    label: { shape: [4000], data: Float64Array.from(label, () => label[0] ?? 0) },
  };
}

describe("elbo", () => {
  test("a mean that is one for all that is drawn lets gradients through", () => {
    const text = `model M(Z = 2) {
      in     x: []
      param  w: [] init 1
      latent z: [Z] ~ normal(w * x, 1) prior normal(0, 1)
      emit   y: [] ~ normal(sum(z), 1)
    }
    train check of M { data x, y = csv("rows.csv") maximize elbo() optim sgd(0.1) for 1 steps }`;
    const program = compileText(text, { regime: "check", gradients: true });
    const results = evaluate(program.graph, randomFeed(program, { B: 3 }));
    expect(results.get("gradient.w")?.data[0]).not.toBe(0);
  });

  test("is the likelihood less the divergence, whose closed form and samples agree", () => {
    const arrays = manyExamples(model("normal"));
    // loss, nll, kl, elbo
    const [, nll = 0, kl = 0, elbo = 0] = reports(model("normal"), arrays);
    const [, , sampled = 0] = reports(model("open_normal"), arrays);
    expect(elbo).toBeCloseTo(-nll - kl, 10);
    expect(kl).toBeGreaterThan(0.1);
    // The mean of 4000 draws.
    expect(Math.abs(sampled - kl)).toBeLessThan(0.06);
    expect(sampled).not.toBe(kl);
  });

  test.each([
    ["closed", model("normal")],
    ["sampled", model("open_normal")],
    ["over time", SEQUENCE],
  ])("has the gradient of differences, %s", (_, text) => {
    const program = compileText(text, { regime: "check", gradients: true, dense: false });
    const before = randomFeed(program, { B: 2, T: 3 });
    const loss = ({ inputs }: Feed): number =>
      evaluate(program.graph, { ...before, inputs }).get("loss")?.data[0] ?? Number.NaN;
    const results = evaluate(program.graph, before);
    for (const { name } of program.weights) {
      const tensor = before.inputs.get(name);
      const gradient = readArray(program, results, `gradient.${name}`);
      if (tensor === undefined) throw new Error(`no ${name}`);
      const moved = (by: number): Feed => {
        const data = tensor.data.slice();
        data[0] = (data[0] ?? 0) + by;
        return { ...before, inputs: new Map([...before.inputs, [name, { ...tensor, data }]]) };
      };
      const difference = (loss(moved(1e-5)) - loss(moved(-1e-5))) / 2e-5;
      expect(gradient.data[0], name).toBeCloseTo(difference, 6);
    }
  });

  test("weighs the divergence by a schedule", () => {
    const program = compileStepOf(model("normal"), "weighed");
    const arrays = randomArrays(program, { B: 3 });
    const loss = (step: number): number => {
      const given = feed(program, arrays, { step, stepsPerEpoch: 10 });
      return evaluate(program.graph, given).get("loss")?.data[0] ?? Number.NaN;
    };
    // Half an epoch is an eighth of the way to 2.
    expect(loss(20) - loss(10)).toBeCloseTo(loss(10) - loss(0), 10);
    expect(loss(80)).toBeCloseTo(loss(40), 10);
    expect(loss(40)).toBeGreaterThan(loss(0));
  });

  test("appended padding changes nothing", () => {
    const program = compileText(SEQUENCE, { regime: "check", gradients: true });
    const given = randomFeed(program, { B: 2, T: 3 }, { lengths: { T: [3, 2] } });
    const x = [...(given.inputs.get("x")?.data ?? [])];
    const weights = Object.fromEntries(program.weights.map(({ name }) => [name, given.inputs.get(name) as NamedArray]));
    const rows = (tail: readonly number[]): NamedArray => ({
      shape: [2, 3 + tail.length],
      data: [...x.slice(0, 3), ...tail, ...x.slice(3, 5), 9, ...tail],
    });
    const run = (tail: readonly number[]) => {
      const arrays = { ...weights, x: rows(tail), "T.length": { shape: [2], data: [3, 2] } };
      return evaluate(program.graph, feed(program, arrays));
    };
    const [short, long] = [run([]), run([7, -8])];
    for (const [name, { data }] of short) {
      if (name !== "loss" && !name.startsWith("gradient.")) continue;
      Array.from(data).forEach((value, at) => {
        expect(long.get(name)?.data[at], name).toBeCloseTo(value, 10);
      });
    }
  });
});

describe("a latent when generating", () => {
  test("comes from the prior where the other would read what is generated, else from the data", () => {
    const [made, rebuilt] = ["made", "rebuilt"].map((name) => compileGenerationOf(model("normal"), name).program);
    if (made === undefined || rebuilt === undefined) throw new Error("no program");
    expect([...made.params.values()].flatMap((role) => (role.kind === "weight" ? [role.name] : []))).toContain("own.W");
    const read = (graph: typeof made.graph): ReadonlySet<string> => new Set(graph.nodes.flatMap((node) => node.inputs));
    expect(read(made.graph)).not.toContain("lv.W");
    expect(read(made.graph)).toContain("own.W");
    expect(read(rebuilt.graph)).toContain("lv.W");
    expect(read(rebuilt.graph)).not.toContain("own.W");
  });
});

/** The `divergence` of a library distribution for parameters and those of the prior. */
function divergenceOf(
  name: string,
  given: Readonly<Record<string, NamedArray>>,
  sizes: Readonly<Record<string, number>> = {},
): number {
  const job = openJob("layer nothing { in x: [] out x }", { sizes });
  const found = findDefinition(job.modules, job.modules.entry.file, name);
  if (found === undefined) throw new Error(`no ${name}`);
  const opened = openDefinition({ ...job, ...found, parameters: undefined, parametersFile: "" });
  const slot = opened?.frame.names.get("divergence");
  const value = slot === undefined || opened === undefined ? undefined : demand(opened.session, slot);
  if (opened === undefined || value?.kind !== "tensor") throw new Error(`${name} has no divergence`);
  const graph = opened.session.builder.finish([{ name: "divergence", id: value.id }]);
  const ordered = schedule(graph, opened.session.sizes);
  if (!("graph" in ordered)) throw new Error("no order");
  const inputs = new Map(
    ordered.graph.params.map(({ id, type }) => {
      const array = given[id] ?? {
        shape: type.axes.map((axis) => (axis.id === "B" ? 1 : (sizes[axis.size.text] ?? 1))),
        data: [0],
      };
      return [
        id,
        {
          dtype: type.dtype,
          axes: type.axes.map((axis) => axis.id),
          shape: array.shape,
          data: Float64Array.from(array.data),
        },
      ];
    }),
  );
  const bound = new Map([["B", 1], ...Object.entries(sizes)] as const);
  return evaluate(ordered.graph, { inputs, sizes: bound }).get("divergence")?.data[0] ?? Number.NaN;
}

const number = (value: number): NamedArray => ({ shape: [1], data: [value] });

/** ∫ p log(p / q) over a line, by the midpoint rule. */
function integrated(p: (y: number) => number, q: (y: number) => number): number {
  let sum = 0;
  for (let at = -200_000; at < 200_000; at++) {
    const y = (at + 0.5) / 4000;
    if (p(y) > 0) sum += (p(y) * Math.log(p(y) / q(y))) / 4000;
  }
  return sum;
}

describe("divergences of the library", () => {
  test("normal", () => {
    const density = (mu: number, sigma: number) => (y: number) =>
      Math.exp(-0.5 * ((y - mu) / sigma) ** 2) / sigma / Math.sqrt(2 * Math.PI);
    const given = { mu: number(0.4), sigma: number(0.7), "prior.mu": number(-1), "prior.sigma": number(1.5) };
    expect(divergenceOf("normal", given)).toBeCloseTo(integrated(density(0.4, 0.7), density(-1, 1.5)), 6);
  });

  test("laplace", () => {
    const density = (mu: number, b: number) => (y: number) => Math.exp(-Math.abs(y - mu) / b) / (2 * b);
    const given = { mu: number(0.4), b: number(0.7), "prior.mu": number(-1), "prior.b": number(1.5) };
    expect(divergenceOf("laplace", given)).toBeCloseTo(integrated(density(0.4, 0.7), density(-1, 1.5)), 6);
  });

  test("bernoulli", () => {
    const logit = (p: number): number => Math.log(p / (1 - p));
    const given = {
      p: number(0.3),
      logits: number(logit(0.3)),
      "prior.p": number(0.8),
      "prior.logits": number(logit(0.8)),
    };
    expect(divergenceOf("bernoulli", given)).toBeCloseTo(0.3 * Math.log(0.3 / 0.8) + 0.7 * Math.log(0.7 / 0.2), 12);
  });

  test("categorical", () => {
    const given = {
      logits: { shape: [1, 3], data: [0.3, -1, 0.8] },
      "prior.logits": { shape: [1, 3], data: [1, 0, -0.5] },
    };
    const share = (logits: ArrayLike<number>): readonly number[] => {
      const raised = Array.from(logits, Math.exp);
      return raised.map((value) => value / raised.reduce((sum, other) => sum + other));
    };
    const [p, q] = [share(given.logits.data), share(given["prior.logits"].data)];
    const wanted = p.reduce((sum, value, at) => sum + value * Math.log(value / (q[at] ?? 1)), 0);
    expect(divergenceOf("categorical", given, { K: 3 })).toBeCloseTo(wanted, 12);
  });

  test("poisson", () => {
    const given = { rate: number(2.5), "prior.rate": number(4) };
    const log = (rate: number, y: number): number => {
      let factorial = 0;
      for (let at = 2; at <= y; at++) factorial += Math.log(at);
      return y * Math.log(rate) - rate - factorial;
    };
    let wanted = 0;
    for (let y = 0; y < 60; y++) wanted += Math.exp(log(2.5, y)) * (log(2.5, y) - log(4, y));
    expect(divergenceOf("poisson", given)).toBeCloseTo(wanted, 10);
  });

  test("multivariate normal, of independent parts", () => {
    const one = (mu: number, v: number, m: number, w: number): number =>
      0.5 * (Math.log(w / v) + (v + (mu - m) ** 2) / w - 1);
    const given = {
      mu: { shape: [1, 2], data: [0.3, -0.2] },
      cov: { shape: [1, 2, 2], data: [0.5, 0, 0, 2] },
      "prior.mu": { shape: [1, 2], data: [1, 0.1] },
      "prior.cov": { shape: [1, 2, 2], data: [1.5, 0, 0, 0.75] },
    };
    expect(divergenceOf("multivariate_normal", given, { D: 2 })).toBeCloseTo(
      one(0.3, 0.5, 1, 1.5) + one(-0.2, 2, 0.1, 0.75),
      10,
    );
  });
});
