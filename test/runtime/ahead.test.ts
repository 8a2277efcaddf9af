import { describe, expect, test } from "vitest";
import type { Executor, Results } from "../../src/runtime/executor.ts";
import { createLookahead } from "../../src/runtime/lookahead.ts";
import { referenceExecutor } from "../../src/runtime/reference.ts";
import { firstWeights } from "../../src/runtime/state.ts";
import { AT_START, train } from "../../src/runtime/train.ts";
import { filesIn, prepared } from "../support/train.ts";

const CLAUSES = `data x, y = jsonl("rows.jsonl") val last 40% batch 1`;
const FILE = filesIn({
  "m.seq": `
    model M(D = 2) {
      in  x: [D], y: []
      use a = MLP([D, 3, 1], act: tanh), b = MLP([D, 3, 1], act: tanh)
      loss = (a(x) + b(x) - y)**2
    }
    train plain of M { ${CLAUSES} minimize loss optim sgd(0.1) for 5 epochs }
    train thawing of M { ${CLAUSES} minimize loss freeze b until step 5 optim sgd(0.1) for 9 steps }
    train copying of M { ${CLAUSES} minimize loss copy a to b every 2 steps optim sgd(0.1) for 9 steps }
    train exploding of M { ${CLAUSES} minimize loss optim sgd(1e200) for 9 steps }`,
  "rows.jsonl": ["[1, -1]", "[0.3, 2]", "[0, 1]", "[2, 2]", "[-1, 0.5]"]
    .map((x, at) => `{"x": ${x}, "y": ${at / 2}}`)
    .join("\n"),
});

/** The interpreter as a device that computes by itself; `waits` counts how often somebody waits for it. */
function device(): { readonly executor: Executor; readonly waits: () => number } {
  const reference = referenceExecutor();
  let waits = 0;
  const executor: Executor = {
    ...reference,
    prepare: (program) => {
      const prepared = reference.prepare(program);
      const waiting: Results[] = [];
      const queue = {
        enqueue: async (...given: Parameters<typeof prepared.run>) => {
          waiting.push(await prepared.run(...given));
        },
        drain: async () => {
          waits++;
          return waiting.splice(0);
        },
      };
      return { ...prepared, queue };
    },
  };
  return { executor, waits: () => waits };
}

/** Everything that a run says and leaves, kept after step `keepAt` too. */
async function story(executor: Executor, regime: string, keepAt = -1): Promise<readonly unknown[]> {
  const training = await prepared(FILE, { regime, seed: 3 });
  const told: unknown[] = [];
  let steps = 0;
  const weightsOf = (state: { readonly weights: ReadonlyMap<string, { readonly data: ArrayLike<number> }> }) =>
    [...state.weights].map(([name, { data }]) => [name, Array.from(data)]);
  const outcome = await train(
    training,
    executor,
    { state: { weights: firstWeights(training), slots: new Map(), carries: new Map() }, standing: AT_START },
    {
      step: async (at, loss) => void told.push(["step", at, loss]),
      evaluated: async (at, metrics) => void told.push(["evaluated", at, [...metrics]]),
      keep: async (state, standing) => void told.push(["keep", weightsOf(state), standing]),
      wants: () => ({ end: false, keep: ++steps === keepAt }),
    },
  );
  return [...told, outcome.ended, outcome.progress, weightsOf(outcome.state)];
}

describe("a device that is some steps ahead", () => {
  test.each(["plain", "thawing", "copying"])("changes nothing of what a run says and leaves: %s", async (regime) => {
    const ahead = device();
    expect(await story(ahead.executor, regime, 4)).toEqual(await story(referenceExecutor(), regime, 4));
  });

  test("is waited for where somebody is to know, and now and then", async () => {
    const { executor, waits } = device();
    const told = await story(executor, "plain");
    const steps = told.filter((one) => Array.isArray(one) && one[0] === "step").length;
    expect(steps).toBe(15);
    // At the end of each of five epochs at least.
    expect(waits()).toBeGreaterThanOrEqual(5);
    expect(waits()).toBeLessThan(steps);
  });

  test("a loss that is no number is told of the step that it belongs to", async () => {
    const wanted = await story(referenceExecutor(), "exploding").catch((error: unknown) => String(error));
    expect(wanted).toMatch(/the loss is NaN at step \d/);
    expect(await story(device().executor, "exploding").catch((error: unknown) => String(error))).toBe(wanted);
  });

  test("gets one step at first, then as many as it takes in a fifth of a second, at most twice as many each time", () => {
    const lookahead = createLookahead();
    const allowed = (since: number): number =>
      Array.from({ length: 200 }, (_, at) => at + 1).find((count) => lookahead.isDue(count, since, since)) ?? 0;
    expect(allowed(0)).toBe(1);
    lookahead.took(1, 0, 10);
    expect(allowed(0)).toBe(2);
    lookahead.took(2, 0, 20);
    lookahead.took(4, 0, 40);
    lookahead.took(8, 0, 80);
    expect(allowed(0)).toBe(16);
    lookahead.took(16, 0, 160);
    expect(allowed(0)).toBe(20);
    expect(lookahead.isDue(2, 0, 300)).toBe(true);
    lookahead.took(20, 0, 8000);
    expect(allowed(0)).toBe(1);
    for (let round = 0; round < 9; round++) lookahead.took(100, 0, 1);
    expect(allowed(0)).toBe(100);
  });
});
