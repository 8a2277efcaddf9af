import { expect, test } from "vitest";
import { episodes, openAgent, returns } from "../../examples/dqn/agent.ts";
import { chance } from "../../models/data/chance.ts";
import { TARGETS, type TargetName } from "../../src/runtime/targets.ts";

const SEED = 3;

/** Losses of the first steps, which the actions that are chosen depend on, and what the agent then does by itself. */
async function begun(target: TargetName, steps: number) {
  const agent = openAgent(await TARGETS[target].start(), { steps, seed: SEED });
  const losses: number[] = [];
  const heard = {
    ...agent,
    step: async (columns: Parameters<typeof agent.step>[0]): Promise<number> => {
      const loss = await agent.step(columns);
      losses.push(loss);
      return loss;
    },
  };
  const lesson = { steps, batch: 8, memory: 20, exploring: 10, random: 0 };
  const lengths: number[] = [];
  for await (const length of episodes(heard, lesson, chance(SEED))) lengths.push(length);
  return { losses, lengths, held: await returns(agent, 3, chance(SEED)) };
}

test("the same episodes on WebAssembly and by the interpreter", async () => {
  const [found, expected] = [await begun("wasm", 20), await begun("reference", 20)];
  expect(found.losses.length).toBe(20);
  expect(expected.lengths.length).toBeGreaterThan(0);
  expect(found.lengths).toEqual(expected.lengths);
  expect(found.held).toEqual(expected.held);
  found.losses.forEach((loss, step) => {
    expect(Math.abs(loss - (expected.losses[step] ?? Number.NaN)), `step ${step}`).toBeLessThan(1e-4);
  });
});

test("an agent learns to keep the pole up", async () => {
  const agent = openAgent(await TARGETS.wasm.start(), { steps: 1500, seed: SEED });
  const mean = async (): Promise<number> =>
    (await returns(agent, 50, chance(9))).reduce((sum, length) => sum + length, 0) / 50;
  expect(await mean()).toBeLessThan(40);
  const lesson = { steps: 1500, batch: 64, memory: 1500, exploring: 500, random: 0.05 };
  let best = 0;
  for await (const _ of episodes(agent, lesson, chance(SEED))) {
    best = Math.max(best, await mean());
    if (best > 120) break;
  }
  expect(best).toBeGreaterThan(120);
});
