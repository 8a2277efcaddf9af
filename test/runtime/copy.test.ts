import { expect, test } from "vitest";
import { filesIn, type Trained, trained } from "../support/train.ts";

const FILE = filesIn({
  "m.seq": `
    model M(D = 2) {
      in  x: [D], y: []
      use q = MLP([D, 3, 1], act: tanh), target = MLP([D, 3, 1], act: tanh)
      loss = (q(x) - y - 0.5 * stop_gradient(target(x)))**2
    }
    train m of M { data x, y = jsonl("rows.jsonl") minimize loss on q copy q to target every 3 steps optim sgd(0.1) batch 2 for 7 steps seed 1 }
    train n of M { data x, y = jsonl("rows.jsonl") minimize loss copy q to target every 1 epochs optim sgd(0.1) batch 1 for 5 steps seed 1 }`,
  "rows.jsonl": ['{"x": [1, -1], "y": 0.5}', '{"x": [0.3, 2], "y": -1}'].join("\n"),
});

function weights({ outcome }: Trained, part: string): readonly (readonly number[])[] {
  return [...outcome.state.weights].flatMap(([name, { data }]) =>
    name.startsWith(`${part}.`) ? [Array.from(data)] : [],
  );
}

test("a part is copied before the first step, then every third", async () => {
  const runs = await Promise.all([1, 2, 3, 4, 6, 7].map((steps) => trained(FILE, { regime: "m", steps })));
  const [one, two, three, four, six, seven] = runs.map((run) => ({
    q: weights(run, "q"),
    target: weights(run, "target"),
  }));
  // After step 1 the target is still what q was at first; step 4 begins with what q was after step 3.
  expect(one?.target).toEqual(two?.target);
  expect(two?.target).toEqual(three?.target);
  expect(four?.target).toEqual(three?.q);
  expect(six?.target).toEqual(three?.q);
  expect(seven?.target).toEqual(six?.q);
  expect(one?.target).not.toEqual(one?.q);
});

test("what is copied to is not trained, and epochs count too", async () => {
  const [two, three] = [await trained(FILE, { regime: "n", steps: 2 }), await trained(FILE, { regime: "n", steps: 3 })];
  expect(weights(three, "target")).toEqual(weights(two, "q"));
});

test("wasm gives the interpreter's numbers", async () => {
  const [wanted, found] = [await trained(FILE, { regime: "m" }), await trained(FILE, { regime: "m", target: "wasm" })];
  for (const [at, loss] of found.losses.entries()) expect(loss).toBeCloseTo(wanted.losses[at] ?? Number.NaN, 5);
});
