/** Milliseconds from some moment on. */
export type Clock = () => number;

/** What is counted: the time that passes, or what this process has of the processor, for a machine that others use meanwhile. */
export const CLOCKS = {
  elapsed: (): number => performance.now(),
  processor: (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
} as const satisfies Readonly<Record<string, Clock>>;

export type ClockName = keyof typeof CLOCKS;

export function isClock(name: string): name is ClockName {
  return Object.hasOwn(CLOCKS, name);
}
