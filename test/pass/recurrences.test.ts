import fc from "fast-check";
import { describe, test } from "vitest";
import { gradients } from "../../src/grad/gradients.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { DEFAULT_OPTIONS, type PassOptions } from "../../src/pass/pass.ts";
import { PASS_NAMES, PASSES } from "../../src/pass/pipeline.ts";
import { optimize } from "../../src/pass/run.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { randomRecurrence, recurrenceShapes } from "../support/random_recurrence.ts";
import { buildRecurrence } from "../support/recurrence.ts";
import { RECURRENCES } from "../support/recurrences.ts";
import { sameAs } from "./meaning.ts";

describe("recurrences and their gradients keep their numbers", () => {
  test.each(RECURRENCES)("$name", (recurrence) => {
    const { builder, outputs, loss, wrt, inputs } = buildRecurrence(recurrence);
    const cotangents = gradients(builder, loss, wrt);
    const results = [
      ...Object.entries(outputs).map(([name, id]) => ({ name, id })),
      ...cotangents.map((id, index) => ({ name: `d.${wrt[index]}`, id })),
    ];
    checkAll(scheduledGraph(builder.finish(results), recurrence.sizes), inputs, recurrence.sizes);
  });

  test("random groups of equations", () => {
    fc.assert(
      fc.property(recurrenceShapes(), (shape) => {
        const { builder, graph, loss, wrt, inputs, sizes } = randomRecurrence(shape);
        const cotangents = gradients(builder, loss, wrt);
        const results = [...graph.results, ...cotangents.map((id, index) => ({ name: `d.${wrt[index]}`, id }))];
        checkAll(scheduledGraph(builder.finish(results), sizes), inputs, sizes);
      }),
      { numRuns: 40 },
    );
  });
});

function scheduledGraph(equations: Graph, sizes: SizeBinding): Graph {
  const scheduled = schedule(equations, sizes);
  if (!("graph" in scheduled)) throw new Error("does not schedule");
  return scheduled.graph;
}

function checkAll(graph: Graph, inputs: ReadonlyMap<string, Tensor>, sizes: SizeBinding): void {
  const expectSame = sameAs(interpret(graph, inputs, sizes), inputs, sizes);
  const features = new Map([...sizes].filter(([name]) => !["B", "T", "I", "J"].includes(name)));
  for (const pass of PASS_NAMES) {
    const after = PASSES[pass](graph, { ...DEFAULT_OPTIONS, sizes: features, unroll: 2, memory: 0, chunk: 2 });
    if (after !== graph) expectSame(after, pass);
  }
  const choices: readonly Partial<PassOptions>[] = [{}, { rows: 1, memory: 0 }, { unroll: 3 }, { memory: 0, chunk: 2 }];
  for (const choice of choices) {
    const after = optimize(graph, { sizes: features, off: new Set(), check: true, ...choice });
    expectSame(after, JSON.stringify(choice));
  }
  const full = optimize(graph, { sizes, off: new Set(), check: true, unroll: "full" });
  expectSame(full, "unrolled");
}
