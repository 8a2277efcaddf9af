import { describe, expect, test } from "vitest";
import { expectArray, readArray } from "../support/read.ts";
import { train, trajectories } from "./trajectories.ts";
import { WAYS } from "./ways.ts";

describe("training steps of another framework", () => {
  const all = trajectories();
  for (const { name, execute, single } of WAYS)
    for (const trajectory of all) {
      test(`${trajectory.name}, ${name}`, async () => {
        const within = !single ? 1e-6 : trajectory.name.endsWith("adam") ? 5e-5 : 1e-5;
        const { losses, last } = await train(trajectory, execute(trajectory.program));
        expect(losses).toHaveLength(20);
        const wanted = { shape: [losses.length], data: trajectory.losses };
        expectArray("losses", { shape: [losses.length], data: losses }, wanted, { within });
        for (const [weight, array] of Object.entries(trajectory.final)) {
          const found = readArray(trajectory.program, last, `weight.${weight}`);
          expectArray(weight, found, array, { within });
        }
      });
    }
});
