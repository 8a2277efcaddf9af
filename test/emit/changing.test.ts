import { expect, test } from "vitest";
import { programsOf } from "./open.ts";

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
