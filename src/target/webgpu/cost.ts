/** What a device takes, in seconds; measured once, or taken for a graphics card of the middle class. */
export interface DeviceCosts {
  /** From one dispatch to the next that needs it. */
  readonly dispatch: number;
  /** Of a barrier among the threads of a group, in a loop. */
  readonly barrier: number;
  /** Of one multiplication and addition of one group that reads its operands from memory, all its threads at work. */
  readonly product: number;
  /** How many groups run at the same time. */
  readonly groups: number;
}

export const USUAL_COSTS: DeviceCosts = { dispatch: 5e-6, barrier: 1e-6, product: 1e-10, groups: 64 };

/** Of a processor that stands in for a graphics card, as measured with SwiftShader: every group is work, and so is every thread that waits. */
export const PROCESSOR_COSTS: DeviceCosts = { dispatch: 1e-4, barrier: 5e-6, product: 5e-9, groups: 1 };

/** A loop as the device sees it, for one choice of sizes; all counts are for one step. */
export interface LoopFacts {
  /** Groups of threads that would own its rows. */
  readonly groups: number;
  /** Of all rows: products of numbers to be added up. */
  readonly products: number;
  /** Barriers where one group does everything. */
  readonly barriers: number;
  /** Dispatches where all groups work together, and the most groups that one of them has. */
  readonly dispatches: number;
  readonly width: number;
}

/** How much faster products go by tiles in shared memory. */
const TILES_GAIN = 3;

/**
 * Whether all steps in one stage, each group with rows of its own, take less time than step by step: the one waits at barriers and keeps
 * only as many groups busy as there are rows, the other waits for every dispatch.
 */
export function isWholeFaster(costs: DeviceCosts, facts: LoopFacts): boolean {
  if (facts.groups === 0) return true;
  const rounds = Math.ceil(facts.groups / costs.groups);
  const whole = rounds * (facts.barriers * costs.barrier + (facts.products * costs.product) / facts.groups);
  const busy = Math.max(1, Math.min(facts.width, costs.groups));
  const stepwise = facts.dispatches * costs.dispatch + (facts.products * costs.product) / (busy * TILES_GAIN);
  return whole <= stepwise;
}
