import { describe, expect, test } from "vitest";
import type { FlowLine, FlowWants, GradientFlow } from "../../src/build/gradient-flow.ts";
import { compileGradientFlow } from "../../src/compile/gradient-flow.ts";
import type { HostArray } from "../../src/runtime/executor.ts";
import { referenceExecutor } from "../../src/runtime/reference.ts";
import { trialOf } from "../../src/runtime/trial.ts";
import { expressionOf, openJob, renderFindings } from "../support/compile.ts";

const NOWHERE = { file: "--values", start: 0, end: 0 };

interface Asked {
  readonly loss?: string;
  readonly values?: readonly string[];
  readonly split?: readonly string[];
  readonly dense?: boolean;
}

function flowOf(text: string, { loss = "last", values = [], split = [], dense = true }: Asked): GradientFlow {
  const job = openJob(text, { dense });
  const wants: FlowWants = {
    loss: loss === "last" || loss === "whole" ? { kind: loss } : { kind: "value", name: loss, span: NOWHERE },
    values: values.map((name) => ({ name, span: NOWHERE })),
    split,
  };
  const flow = compileGradientFlow(job, expressionOf("M"), wants);
  if (flow === undefined) throw new Error(renderFindings(job));
  return flow;
}

type Arrays = Readonly<Record<string, HostArray>>;

/** On the interpreter, in float64; params that are not given are drawn. */
async function run({ program }: GradientFlow, sizes: Readonly<Record<string, number>>, arrays: Arrays = {}) {
  const bound = new Map([...program.sizes, ...Object.entries(sizes)]);
  const { inputs } = trialOf(program, bound, 5);
  return referenceExecutor()
    .prepare(program)
    .run(new Map([...inputs, ...Object.entries(arrays)]), bound);
}

function numbers(
  results: ReadonlyMap<string, HostArray>,
  line: Pick<FlowLine, "result"> | undefined,
): readonly number[] {
  return Array.from(results.get(line?.result ?? "")?.data ?? []);
}

function line({ lines }: GradientFlow, name: string, axis = "T"): FlowLine {
  const found = lines.find((one) => one.name === name && one.axis.id === axis);
  if (found === undefined)
    throw new Error(`there is ${lines.map((one) => `${one.name} along ${one.axis.id}`).join(", ")}`);
  return found;
}

function expectClose(found: readonly number[], wanted: readonly number[], within: number): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, place) => {
    const other = wanted[place] ?? Number.NaN;
    expect(Math.abs(value - other), `${value} for ${other} at ${place}`).toBeLessThanOrEqual(
      within * Math.max(1, Math.abs(other)),
    );
  });
}

describe("a scalar RNN, z_t = w tanh(z_{t-1}) + x_t", () => {
  const text = `
model M {
  time  T
  in    x: [T]
  param w: []
  z[t] = w * tanh(z[t-1] else 0) + x[t]
}`;
  const flow = flowOf(text, { loss: "z", split: ["w"] });

  test.each([1, 2, 7, 40])("has dz/dw as its recursion gives it, at T = %i", async (T) => {
    const [w, x] = [1.3, Array.from({ length: T }, (_, t) => Math.sin(3 * t) / 2)];
    const given = { w: { shape: [], data: Float64Array.of(w) }, x: { shape: [1, T], data: Float64Array.from(x) } };
    const results = await run(flow, { B: 1, T }, given);
    const z: number[] = [];
    let dw = 0;
    for (let t = 0; t < T; t++) {
      const before = Math.tanh(z[t - 1] ?? 0);
      // dz_t/dw = tanh(z_{t-1}) + w (1 - tanh²(z_{t-1})) dz_{t-1}/dw
      dw = before + w * (1 - before ** 2) * dw;
      z.push(w * before + (x[t] ?? 0));
    }
    const byState = z.map((_, t) =>
      z.slice(t, -1).reduce((product, later) => product * w * (1 - Math.tanh(later) ** 2), 1),
    );
    const byStep = byState.map((factor, t) => factor * Math.tanh(z[t - 1] ?? 0));
    expectClose(numbers(results, flow.weights[0]), [dw], 1e-10);
    expectClose(numbers(results, line(flow, "z")), byState, 1e-10);
    expectClose(
      numbers(
        results,
        flow.lines.find(({ kind }) => kind === "weight"),
      ),
      byStep,
      1e-10,
    );
  });
});

/** Each has an input `p` that is added to a state: the gradients by both are the same. */
const PROBED: Readonly<Record<string, { readonly text: string; readonly state: string }>> = {
  "a cell's memory": {
    state: "cell.c",
    text: `
cell Gated(D, H) {
  in    x: [D], p: [H]
  state h: [H], c: [H]
  param W.{f, g}: [H, D], U.{f, g}: [H, H]
  f  = sigmoid(W.f @ x + U.f @ h)
  c' = f * c + tanh(W.g @ x + U.g @ h) + p
  h' = sigmoid(W.f @ x) * tanh(c')
  out h'
}
model M(H = 3) {
  time T
  in   x: [T, 2], p: [T, H]
  use  cell = Gated(2, H)
  y[t], s[t] = cell(x[t], p[t], s[t-1])
  emit z: [T] ~ normal(sum[H](y), 1)
}`,
  },
  "a state that goes back": {
    state: "h",
    text: `
model M(H = 3) {
  time  T
  in    x: [T], p: [T, H]
  param w: [H], U: [to: H, H]
  h[t] = tanh(w * x[t] + U @ h[t+1] else 0) + p[t]
  emit  z: [T] ~ normal(sum[H](h * h), 1)
}`,
  },
  "a read two steps back, through a weight's square": {
    state: "h",
    text: `
model M(H = 3) {
  time  T
  in    x: [T], p: [T, H]
  param w: [H], a: [H]
  b = exp(a) * w
  h[t] = tanh(b * x[t] + b * h[t-1] else 0 + w * h[t-2] else 0) + p[t]
  emit  z: [] ~ normal(sum(h[T-1]), 1)
}`,
  },
};

