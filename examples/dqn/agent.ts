import { readdirSync, readFileSync } from "node:fs";
import {
  type Columns,
  createReport,
  type Executor,
  type HostedTraining,
  loadModules,
  openHosted,
  readRegime,
  renderDiagnostic,
  type Source,
} from "../../src/index.ts";
import { begin, type CartPole, fallen, LONGEST, push } from "./cart_pole.ts";

/** How an agent learns. */
export interface Lesson {
  /** Steps of the world, and of training. */
  readonly steps: number;
  readonly batch: number;
  /** Steps that are remembered. */
  readonly memory: number;
  /** Steps over which the share of random actions falls from 1 to `random`. */
  readonly exploring: number;
  readonly random: number;
}

const MODEL = new URL("../../models/dqn.seq", import.meta.url);
const LIBRARY = new URL("../../models/std/", import.meta.url);

/** Opens the regime of `models/dqn.seq`. Throws the diagnostics where the file has mistakes. */
export function openAgent(
  executor: Executor,
  options: { readonly steps: number; readonly seed: number },
): HostedTraining {
  const library = readdirSync(LIBRARY).map((name) => source(`std/${name}`, new URL(name, LIBRARY)));
  const report = createReport();
  const modules = loadModules(source("dqn.seq", MODEL), library, () => undefined, report);
  const block = modules.entry.tree.declarations.find((declaration) => declaration.kind === "train");
  const agent = block && openHosted(modules, readRegime(block, report), executor, options, report);
  if (agent !== undefined && !report.hasErrors) return agent;
  const texts = new Map([...modules.all.values()].map(({ file, text }) => [file, text]));
  throw new Error(report.diagnostics.map((one) => renderDiagnostic(one, texts)).join("\n\n"));
}

/** Lets an agent act and learn from what it remembers: Mnih et al. 2015, algorithm 1. Gives the return of each episode as it ends. */
export async function* episodes(agent: HostedTraining, lesson: Lesson, draw: () => number): AsyncGenerator<number> {
  const memory: Step[] = [];
  let [state, length] = [begin(draw), 0];
  for (let at = 0; at < lesson.steps; at++) {
    const randomly = Math.max(lesson.random, 1 - at / lesson.exploring);
    const action = draw() < randomly ? Math.floor(draw() * 2) : ((await best(agent, [state]))[0] ?? 0);
    const next = push(state, action);
    // An episode that is only cut off could have gone on: what comes after still counts.
    memory[at % lesson.memory] = { state, action, next, done: fallen(next) };
    length++;
    await agent.step(columns(Array.from({ length: lesson.batch }, () => recalled(memory, draw))));
    state = next;
    if (!fallen(next) && length < LONGEST) continue;
    yield length;
    [state, length] = [begin(draw), 0];
  }
}

/** The return of `count` episodes of the actions that are thought best, all at once. */
export async function returns(agent: HostedTraining, count: number, draw: () => number): Promise<readonly number[]> {
  const lengths = new Float64Array(count);
  let running = Array.from(lengths, (_, episode) => ({ episode, state: begin(draw) }));
  for (let at = 0; at < LONGEST && running.length > 0; at++) {
    const actions = await best(
      agent,
      running.map(({ state }) => state),
    );
    for (const { episode } of running) lengths[episode] = at + 1;
    const moved = running.map(({ episode, state }, one) => ({ episode, state: push(state, actions[one] ?? 0) }));
    running = moved.filter(({ state }) => !fallen(state));
  }
  return Array.from(lengths);
}

/** One step of the world; each is worth 1. */
interface Step {
  readonly state: CartPole;
  readonly action: number;
  readonly next: CartPole;
  readonly done: boolean;
}

async function best(agent: HostedTraining, states: readonly CartPole[]): Promise<readonly number[]> {
  const values = await agent.values(["act"], { s: vectors(states) });
  return Array.from(values.get("act")?.data ?? [], Number);
}

function columns(steps: readonly Step[]): Columns {
  const shape = [steps.length];
  return {
    s: vectors(steps.map(({ state }) => state)),
    a: { shape, data: Int32Array.from(steps, ({ action }) => action) },
    r: { shape, data: Float32Array.from(steps, ({ done }) => (done ? -1 : 0)) },
    next: vectors(steps.map(({ next }) => next)),
    done: { shape, data: Uint8Array.from(steps, ({ done }) => Number(done)) },
  };
}

function vectors(states: readonly CartPole[]) {
  return { shape: [states.length, 4], data: Float32Array.from(states.flat()) };
}

function recalled(memory: readonly Step[], draw: () => number): Step {
  const chosen = memory[Math.floor(draw() * memory.length)];
  if (chosen === undefined) throw new Error("there is nothing to remember");
  return chosen;
}

function source(file: string, url: URL): Source {
  return { file, text: readFileSync(url, "utf8") };
}
