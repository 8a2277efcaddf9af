import type { Budget } from "../base/budget.ts";

/** How much a source may take. Where one is exceeded, compiling ends with a `too-large` finding. */
export interface Limits {
  /** Characters of the source and of everything that it imports, the library not counted; 1,000,000 where not said. */
  readonly characters: number;
  /** Files that are imported; 100 where not said. */
  readonly files: number;
  /** Values of all equation graphs and definitions applied, checks included; 1,000,000 where not said. The largest models have some ten thousand. */
  readonly nodes: number;
  /** No limit where not said: a result would depend on the clock. It is looked at whenever a value is made and between steps. */
  readonly milliseconds: number;
}

export const LIMIT_HINT = "split it, or compile with higher limits";

export const USUAL_LIMITS: Limits = {
  characters: 1_000_000,
  files: 100,
  nodes: 1_000_000,
  milliseconds: Number.POSITIVE_INFINITY,
};

/** A budget that knows why it ended. */
export interface LimitedBudget extends Budget {
  /** Throws where time is up. */
  readonly lookAtClock: () => void;
  /** What was exceeded, in a sentence; undefined while all is well. */
  readonly exceeded: () => string | undefined;
}

/** How many values are made between two looks at the clock. */
const BETWEEN = 64;

/** A budget for one source. Its clock starts now. */
export function createBudget({ nodes, milliseconds }: Limits): LimitedBudget {
  const start = performance.now();
  let made = 0;
  let why: string | undefined;
  const end = (reason: string): never => {
    why = reason;
    throw new Error(reason);
  };
  const lookAtClock = (): void => {
    if (performance.now() - start > milliseconds) end(`it takes longer than ${milliseconds} ms to compile`);
  };
  return {
    lookAtClock,
    exceeded: () => why,
    spend() {
      made++;
      if (made > nodes) end(`its equation graphs have more than ${nodes.toLocaleString("en")} values`);
      if (made % BETWEEN === 0) lookAtClock();
    },
  };
}
