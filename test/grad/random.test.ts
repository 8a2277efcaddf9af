import fc from "fast-check";
import { expect, test } from "vitest";
import { gradients } from "../../src/grad/gradients.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { layOut } from "../../src/ir/strided.ts";
import { verify } from "../../src/ir/verify.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { numericGradient } from "../support/numeric.ts";
import { randomRecurrence, recurrenceShapes } from "../support/random_recurrence.ts";
import { expectClose } from "../support/tensors.ts";

test("gradients of random groups of equations", () => {
  fc.assert(
    fc.property(recurrenceShapes(), (shape) => {
      const { builder, graph, loss, wrt, inputs, sizes } = randomRecurrence(shape);
      const cotangents = gradients(builder, loss, wrt);
      const results = cotangents.map((id, index) => ({ name: wrt[index] ?? "", id }));
      const [forward, backward] = [graph, builder.finish(results)].map((equations) => {
        const scheduled = schedule(equations, sizes);
        if (!("graph" in scheduled))
          throw new Error(`does not schedule: ${JSON.stringify(scheduled.problems.map((problem) => problem.kind))}`);
        expect(verify(scheduled.graph, { scheduled: true })).toEqual([]);
        return scheduled.graph;
      });
      if (forward === undefined || backward === undefined) throw new Error("two graphs");
      const found = interpret(backward, inputs, sizes);
      const onlyLoss = { ...forward, results: forward.results.filter((result) => result.name === "loss") };
      for (const id of wrt) {
        const wanted = numericGradient(
          (at) => interpret(onlyLoss, at, sizes).get("loss")?.data[0] ?? Number.NaN,
          inputs,
          id,
        );
        const tensor = found.get(id);
        expectClose(tensor && layOut(tensor, wanted.axes, wanted.shape), wanted, 1e-6, id);
      }
    }),
    { numRuns: 40 },
  );
});
