import { chance } from "../../models/data/chance.ts";
import { startWasm } from "../../src/index.ts";
import { episodes, openAgent, returns } from "./agent.ts";

/*
 * `node examples/dqn/main.ts [SEED]`: an agent learns to balance a pole on a cart, until it does so 100 times by itself for nearly as
 * long as it may. Then it is judged by 100 other beginnings.
 */

const MOST = 60_000;
const GOOD = 199;

async function main(seed: number): Promise<void> {
  const started = performance.now();
  const agent = openAgent(await startWasm(), { steps: MOST, seed });
  const lesson = { steps: MOST, batch: 64, memory: 30_000, exploring: 5_000, random: 0.05 };
  let [count, steps] = [0, 0];
  for await (const length of episodes(agent, lesson, chance(seed))) {
    [count, steps] = [count + 1, steps + length];
    if (count % 10 !== 0) continue;
    const held = mean(await returns(agent, 100, chance(seed + 1)));
    console.error(`episode ${count}  step ${steps}  mean return ${held}`);
    if (held >= GOOD) break;
  }
  const found = mean(await returns(agent, 100, chance(seed + 2)));
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  console.log(JSON.stringify({ seed, steps, episodes: count, "mean return": found, seconds }));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

await main(Number(process.argv[2] ?? 1));
