import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { compileStepOf, openJob, stepOf } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { advanced, type FeedOptions, feed, type NamedArray } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

/** Its gradient is w - x for one example, and v - 2 x. */
const MODEL = `model M(N = 3) {
  in x: [N]
  param w: [N] init 0, v: [N] init 0
  loss = 0.5 * sum((w - x)**2) + 0.5 * sum((v - 2 * x)**2)
}`;
const X = [0.7, -1.1, 2.3];
const START = [0.1, 0.2, -0.3];

function regime(clauses: string): string {
  return `${MODEL} train check of M { data x = csv("rows.csv") minimize loss ${clauses} for 1 steps }`;
}

/** Takes some steps; gives w and v after each. */
function steps(
  program: Program,
  count: number,
  options: FeedOptions = {},
): readonly { readonly w: readonly number[]; readonly v: readonly number[] }[] {
  const arrays: Record<string, NamedArray> = {
    x: { shape: [1, 3], data: X },
    w: { shape: [3], data: START },
    v: { shape: [3], data: START },
  };
  let state = feed(program, arrays, options);
  return Array.from({ length: count }, (_, step) => {
    const clocked = feed(program, arrays, { ...options, step: (options.step ?? 0) + step });
    const clock = [...clocked.inputs].filter(([id]) => program.params.get(id)?.kind === "step");
    const results = evaluate(program.graph, { ...state, inputs: new Map([...state.inputs, ...clock]) });
    state = advanced(program, state, results);
    return { w: values(program, results, "w", START), v: values(program, results, "v", START) };
  });
}

function values(
  program: Program,
  results: ReturnType<typeof evaluate>,
  name: string,
  otherwise: readonly number[],
): readonly number[] {
  return results.has(`weight.${name}`) ? Array.from(readArray(program, results, `weight.${name}`).data) : otherwise;
}

/** The same by a formula: from weight, gradient, its own memory and the number of the step (from 1), the new weight. */
type Rule = (w: number, g: number, memory: { m: number; v: number }, step: number) => number;

function byFormula(rule: Rule, count: number): readonly (readonly number[])[] {
  const w = [...START];
  const memory = w.map(() => ({ m: 0, v: 0 }));
  return Array.from({ length: count }, (_, step) => {
    w.forEach((value, place) => {
      const own = memory[place] ?? { m: 0, v: 0 };
      w[place] = rule(value, value - (X[place] ?? 0), own, step + 1);
    });
    return [...w];
  });
}

function expectClose(found: readonly number[], wanted: readonly number[], what: string): void {
  expect(found.length).toBe(wanted.length);
  for (const [place, value] of found.entries()) {
    expect(value, `${what}, entry ${place}`).toBeCloseTo(wanted[place] ?? Number.NaN, 12);
  }
}

const ADAM: Rule = (w, g, memory, step) => {
  memory.m = 0.9 * memory.m + 0.1 * g;
  memory.v = 0.999 * memory.v + 0.001 * g * g;
  const [m, v] = [memory.m / (1 - 0.9 ** step), memory.v / (1 - 0.999 ** step)];
  return w - (0.03 * m) / (Math.sqrt(v) + 1e-8);
};

const RULES: Readonly<Record<string, Rule>> = {
  "sgd(0.1)": (w, g) => w - 0.1 * g,
  "momentum(0.1)": (w, g, memory) => {
    memory.m = 0.9 * memory.m + g;
    return w - 0.1 * memory.m;
  },
  "momentum(0.05, b: 0.5)": (w, g, memory) => {
    memory.m = 0.5 * memory.m + g;
    return w - 0.05 * memory.m;
  },
  "adam(0.03)": ADAM,
  "adam(lr: 0.03, b1: 0.5, b2: 0.9, eps: 1e-3)": (w, g, memory, step) => {
    memory.m = 0.5 * memory.m + 0.5 * g;
    memory.v = 0.9 * memory.v + 0.1 * g * g;
    return w - (0.03 * (memory.m / (1 - 0.5 ** step))) / (Math.sqrt(memory.v / (1 - 0.9 ** step)) + 1e-3);
  },
  // Decay apart from the gradient: of the weight as it was.
  "adamw(0.03, decay: 0.2)": (w, g, memory, step) => ADAM(w, g, memory, step) - 0.03 * 0.2 * w,
  "rmsprop(0.02)": (w, g, memory) => {
    memory.v = 0.9 * memory.v + 0.1 * g * g;
    return w - (0.02 * g) / (Math.sqrt(memory.v) + 1e-8);
  },
};

