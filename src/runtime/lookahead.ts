/** How many steps a device is given before the host waits for their losses: as many as it takes in the time between two looks of a person. */
export interface Lookahead {
  /** Whether the losses of so many steps, the first begun at `since`, are to be asked for now. Both times in milliseconds. */
  isDue(count: number, since: number, now: number): boolean;
  /** Learns how long the device took: `count` steps were begun at `since` and are known now. */
  took(count: number, since: number, now: number): void;
}

/** Milliseconds. */
const SLICE = 200;
/** What a device is given at once stays small: batches wait in its memory. */
const MOST = 100;

/** One step at first, then up to twice as many each time. */
export function createLookahead(): Lookahead {
  let allowed = 1;
  return {
    isDue: (count, since, now) => count >= allowed || now - since >= SLICE,
    took(count, since, now) {
      const fits = Math.floor((count * SLICE) / Math.max(now - since, 1e-3));
      allowed = Math.max(1, Math.min(fits, 2 * count, MOST));
    },
  };
}
