import { evaluateSize, type SizeBinding } from "../ir/size.ts";
import { partOf, unitOf } from "../plan/part.ts";
import type { Portion } from "../plan/portion.ts";

/**
 * How many threads a program is best run by, from what its parts take and how they divide. More threads cost waiting; another one is
 * only taken where it saves a good part.
 */
export function chooseThreads(portions: readonly Portion[], sizes: SizeBinding, cores: number): number {
  const of = (size: Portion["work"]): number => evaluateSize(size, sizes) ?? 0;
  const known = portions.map(({ work, along, waits }) => ({
    work: of(work),
    waits: of(waits),
    // The part of the thread that has most to do.
    share: (threads: number): number => {
      if (along === undefined) return 1;
      const count = of(along);
      const parts = Array.from({ length: threads }, (_, thread) =>
        partOf(count, unitOf(along), "count", thread, threads),
      );
      return count === 0 ? 1 : Math.max(...parts) / count;
    },
  }));
  const time = (threads: number): number => {
    const busy = known.reduce((sum, { work, share }) => sum + work * share(threads), 0) / RATE;
    return threads === 1 ? busy : busy + START + known.reduce((sum, { waits }) => sum + waits, 0) * WAIT * threads;
  };
  let best = 1;
  for (let threads = 2; threads <= cores; threads++)
    if (time(threads) < GAIN ** (threads / best - 1) * time(best)) best = threads;
  return best;
}

/** Where this runs, as far as threads go: in a page (or a worker of one), where workers are the browser's, or elsewhere, where they are Node's. */
export function threadPlace(): "page" | "process" {
  return typeof globalThis.crossOriginIsolated === "boolean" ? "page" : "process";
}

/** Why programs run on one thread here, whatever is asked for; undefined where several can share memory. */
export function whyOneThread(): string | undefined {
  if (threadPlace() === "process") return undefined;
  if (!globalThis.crossOriginIsolated) {
    return "this page is not cross-origin isolated, so it has no memory that threads could share: programs run on one thread";
  }
  return typeof Worker === "undefined" ? "workers cannot be started from here: programs run on one thread" : undefined;
}

/** How many threads run at once here. */
export function availableThreads(): number {
  return whyOneThread() === undefined ? navigator.hardwareConcurrency : 1;
}

/** Multiply-adds in a microsecond. */
const RATE = 25_000;
/** Microseconds that a barrier takes, for each thread, and that waking the others takes. */
const WAIT = 0.3;
const START = 30;
/** What doubling the threads must save at least. */
const GAIN = 0.85;
