import { describe, expect, test } from "vitest";
import { gradients } from "../../src/grad/gradients.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { SizeBinding } from "../../src/ir/size.ts";
import { layOut } from "../../src/ir/strided.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { verify } from "../../src/ir/verify.ts";
import * as make from "../../src/op/make.ts";
import { sumOver } from "../../src/op/make_sum.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { demandGraph } from "../support/demand.ts";
import { numericGradient } from "../support/numeric.ts";
import { buildRecurrence } from "../support/recurrence.ts";
import { RECURRENCES } from "../support/recurrences.ts";
import { expectClose } from "../support/tensors.ts";

describe.each(RECURRENCES)("$name", (recurrence) => {
  const { builder, loss, wrt, inputs } = buildRecurrence(recurrence);
  const first = gradients(builder, loss, wrt);
  const squares = first.map((id) => sumOver(builder, make.mul(builder, id, id), builder.type(id).axes));
  const penalty = squares.reduce((sum, square) => make.add(builder, sum, square), loss);
  const second = gradients(builder, penalty, wrt);
  const equations = (value: string, cotangents: readonly string[]): Graph =>
    builder.finish([{ name: "loss", id: value }, ...cotangents.map((id, index) => ({ name: `d.${wrt[index]}`, id }))]);

  test("gradient", () => {
    const graph = equations(loss, first);
    checkGradient(graph, inputs, recurrence.sizes, wrt);
    const demand = demandGraph(graph, inputs, recurrence.sizes);
    const results = interpret(scheduleGraph(graph, recurrence.sizes), inputs, recurrence.sizes);
    for (const { name, id } of graph.results)
      expectClose(inOrder(results.get(name), demand(id)), demand(id), 1e-10, name);
  });

  test("second gradient", () => {
    checkGradient(equations(penalty, second), inputs, recurrence.sizes, wrt);
  });
});

function scheduleGraph(graph: Graph, sizes: SizeBinding): Graph {
  expect(verify(graph)).toEqual([]);
  const scheduled = schedule(graph, sizes);
  if (!("graph" in scheduled)) throw new Error(`does not schedule: ${JSON.stringify(scheduled.problems)}`);
  expect(verify(scheduled.graph, { scheduled: true })).toEqual([]);
  return scheduled.graph;
}

function checkGradient(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: SizeBinding,
  wrt: readonly string[],
): void {
  const scheduled = scheduleGraph(graph, sizes);
  const value: Graph = { ...graph, results: graph.results.filter((result) => result.name === "loss") };
  const forward = scheduleGraph(value, sizes);
  const results = interpret(scheduled, inputs, sizes);
  const lossAt = (at: ReadonlyMap<string, Tensor>): number =>
    interpret(forward, at, sizes).get("loss")?.data[0] ?? Number.NaN;
  for (const id of wrt) {
    const wanted = numericGradient(lossAt, inputs, id);
    expectClose(inOrder(results.get(`d.${id}`), wanted), wanted, 1e-6, `d.${id}`);
  }
}

function inOrder(tensor: Tensor | undefined, like: Tensor): Tensor | undefined {
  return tensor === undefined ? undefined : layOut(tensor, like.axes, like.shape);
}
