import { expect, test } from "vitest";
import { imported, programsOf } from "./open.ts";

const MODEL = `model M(N = 2) {
  in x: [N]
  use a = Linear(N, N), b = Linear(N, N)
  loss = sum(b(a(x))**2)
}`;

function training(clauses: string) {
  const [train] = programsOf(
    `${MODEL}\ntrain t of M { data x = csv("rows.csv") minimize loss optim sgd(0.1) batch 1 for 9 steps ${clauses} }`,
    {},
  ).train;
  return train;
}

function moved(clauses: string): readonly string[] {
  const roles = [...(training(clauses)?.program.results.values() ?? [])];
  return roles.flatMap((role) => (role.kind === "weight" ? [role.name] : [])).sort();
}

test("a module's step leaves frozen weights alone", () => {
  expect(moved("")).toEqual(["a.W", "a.b", "b.W", "b.b"]);
  expect(moved("freeze a")).toEqual(["b.W", "b.b"]);
  expect(training("freeze a")?.changing).toBeUndefined();
});

test("what changes from step to step is said: one step cannot hold it", () => {
  expect(training("freeze a until epoch 3")?.changing?.what).toBe("a freeze that ends");
  expect(training("copy a to b every 5 steps")?.changing?.what).toBe("a copy of weights");
});

test("every call of a training begins its sequences anew", async () => {
  const text = `model Walk(H = 3) {
    time T
    in x: [T, 2]
    use cell = LSTM(2, H), head = Linear(H, 2)
    h = scan cell over x
    emit x[t+1] ~ normal(head(h[t]), 1)
  }
  train walk of Walk { data x = csv("rows.csv") minimize nll(x) bptt 2 optim sgd(0.0) batch 1 for 9 steps }`;
  const { Walk } = await imported<WalkModule>(programsOf(text, {}));
  const model = Walk.init(1);
  const piece = {
    x: [
      [
        [1, 2],
        [3, -1],
        [2, 0],
      ],
    ],
  };
  const first = await losses(model, [piece, piece]);
  expect(first[1]).not.toBe(first[0]);
  expect(await losses(model, [piece, piece])).toEqual(first);
});

test("numbers of a method are options of the module, whole ones too", () => {
  const text = `model Guess(V = 5) {
    param w: [V]
    emit y: tok(V) ~ categorical(w)
  }
  generate some of Guess { y by sample(temperature: 1, top_k: 3) }`;
  const [some] = programsOf(text, {}).generate;
  const options = [...(some?.program.params.values() ?? [])].flatMap((role) =>
    role.kind === "option" ? [`${role.name} ${role.value}`] : [],
  );
  expect(options.sort()).toEqual(["temperature 1", "top_k 3"]);
});

interface WalkModule {
  readonly Walk: { init(seed: number): Walk };
}
interface Walk {
  train(batches: Iterable<object>): AsyncGenerator<{ readonly loss: number }>;
}

async function losses(model: Walk, batches: Iterable<object>): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const { loss } of model.train(batches)) found.push(loss);
  return found;
}
