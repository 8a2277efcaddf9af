import type { GoalResult } from "./goals.ts";
import type { Spread } from "./statistics.ts";
import type { SideResult, WorkloadResult } from "./workload-result.ts";

const HEAD = ["", "ms", "× first", "min – max", "GFLOP/s", "of peak", "rounds", "of a core", "differs by"] as const;

/** One workload as a table for the terminal. */
export function resultTable({ workload, peak, sides, failed }: WorkloadResult): string {
  const flops = workload.flops === 0 ? "" : `, ${number(workload.flops / 1e6)} MFLOP a ${workload.unit}`;
  const lines = columns([HEAD, ...sides.map(sideRow)]);
  return [
    `${workload.name}: ${workload.title}${flops}; peak ${number(peak.median)} GFLOP/s`,
    ...lines.map((line) => `  ${line}`),
    ...failed.map(({ name, reason }) => `  ${name} not timed: ${reason}`),
    "",
  ].join("\n");
}

function sideRow({
  name,
  milliseconds,
  ratio,
  gigaflops,
  share,
  rounds,
  undisturbed,
  worst,
}: SideResult): readonly string[] {
  return [
    name,
    number(milliseconds.median),
    number(ratio.median),
    range(ratio),
    gigaflops === undefined ? "" : number(gigaflops.median),
    share === undefined ? "" : `${number(share.median * 100)} %`,
    String(rounds),
    undisturbed < 0.97 ? `${number(undisturbed * 100)} %` : "",
    worst === undefined ? "" : `${worst.relative.toExponential(0)} ${worst.name}`,
  ];
}

export function goalTable(goals: readonly GoalResult[]): string {
  const rows = goals.map(({ workload, text, target, value, reached }) => [
    workload,
    `${target} ${text}`,
    value === undefined ? "not measured" : number(value),
    reached === undefined ? "" : reached ? "reached" : "missed",
  ]);
  return columns([["workload", "goal", "measured", ""], ...rows], 2).join("\n");
}

function range({ minimum, maximum }: Spread): string {
  return `${number(minimum)} – ${number(maximum)}`;
}

/** Three digits that count. */
export function number(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));
}

/** The first columns to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[], left = 1): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
