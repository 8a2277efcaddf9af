import { compare, type Difference, excess } from "./compare.ts";
import { type Effort, measure, type Rounds } from "./measure.ts";
import { type MultiplyAdd, PEAK_FLOPS, peakSide } from "./peak.ts";
import type { Results, Side, SideName, Workload } from "./side.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface SideResult {
  readonly name: SideName;
  /** Of one unit. */
  readonly milliseconds: Spread;
  readonly rounds: number;
  /** The least part of a core that the process had in one of them. */
  readonly undisturbed: number;
  /** Its time divided by the first side's, round by round. */
  readonly ratio: Spread;
  readonly gigaflops: Spread | undefined;
  /** Of the multiply-add peak, round by round. */
  readonly share: Spread | undefined;
  /** The result that differs most from the first side's; undefined for the first. */
  readonly worst: Difference | undefined;
}

export interface WorkloadResult {
  readonly workload: Workload;
  /** GFLOP/s of one core in the same rounds. */
  readonly peak: Spread;
  readonly sides: readonly SideResult[];
  /** Sides that could not run, or computed something else: not timed. */
  readonly failed: readonly { readonly name: SideName; readonly reason: string }[];
}

/** Where to measure from: the peak's instruction, and what to show while it goes on. */
export interface Bench {
  readonly effort: Effort;
  readonly multiplyAdd: MultiplyAdd;
  readonly wanted: (side: SideName) => boolean;
  readonly onTurn: (workload: string, side: string) => void;
}

/** Makes the sides, compares what they compute, and only then times those that agree. */
export async function runWorkload(workload: Workload, bench: Bench): Promise<WorkloadResult> {
  const sides = new Map<SideName, Side>();
  const worst = new Map<SideName, Difference>();
  const failed: { name: SideName; reason: string }[] = [];
  let reference: Results | undefined;
  for (const [name, open] of workload.sides) {
    if (!bench.wanted(name)) continue;
    bench.onTurn(workload.name, `${name}, checking`);
    try {
      const side = await open();
      await side.enter?.();
      const results = await side.check();
      const difference = reference === undefined ? undefined : compare(results, reference)[0];
      if (difference !== undefined && excess(difference) > 1) {
        side.dispose();
        failed.push({ name, reason: describeDifference(difference) });
        continue;
      }
      if (difference !== undefined) worst.set(name, difference);
      reference ??= results;
      sides.set(name, side);
    } catch (cause) {
      failed.push({ name, reason: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
    }
  }
  const peak = peakSide(bench.multiplyAdd);
  if (peak === undefined) throw new Error("this engine cannot run the peak's loop");
  const all = new Map<SideName | "peak", Side>([...sides, ["peak", peak]]);
  const times = await measure(all, bench.effort, (name) => bench.onTurn(workload.name, name));
  for (const side of sides.values()) side.dispose();
  return { workload, failed, ...summary(workload, times, [...sides.keys()], worst) };
}

function summary(
  workload: Workload,
  rounds: Rounds<SideName | "peak">,
  names: readonly SideName[],
  worst: ReadonlyMap<SideName, Difference>,
): Pick<WorkloadResult, "peak" | "sides"> {
  const millisecondsOf = (name: SideName | "peak") => (rounds.get(name) ?? []).map((turn) => turn.milliseconds);
  const peaks = millisecondsOf("peak").map((milliseconds) => PEAK_FLOPS / milliseconds / 1e6);
  const first = millisecondsOf(names[0] ?? "peak");
  const sides = names.map((name): SideResult => {
    const own = millisecondsOf(name);
    const speeds = own.map((milliseconds) => (workload.flops * workload.units) / milliseconds / 1e6);
    const counted = workload.flops > 0;
    return {
      name,
      milliseconds: spreadOf(own.map((milliseconds) => milliseconds / workload.units)),
      rounds: own.length,
      undisturbed: Math.min(...(rounds.get(name) ?? []).map((turn) => turn.undisturbed)),
      ratio: spreadOf(own.map((milliseconds, round) => milliseconds / (first[round] ?? first.at(-1) ?? Number.NaN))),
      gigaflops: counted ? spreadOf(speeds) : undefined,
      share: counted ? spreadOf(speeds.map((speed, round) => speed / (peaks[round] ?? Number.NaN))) : undefined,
      worst: worst.get(name),
    };
  });
  return { peak: spreadOf(peaks), sides };
}

function describeDifference({ name, relative, tolerance }: Difference): string {
  return `computes another ${name}: ${relative.toExponential(1)} apart, ${tolerance.toExponential(0)} allowed`;
}
