import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { printGraph } from "../../src/ir/print.ts";
import { layOut } from "../../src/ir/strided.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { verify } from "../../src/ir/verify.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { demandGraph } from "../support/demand.ts";
import { buildRecurrence, finishRecurrence, getter } from "../support/recurrence.ts";
import { RECURRENCES } from "../support/recurrences.ts";
import { expectClose } from "../support/tensors.ts";

describe.each(RECURRENCES)("$name", (recurrence) => {
  const built = buildRecurrence(recurrence);
  const equations = finishRecurrence(built);
  const scheduled = schedule(equations, recurrence.sizes);
  if (!("graph" in scheduled)) throw new Error(JSON.stringify(scheduled.problems.map((problem) => problem.kind)));
  const { graph } = scheduled;

  test("is a well-formed scheduled graph", () => {
    expect(verify(equations)).toEqual([]);
    expect(verify(graph, { scheduled: true })).toEqual([]);
    expect(countScans(graph)).toBe(recurrence.scans);
    expect(new Set(allIds(graph)).size).toBe(allIds(graph).length);
  });

  test("computes what loops compute", () => {
    const results = interpret(graph, built.inputs, recurrence.sizes);
    const loops = recurrence.loops?.(getter(built.inputs), (name) => recurrence.sizes.get(name) ?? Number.NaN) ?? {};
    for (const [name, { axes, data }] of Object.entries(loops)) {
      const tensor = results.get(name);
      expect(tensor, name).toBeDefined();
      if (tensor === undefined) continue;
      const shape = axes.map((axis) => tensor.shape[tensor.axes.indexOf(axis)] ?? 1);
      const actual: Tensor = layOut(tensor, axes, shape);
      expectClose(actual, { ...actual, data: Float64Array.from(data) }, 1e-12, `${name}\n${printGraph(graph)}`);
    }
  });

  test("computes what the equations mean", () => {
    const results = interpret(graph, built.inputs, recurrence.sizes);
    const demand = demandGraph(equations, built.inputs, recurrence.sizes);
    for (const result of equations.results) {
      const wanted = demand(result.id);
      const tensor = results.get(result.name);
      const actual = tensor === undefined ? undefined : layOut(tensor, wanted.axes, wanted.shape);
      expectClose(actual, wanted, 1e-12, result.name);
    }
  });
});

function countScans(graph: Graph): number {
  return graph.nodes.flatMap((node) => bodies(node)).reduce((count, body) => count + 1 + countScans(body), 0);
}

function bodies(node: Graph["nodes"][number]): readonly Graph[] {
  const body = node.attributes.body;
  return typeof body === "object" && "nodes" in body ? [body] : [];
}

function allIds(graph: Graph): readonly string[] {
  return [
    ...graph.params.map((param) => param.id),
    ...graph.nodes.flatMap((node) => [...node.outputs.map((output) => output.id), ...bodies(node).flatMap(allIds)]),
  ];
}
