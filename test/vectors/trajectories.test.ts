import { describe, expect, test } from "vitest";
import { interpreter } from "../support/execute.ts";
import { expectArray, readArray } from "../support/read.ts";
import { train, trajectories } from "./trajectories.ts";

describe("training steps of another framework", () => {
  for (const trajectory of trajectories()) {
    test(trajectory.name, async () => {
      const { losses, last } = await train(trajectory, interpreter);
      expect(losses).toHaveLength(20);
      const wanted = { shape: [losses.length], data: trajectory.losses };
      expectArray("losses", { shape: [losses.length], data: losses }, wanted, { within: 1e-6 });
      for (const [name, array] of Object.entries(trajectory.final)) {
        const found = readArray(trajectory.program, last, `weight.${name}`);
        expectArray(name, found, array, { within: 1e-6 });
      }
    });
  }
});
