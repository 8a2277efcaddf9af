import { CLOCKS, type ClockName } from "./clock.ts";
import type { Side } from "./side.ts";
import { median } from "./statistics.ts";

export interface Effort {
  readonly clock: ClockName;
  readonly rounds: number;
  /** How long a side's turn in a round is to take. */
  readonly turnMilliseconds: number;
  /** A side whose one run takes longer than this is run in so many rounds as fit into it, at least one. */
  readonly sideMilliseconds: number;
}

export interface Turn {
  /** Of one run. */
  readonly milliseconds: number;
  /** Processor time of the side's process by elapsed time: below 1 where others had the core. */
  readonly undisturbed: number;
}

/** By side and round; a side that is slow lacks the later rounds. */
export type Rounds<Name extends string> = ReadonlyMap<Name, readonly Turn[]>;

/**
 * Takes turns: in every round each side runs for a while, so that what else the machine does meets all of them, and what is compared was
 * measured within the same seconds. A turn's time is the median of its runs. A turn in which others had the core is taken again.
 */
export async function measure<Name extends string>(
  sides: ReadonlyMap<Name, Side>,
  effort: Effort,
  onTurn: (name: Name) => void,
): Promise<Rounds<Name>> {
  const plans = new Map<Name, { readonly side: Side; readonly runs: number; readonly rounds: number }>();
  const times = new Map<Name, Turn[]>();
  for (const [name, side] of sides) {
    onTurn(name);
    const first = await warm(side, effort);
    const once = first.milliseconds;
    // So slow that the machine's state does not matter: what it took while warming up has to do.
    times.set(name, once > effort.sideMilliseconds ? [first] : []);
    if (once > effort.sideMilliseconds) continue;
    const runs = Math.min(MOST_RUNS, Math.max(1, Math.round(effort.turnMilliseconds / once)));
    const rounds = Math.min(effort.rounds, Math.max(1, Math.floor(effort.sideMilliseconds / (once * runs))));
    plans.set(name, { side, runs, rounds });
  }
  for (let round = 0; round < effort.rounds; round++) {
    // The order changes, so that nobody always follows the same neighbour.
    for (const [name, plan] of rotated([...plans], round)) {
      if (round >= plan.rounds) continue;
      onTurn(name);
      times.get(name)?.push(await quietTurn(plan.side, plan.runs, effort.clock));
    }
  }
  return times;
}

const MOST_RUNS = 20_000;

/** Runs until the compilers of the machine below have settled. */
async function warm(side: Side, { turnMilliseconds, clock }: Effort): Promise<Turn> {
  await side.enter?.();
  const end = performance.now() + turnMilliseconds;
  return observed(side, async () => {
    const times: number[] = [];
    do times.push(await timed(side, clock));
    while (performance.now() < end && times.length < MOST_RUNS);
    return median(times.slice(times.length >> 1));
  });
}

const QUIET = 0.97;
const TRIES = 3;

/** The least disturbed of a few tries. */
async function quietTurn(side: Side, runs: number, clock: ClockName): Promise<Turn> {
  await side.enter?.();
  let best: Turn | undefined;
  for (let attempt = 0; attempt < TRIES && (best?.undisturbed ?? 0) < QUIET; attempt++) {
    const turn = await observed(side, async () => {
      const times: number[] = [];
      for (let run = 0; run < runs; run++) times.push(await timed(side, clock));
      return median(times);
    });
    if (turn.undisturbed > (best?.undisturbed ?? -1)) best = turn;
  }
  return best ?? { milliseconds: Number.NaN, undisturbed: 0 };
}

async function observed(side: Side, act: () => Promise<number>): Promise<Turn> {
  const processor = side.processor ?? CLOCKS.processor;
  const [start, before] = [performance.now(), processor()];
  const milliseconds = await act();
  return { milliseconds, undisturbed: (processor() - before) / (performance.now() - start) };
}

async function timed(side: Side, clock: ClockName): Promise<number> {
  if (side.time !== undefined) return side.time(clock);
  const start = CLOCKS[clock]();
  await side.run();
  return CLOCKS[clock]() - start;
}

function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