describe("the gradient by a state", () => {
  const cases = Object.entries(PROBED).flatMap(([name, one]) =>
    [true, false].flatMap((dense) => ["last", "whole"].map((loss) => ({ name, dense, loss, ...one }))),
  );
  test.each(cases)(
    "is that by what is added to it: $name, dense: $dense, $loss",
    async ({ text, state, dense, loss }) => {
      const flow = flowOf(text, {
        dense,
        loss,
        values: ["p"],
        split: flowOf(text, {}).weights.map(({ name }) => name),
      });
      const [B, T] = [3, 6];
      const length = { shape: [B], data: Int32Array.of(6, 1, 4) };
      const given = dense ? {} : { "T.length": length };
      const results = await run(flow, { B, T }, given);
      const [found, wanted] = [numbers(results, line(flow, state)), numbers(results, line(flow, "p"))];
      const width = found.length / (B * T);
      const counted = found.map(
        (_, at) => dense || Math.floor(at / width) % T < (length.data[Math.floor(at / (width * T))] ?? 0),
      );
      expectClose(
        found.filter((_, at) => counted[at]),
        wanted.filter((_, at) => counted[at]),
        1e-12,
      );
      expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(1e-3);
      for (const weight of flow.weights) {
        const split = flow.lines.find(({ kind, name }) => kind === "weight" && name === weight.name);
        const [steps, all] = [numbers(results, split), numbers(results, weight)];
        const sums = all.map((_, at) =>
          steps.filter((__, place) => place % all.length === at).reduce((sum, one) => sum + one, 0),
        );
        expectClose(sums, all, 1e-12);
      }
    },
  );

  test("is that of each example's own last step", async () => {
    const flow = flowOf(PROBED["a cell's memory"]?.text ?? "", { dense: false, values: ["z"] });
    const results = await run(flow, { B: 2, T: 4 }, { "T.length": { shape: [2], data: Int32Array.of(4, 2) } });
    const [first, second] = [0, 4].map((at) =>
      numbers(results, line(flow, "z"))
        .slice(at, at + 4)
        .map((one) => one !== 0),
    );
    expect([first, second]).toEqual([
      [false, false, false, true],
      [false, true, false, false],
    ]);
  });

  test("splits a weight along the recurrence that reads it", async () => {
    const flow = flowOf(
      `
model M(H = 3) {
  time  S, T
  in    a: [S], b: [T]
  param w: [H], U: [to: H, H], V: [to: H, H], k: [H, D: 2]
  e[s] = tanh(w * a[s] + U @ e[s-1] else 0)
  m = tanh(k.T @ e[S-1])
  d[t] = tanh(w * b[t] + V @ d[t-1] else e[S-1] + k @ m)
  emit  z: [T] ~ normal(sum[H](d), 1)
}`,
      { loss: "whole", split: ["w", "U", "V", "k"] },
    );
    const split = flow.lines.filter(({ kind }) => kind === "weight");
    expect(split.map(({ name, axis }) => `${name} ${axis.id}`).sort()).toEqual(["U S", "V T", "k T", "w S", "w T"]);
    expect(flow.mixed).toEqual([]);
    const results = await run(flow, { B: 2, S: 4, T: 5 });
    for (const name of ["w", "U", "V"]) {
      const all = numbers(
        results,
        flow.weights.find((weight) => weight.name === name),
      );
      const parts = split.filter((one) => one.name === name).map((one) => numbers(results, one));
      const sums = all.map((_, at) =>
        parts
          .flat()
          .filter((__, place) => place % all.length === at)
          .reduce((sum, one) => sum + one, 0),
      );
      expectClose(sums, all, 1e-12);
    }
  });

  test("is along each axis of a recurrence over two", () => {
    const flow = flowOf(
      `
model M {
  time S, T
  in   a: [S], b: [T]
  param w: []
  r[i, j] = tanh(a[i] * b[j] + w * r[i-1, j] else 0) + r[i, j-1] else 0 + 0.5 * r[i-1, j-1] else 0
  emit z: [] ~ normal(r[S-1, T-1], 1)
}`,
      { split: ["w"] },
    );
    expect(flow.lines.map(({ kind, name, axis }) => `${kind} ${name} ${axis.id}`)).toEqual([
      "state r S",
      "state r T",
      "weight w S",
      "weight w T",
    ]);
  });
});

describe("what cannot be measured", () => {
  const findings = (text: string, asked: Asked): string => {
    try {
      return `fine: ${flowOf(text, asked).lines.length} lines`;
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  const text = "model M { time T in x: [T, 2] h[t] = x[t] + h[t-1] else 0 n[t] = argmax(h[t]) s = sum(h[T-1]) }";

  test("is said", () => {
    expect(findings(text, {})).toContain("M emits nothing, so there is no loss of its last step");
    expect(findings(text, { loss: "whole" })).toContain("M emits nothing");
    expect(findings(text, { loss: "h" })).toContain("a single number at each step is needed here, h is [T, 2]");
    expect(findings(text, { loss: "n" })).toContain("n is no number that varies, so it has no gradient");
    expect(findings(text, { loss: "g" })).toContain("M has no value g");
    expect(findings(text, { loss: "s", values: ["q"] })).toContain("M has no value q");
    expect(findings(text, { loss: "s" })).toBe("fine: 1 lines");
    expect(findings("model M { time T in x: [T] s = sum(x) }", { loss: "s" })).toBe("fine: 0 lines");
  });
});