describe("optimizers against their formulas", () => {
  for (const [optimizer, rule] of Object.entries(RULES)) {
    test(optimizer, () => {
      const found = steps(compileStepOf(regime(`optim ${optimizer}`), "check"), 6);
      for (const [step, wanted] of byFormula(rule, 6).entries()) {
        expectClose(found[step]?.w ?? [], wanted, `step ${step + 1}`);
      }
    });
  }

  test("a count of steps is one number, a mean has the weight's shape", () => {
    const program = compileStepOf(regime("optim adam(0.1)"), "check");
    const slots = program.graph.params.flatMap((param) => {
      const role = program.params.get(param.id);
      return role?.kind === "slot" && role.weight === "w" ? [[role.name, param.type.axes.length, role.start]] : [];
    });
    expect(slots).toEqual([
      ["m", 1, 0],
      ["v", 1, 0],
      ["n", 0, 0],
    ]);
  });

  test("one part with an optimizer of its own, another frozen", () => {
    const own = steps(compileStepOf(regime("optim sgd(0.1) optim sgd(0.01) on v"), "check"), 1)[0];
    expectClose(
      own?.w ?? [],
      START.map((w, place) => w - 0.1 * (w - (X[place] ?? 0))),
      "w",
    );
    expectClose(
      own?.v ?? [],
      START.map((v, place) => v - 0.01 * (v - 2 * (X[place] ?? 0))),
      "v",
    );
    const program = compileStepOf(regime("optim sgd(0.1)"), "check", { frozen: ["v"] });
    expect([...program.results.keys()]).not.toContain("weight.v");
    expectClose(steps(program, 1)[0]?.w ?? [], own?.w ?? [], "w");
  });

  test("the mean over the batch: twice the same example changes nothing", () => {
    const program = compileStepOf(regime("optim sgd(0.1)"), "check");
    const [once, twice] = [1, 2].map((count) => {
      const x = { shape: [count, 3], data: Array.from({ length: count }, () => X).flat() };
      const results = evaluate(
        program.graph,
        feed(program, { x, w: { shape: [3], data: START }, v: { shape: [3], data: START } }),
      );
      return values(program, results, "w", []);
    });
    expectClose(twice ?? [], once ?? [], "w");
  });
});

describe("clipping", () => {
  const gradients = [
    ...START.map((w, place) => w - (X[place] ?? 0)),
    ...START.map((v, place) => v - 2 * (X[place] ?? 0)),
  ];
  const norm = Math.hypot(...gradients);
  const moved = (clause: string): readonly number[] => {
    const after = steps(compileStepOf(regime(`optim sgd(1.0) clip ${clause}`), "check"), 1)[0];
    return [...(after?.w ?? []), ...(after?.v ?? [])].map((value, place) => (START[place % 3] ?? 0) - value);
  };

  test("by the norm of all gradients together", () => {
    expectClose(
      moved("norm(1.5)"),
      gradients.map((g) => (g * 1.5) / norm),
      "gradient",
    );
    expectClose(moved(`norm(${norm + 1})`), gradients, "gradient");
  });
  test("by value", () =>
    expectClose(
      moved("value(0.8)"),
      gradients.map((g) => Math.min(Math.max(g, -0.8), 0.8)),
      "gradient",
    ));
  test("by a schedule", () => {
    const program = compileStepOf(regime("optim sgd(1.0) clip value(linear(0.5, 0.1))"), "check");
    const first = steps(program, 1, { step: 5, stepsPerEpoch: 10 })[0];
    const limit = 0.5 - 0.4 * 0.5;
    const wanted = START.map((w, place) => w - Math.min(Math.max(w - (X[place] ?? 0), -limit), limit));
    expectClose(first?.w ?? [], wanted, "w");
  });
  test("of a gradient that is 0 stays 0", () => {
    const program = compileStepOf(regime("optim sgd(1.0) clip norm(1.0)"), "check");
    const arrays = {
      x: { shape: [1, 3], data: START },
      w: { shape: [3], data: START },
      v: { shape: [3], data: START.map((v) => 2 * v) },
    };
    expectClose(values(program, evaluate(program.graph, feed(program, arrays)), "w", []), START, "w");
  });
});

