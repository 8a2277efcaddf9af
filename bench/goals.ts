import { type Goal, type NamedSide, SIDES } from "./side.ts";
import type { WorkloadResult } from "./workload-result.ts";

export interface GoalResult {
  readonly workload: string;
  readonly text: string;
  readonly target: number;
  /** Undefined where what it needs was not measured. */
  readonly value: number | undefined;
  readonly reached: boolean | undefined;
}

/** What each workload had to reach, and what it reached. */
export function goalResults(results: readonly WorkloadResult[]): readonly GoalResult[] {
  return results.flatMap((result) =>
    result.workload.goals.map((goal): GoalResult => {
      const value = measured(goal, result, results);
      const { text, target, atLeast } = describeGoal(goal, result.workload.unit);
      const reached = value === undefined ? undefined : atLeast ? value >= target : value <= target;
      return { workload: result.workload.name, text, target, value, reached };
    }),
  );
}

/** seqc's own WebAssembly is what has promised something. */
function ours(result: WorkloadResult | undefined) {
  return result?.sides.find(({ name }) => name === "seqc wasm");
}

function measured(goal: Goal, result: WorkloadResult, results: readonly WorkloadResult[]): number | undefined {
  const own = ours(result);
  const side = (wanted: NamedSide) => result.sides.find(({ name }) => name === wanted);
  const other = (name: string) => ours(results.find(({ workload }) => workload.name === name));
  switch (goal.kind) {
    case "faster":
    case "loss":
      return own && side(goal.side)?.ratio.median;
    case "gain":
      return own && quotient(1, side(goal.side)?.ratio.median);
    case "peak":
      return own?.share?.median;
    case "like":
      return quotient(own?.share?.median, other(goal.workload)?.share?.median);
    case "time":
      return own?.milliseconds.median;
    case "growth":
      return quotient(own?.milliseconds.median, other(goal.workload)?.milliseconds.median);
    default:
      return goal satisfies never;
  }
}

function quotient(value: number | undefined, by: number | undefined): number | undefined {
  return value === undefined || by === undefined ? undefined : value / by;
}

interface GoalText {
  readonly text: string;
  readonly target: number;
  readonly atLeast: boolean;
}

function describeGoal(goal: Goal, unit: string): GoalText {
  switch (goal.kind) {
    case "faster":
      return { text: `× ${goal.side}`, target: goal.atLeast, atLeast: true };
    case "gain":
      return { text: `times as fast: ${SIDES[goal.side]}`, target: goal.atLeast, atLeast: true };
    case "loss":
      return { text: `times the time: ${SIDES[goal.side]}`, target: goal.atMost, atLeast: false };
    case "peak":
      return { text: "of the multiply-add peak", target: goal.atLeast, atLeast: true };
    case "like":
      return { text: `of the speed per FLOP of ${goal.workload}`, target: goal.atLeast, atLeast: true };
    case "time":
      return { text: `ms a ${unit}`, target: goal.atMost, atLeast: false };
    case "growth":
      return { text: `× the time of ${goal.workload}`, target: goal.atMost, atLeast: false };
    default:
      return goal satisfies never;
  }
}
