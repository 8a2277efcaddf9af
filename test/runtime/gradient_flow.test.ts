import { describe, expect, test } from "vitest";
import { createReport } from "../../src/base/report.ts";
import type { FlowWants } from "../../src/build/gradient-flow.ts";
import { readRegime } from "../../src/check/regime.ts";
import { type FlowReport, measureFlow } from "../../src/runtime/gradient-flow.ts";
import { referenceExecutor } from "../../src/runtime/reference.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { expressionOf, openJob } from "../support/compile.ts";
import { filesIn } from "../support/train.ts";

/** h_t = w^(t+1) x_0: each step back halves the gradient. */
const TEXT = `model Chain {
  time T
  in    x: [T]
  param w: [] init 0.5
  h[t] = w * h[t-1] else x[t]
  last = h[T-1]
  emit y: [] ~ normal(last, 1)
}

model Plain(D) {
  time T
  in   x: [T, D]
  z = exp(x)
  emit y: [] ~ normal(mean[T, D](z), 1)
}

model Steps(L = 4) {
  in   x: [L]
  h[t] = x[t] + h[t-1] else 0
  emit y: [] ~ normal(h[L-1], 1)
}

train chain of Chain {
  data     x, y = jsonl("rows.jsonl")
  minimize nll(y)
  optim    sgd(0.1)
  for      1 epoch
}
`;

const FILE = filesIn({ "m.seq": TEXT });

interface Asked extends Partial<FlowWants> {
  readonly model: string;
  readonly length?: number;
  readonly train?: boolean;
  readonly on?: "reference" | "wasm";
}

async function measured({ model, length, train = false, on = "reference", ...wants }: Asked): Promise<FlowReport> {
  const { modules } = openJob(TEXT, { file: FILE });
  const report = createReport();
  const block = modules.entry.tree.declarations.find((one) => one.kind === "train");
  const regime = train && block?.kind === "train" ? readRegime(block, report) : undefined;
  const found = await measureFlow(
    {
      modules,
      model: expressionOf(model),
      wants: { loss: { kind: "last" }, values: [], split: [], ...wants },
      regime,
      weights: undefined,
      seed: 3,
      batch: 2,
      length,
    },
    async () => (on === "wasm" ? wasmExecutor() : referenceExecutor()),
    report,
  );
  if (found === undefined) throw new Error(report.diagnostics.map(({ message }) => message).join("\n"));
  return found;
}

describe("the norms of a gradient by step", () => {
  test.each([1, 2, 9])("are those of a chain of %i steps", async (length) => {
    const { lines, loss } = await measured({ model: "Chain", length });
    const [norms = []] = lines.map((line) => line.norms);
    expect(norms.length).toBe(length);
    for (const [step, norm] of norms.entries()) {
      expect(norm / (norms.at(-1) ?? 0)).toBeCloseTo(0.5 ** (length - 1 - step), 12);
    }
    expect(loss).toBeGreaterThan(0);
  });

  test("are the same on WebAssembly", async () => {
    const asked = {
      model: "Chain",
      length: 30,
      split: ["w"],
      values: [{ name: "x", span: { file: "", start: 0, end: 0 } }],
    };
    const [exact, fast] = [await measured(asked), await measured({ ...asked, on: "wasm" })];
    expect(fast.lines.map(({ name }) => name)).toEqual(["h", "x", "w"]);
    fast.lines.forEach(({ norms }, place) => {
      norms.forEach((norm, step) => {
        const wanted = exact.lines[place]?.norms[step] ?? Number.NaN;
        expect(Math.abs(norm - wanted)).toBeLessThanOrEqual(1e-5 * wanted);
      });
    });
  });

  test("of a model without recurrence are those of named values", async () => {
    const span = { file: "", start: 0, end: 0 };
    const { lines } = await measured({ model: "Plain(D: 2)", length: 3, values: [{ name: "z", span }] });
    expect(lines.map(({ name, norms }) => `${name} ${norms.length}`)).toEqual(["z 3"]);
  });

  test.each<[string, Asked, string]>([
    [
      "no recurrence",
      { model: "Plain(D: 2)" },
      "Plain(D: 2) has no recurrence: nothing in it is handed on from step to step",
    ],
    ["no length", { model: "Steps", length: 3 }, "Steps has no time axis whose length --length could say"],
    ["no such weight", { model: "Chain", split: ["v"] }, "no step of a recurrence of Chain reads a weight v"],
    [
      "no size",
      { model: "Plain", values: [{ name: "z", span: { file: "", start: 0, end: 0 } }] },
      "the size D is not known",
    ],
    ["no data", { model: "Chain", train: true }, "rows.jsonl"],
    ["two lengths", { model: "Chain", train: true, length: 3 }, "the data of chain says how long its sequences are"],
  ])("%s is said", async (_, asked, message) => {
    await expect(measured(asked)).rejects.toThrow(message);
  });
});
