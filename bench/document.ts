import { readFileSync, writeFileSync } from "node:fs";
import type { GoalResult } from "./goals.ts";
import type { Machine } from "./machine.ts";
import type { Effort } from "./measure.ts";
import { SIDES } from "./side.ts";
import { number } from "./table.ts";
import type { SideResult, WorkloadResult } from "./workload-result.ts";

/** All that one run of the benchmark found. */
export interface Findings {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly results: readonly WorkloadResult[];
  readonly goals: readonly GoalResult[];
}

const BEGIN = "<!-- measured: written by npm run bench -- --document -->";
const END = "<!-- end of measured -->";

/** Replaces the measured part of a Markdown file. Throws a `TypeError` where the file has no such part. */
export function writeDocument(file: string, findings: Findings): void {
  const text = readFileSync(file, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new TypeError(`${file} lacks the lines ${BEGIN} and ${END}`);
  const parts = [describeRun(findings), sideSection(), goalSection(findings.goals), ...findings.results.map(section)];
  const measured = parts.join("\n\n");
  writeFileSync(file, `${text.slice(0, begin + BEGIN.length)}\n${measured}\n${text.slice(end)}`);
}

function describeRun({ machine, effort, results }: Findings): string {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const clock = effort.clock === "elapsed" ? "elapsed time" : "processor time, as others used the machine meanwhile";
  const shares = results.flatMap(({ sides }) => sides.map(({ undisturbed }) => undisturbed));
  const least = Math.min(1, ...shares);
  return [
    `${machine.date}; ${machine.processor}, ${machine.cores} cores, ${machine.platform}; Node ${machine.node}; ${packages.join(", ")}.`,
    `${effort.rounds} rounds; ${clock}; in the worst turn this process had ${number(least * 100)} % of a core.`,
  ].join("\n");
}

function sideSection(): string {
  return table(
    ["side", "is"],
    Object.entries(SIDES).map(([name, doc]) => [`\`${name}\``, doc]),
  );
}

function goalSection(goals: readonly GoalResult[]): string {
  const rows = goals.map(({ workload, text, target, value, reached }) => [
    workload,
    `${target} ${text}`,
    value === undefined ? "not measured" : number(value),
    reached === undefined ? "" : reached ? "reached" : `missed: ${missedBy(target, value)}`,
  ]);
  return `### Goals\n\n${table(["workload", "goal", "measured", ""], rows)}`;
}

function missedBy(target: number, value: number | undefined): string {
  const part = value === undefined ? Number.NaN : value / target;
  return part < 1 ? `${number(part * 100)} % of it` : `${number(part)} times it`;
}

function section({ workload, peak, sides, failed }: WorkloadResult): string {
  const flops = workload.flops === 0 ? "" : ` ${number(workload.flops / 1e6)} MFLOP a ${workload.unit}.`;
  const head = ["", `ms a ${workload.unit}`, "× first (min – max)", "GFLOP/s", "of peak", "differs by"];
  const notes = failed.map(({ name, reason }) => `${name} was not timed: ${reason.split("\n")[0]}`);
  const title = `### ${workload.name}\n\n${workload.title}.${flops} Peak ${number(peak.median)} GFLOP/s.`;
  return [title, table(head, sides.map(row)), ...notes].join("\n\n");
}

function row({ name, milliseconds, ratio, gigaflops, share, worst }: SideResult): readonly string[] {
  return [
    name,
    number(milliseconds.median),
    `${number(ratio.median)} (${number(ratio.minimum)} – ${number(ratio.maximum)})`,
    gigaflops === undefined ? "" : number(gigaflops.median),
    share === undefined ? "" : `${number(share.median * 100)} %`,
    worst === undefined ? "" : `${worst.relative.toExponential(0)} (${worst.name})`,
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
