import { expect, test } from "vitest";
import { createReport } from "../../src/base/report.ts";
import { readRegime } from "../../src/check/regime.ts";
import { type HostedTraining, openHosted } from "../../src/runtime/hosted.ts";
import { readModules } from "../../src/runtime/source.ts";
import { TARGETS, type TargetName } from "../../src/runtime/targets.ts";
import { filesIn, prepared, trained } from "../support/train.ts";

/** Mnih et al. 2015, small. */
const DQN = `model DQN(S = 2, A = 3, gamma = 0.9) {
  in  s: [S], a: tok(A), r: [], next: [S], done: bool
  use q = MLP([S, 4, A], act: tanh), target = MLP([S, 4, A], act: tanh)
  goal = r + gamma * where(done, 0, stop_gradient(max(target(next))))
  loss = huber(q(s)[a] - goal)
  act  = argmax(q(s))
}`;

function regime(name: string, data: string, duration = "for 5 steps"): string {
  return `train ${name} of DQN { data s, a, r, next, done = ${data} minimize loss on q copy q to target every 2 steps optim adam(cosine(2e-2, floor: 1e-2)) clip norm(10) batch 4 ${duration} seed 3 }`;
}

const ROWS = [
  { s: [0.1, 0.2], a: 0, r: 1, next: [0.3, -0.5], done: false },
  { s: [-1, 0.5], a: 2, r: 0, next: [0.1, 0.9], done: true },
  { s: [0.7, -0.3], a: 1, r: -1, next: [0, 0.4], done: false },
];

const FILE = filesIn({
  "dqn.seq": [
    DQN,
    regime("hosted", "host()"),
    regime("endless", "host()", ""),
    regime("file", 'jsonl("rows.jsonl")'),
  ].join("\n"),
  "rows.jsonl": ROWS.map((row) => JSON.stringify(row)).join("\n"),
});

const COLUMNS = {
  s: { shape: [3, 2], data: Float32Array.from(ROWS.flatMap(({ s }) => s)) },
  a: { shape: [3], data: Int32Array.from(ROWS.map(({ a }) => a)) },
  r: { shape: [3], data: Float32Array.from(ROWS.map(({ r }) => r)) },
  next: { shape: [3, 2], data: Float32Array.from(ROWS.flatMap(({ next }) => next)) },
  done: { shape: [3], data: Uint8Array.from(ROWS.map(({ done }) => Number(done))) },
};

async function hosted(target: TargetName, name = "hosted"): Promise<HostedTraining> {
  const report = createReport();
  const modules = readModules(FILE, report);
  const block = modules?.entry.tree.declarations.find((one) => one.kind === "train" && one.name.text === name);
  if (modules === undefined || block?.kind !== "train") throw new Error("no regime");
  const opened = openHosted(modules, readRegime(block, report), await TARGETS[target].start(), {}, report);
  if (opened === undefined) throw new Error(report.diagnostics.map(({ message }) => message).join());
  return opened;
}

test.each<TargetName>(["reference", "wasm"])(
  "%s: data that is handed over trains as data from a file",
  async (target) => {
    const training = await hosted(target);
    const wanted = await trained(FILE, { regime: "file" });
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) losses.push(await training.step(COLUMNS));
    for (const [at, loss] of losses.entries()) expect(loss).toBeCloseTo(wanted.losses[at] ?? Number.NaN, 4);
    const { weights } = await training.state();
    for (const [name, { data }] of wanted.outcome.state.weights) {
      for (const [at, value] of data.entries()) expect(weights.get(name)?.data[at], name).toBeCloseTo(value, 4);
    }
  },
);

test("values are those of the weights as they are, from what they depend on alone", async () => {
  const training = await hosted("reference");
  const ask = async (): Promise<readonly number[]> => {
    const values = await training.values(["act"], { s: COLUMNS.s });
    return Array.from(values.get("act")?.data ?? []);
  };
  const before = await ask();
  expect(before).toHaveLength(3);
  for (let step = 0; step < 60; step++)
    await training.step({
      ...COLUMNS,
      done: { shape: [3], data: Uint8Array.of(1, 1, 1) },
      r: { shape: [3], data: Float32Array.of(9, 9, 9) },
    });
  // The actions that were paid for are the best now.
  expect(await ask()).toEqual([0, 2, 1]);
  await expect(training.values(["goal"], { s: COLUMNS.s })).rejects.toThrow("no value is given for the input");
});

test("a schedule that asks for the end must be told it", async () => {
  await expect(hosted("reference", "endless")).rejects.toThrow("a schedule asks how many steps there are in all");
});

test("a command has no data to hand over", async () => {
  await expect(prepared(FILE, { regime: "hosted" })).rejects.toThrow("the caller gave no data");
});