describe("schedules", () => {
  /** The learning rate that sgd uses at a step. */
  const rate = (schedule: string, options: FeedOptions): number => {
    const after = steps(compileStepOf(regime(`optim sgd(lr: ${schedule})`), "check"), 1, options)[0];
    const [w = 0, x = 0] = [START[0], X[0]];
    return (w - (after?.w[0] ?? Number.NaN)) / (w - x);
  };
  const cosine = (done: number): number => 0.5 * (1 + Math.cos(Math.PI * done));
  const cases: readonly (readonly [schedule: string, options: FeedOptions, wanted: number])[] = [
    ["cosine(0.4)", { step: 0, steps: 100 }, 0.4],
    ["cosine(0.4)", { step: 25, steps: 100 }, 0.4 * cosine(0.25)],
    ["cosine(0.4)", { step: 100, steps: 100 }, 0],
    ["cosine(0.4)", { step: 150, steps: 100 }, 0],
    ["cosine(0.4, warmup: 10)", { step: 0, steps: 110 }, 0.04],
    ["cosine(0.4, warmup: 10)", { step: 9, steps: 110 }, 0.4],
    ["cosine(0.4, warmup: 10)", { step: 10, steps: 110 }, 0.4],
    ["cosine(0.4, warmup: 10)", { step: 60, steps: 110 }, 0.2],
    ["cosine(0.4, warmup: 10, floor: 0.1)", { step: 110, steps: 110 }, 0.1],
    ["linear(1.0, 0.5, epochs: 4)", { step: 0, stepsPerEpoch: 10 }, 1],
    ["linear(1.0, 0.5, epochs: 4)", { step: 10, stepsPerEpoch: 10 }, 0.875],
    ["linear(1.0, 0.5, epochs: 4)", { step: 80, stepsPerEpoch: 10 }, 0.5],
    ["step_decay(0.8, factor: 0.5, every: 2)", { step: 19, stepsPerEpoch: 10 }, 0.8],
    ["step_decay(0.8, factor: 0.5, every: 2)", { step: 20, stepsPerEpoch: 10 }, 0.4],
    ["step_decay(0.8, factor: 0.5, every: 2)", { step: 65, stepsPerEpoch: 10 }, 0.1],
    ["noam(16, warmup: 100)", { step: 0 }, 0.25 * 100 ** -1.5],
    ["noam(16, warmup: 100)", { step: 99 }, 0.25 * 0.1],
    ["noam(16, warmup: 100)", { step: 399 }, 0.25 * 0.05],
  ];
  for (const [schedule, options, wanted] of cases) {
    test(`${schedule} at step ${options.step}`, () => expect(rate(schedule, options)).toBeCloseTo(wanted, 12));
  }
  test("every hyper-parameter takes one", () => {
    const program = compileStepOf(regime("optim adamw(0.03, decay: linear(0.2, 0.0, epochs: 2))"), "check");
    const after = steps(program, 1, { step: 10, stepsPerEpoch: 10 })[0];
    const wanted = byFormula((w, g, memory, step) => ADAM(w, g, memory, step) - 0.03 * 0.1 * w, 1)[0];
    expectClose(after?.w ?? [], wanted ?? [], "w");
  });
});

describe("what a regime gets wrong", () => {
  const cases: Readonly<Record<string, readonly [clauses: string, codes: readonly string[]]>> = {
    "an optimizer that is none": ["optim relu", ["wrong-option"]],
    "an option that it has not": ["optim adam(0.1, beta: 0.5)", ["wrong-option"]],
    "no learning rate": ["optim adam()", ["missing-parameter"]],
    "clipping by nothing": ["optim sgd(0.1) clip length(1)", ["wrong-option"]],
    "no optimizer for the rest": ["optim sgd(0.1) on v", ["missing-clause"]],
  };
  for (const [name, [clauses, codes]] of Object.entries(cases)) {
    test(name, () => {
      const job = openJob(regime(clauses));
      expect(stepOf(job, "check")).toBeUndefined();
      expect(job.report.diagnostics.map(({ code }) => code)).toEqual(codes);
    });
  }
});

test("what the last block of a stack gives and nobody reads is no mistake", () => {
  const job = openJob(`
    layer Block(C) {
      in  x: [C]
      use on = Linear(C, C), skip = Linear(C, C)
      out x + on(x), skip(x)
    }
    model M(C = 2, L = 3) {
      in  x: [C]
      use blocks = stack i in L of Block(C)
      h, skips = blocks(x)
      loss = sum(sum[L](skips))
    }
    train check of M { data x = csv("rows.csv") minimize loss optim sgd(0.1) batch 1 for 1 steps }`);
  const step = stepOf(job, "check");
  expect(job.report.diagnostics).toEqual([]);
  const moved = [...(step?.results.values() ?? [])].flatMap((role) => (role.kind === "weight" ? [role.name] : []));
  expect(moved).toContain("blocks.1.on.W");
  expect(moved).not.toContain("blocks.2.on.W");
});
