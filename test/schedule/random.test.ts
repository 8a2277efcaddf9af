import fc from "fast-check";
import { expect, test } from "vitest";
import { interpret } from "../../src/ir/interpret.ts";
import { layOut } from "../../src/ir/strided.ts";
import { verify } from "../../src/ir/verify.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { demandGraph } from "../support/demand.ts";
import { randomRecurrence, recurrenceShapes } from "../support/random_recurrence.ts";
import { expectClose } from "../support/tensors.ts";

test("random groups of equations mean the same scheduled", () => {
  fc.assert(
    fc.property(recurrenceShapes(), (shape) => {
      const { graph, inputs, sizes } = randomRecurrence(shape);
      const scheduled = schedule(graph, sizes);
      if (!("graph" in scheduled))
        throw new Error(`does not schedule: ${JSON.stringify(scheduled.problems.map((problem) => problem.kind))}`);
      expect(verify(scheduled.graph, { scheduled: true })).toEqual([]);
      const results = interpret(scheduled.graph, inputs, sizes);
      const demand = demandGraph(graph, inputs, sizes);
      for (const { name, id } of graph.results) {
        const wanted = demand(id);
        const tensor = results.get(name);
        expectClose(tensor && layOut(tensor, wanted.axes, wanted.shape), wanted, 1e-10, name);
      }
    }),
    { numRuns: 200 },
  );
});
