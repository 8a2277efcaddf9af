import type { FlowNorms, FlowReport } from "../runtime/gradient-flow.ts";
import type { Chart } from "./line-chart.ts";

/** Rows of a table of steps: more are left out evenly, the last is shown. */
const MOST_ROWS = 11;

export function lossText(loss: string): string {
  if (loss === "last") return "the loss of the last step";
  return loss === "whole" ? "the whole loss" : `${loss} at the last step`;
}

/** The norms as tables: steps down, what is differentiated by across; then the weights. */
export function flowText(flow: FlowReport, loss: string): string {
  const examples = flow.examples === 1 ? "1 example" : `${flow.examples} examples`;
  const parts = [`${flow.model}: ${lossText(loss)} is ${number(flow.loss)}, ${examples}`];
  for (const [axis, lines] of byAxis(flow.lines)) parts.push(stepsTable(axis, lines));
  parts.push(weightsTable(flow));
  return parts.join("\n\n");
}

function stepsTable(axis: string, lines: readonly FlowNorms[]): string {
  const steps = Math.max(...lines.map(({ norms }) => norms.length));
  const rows = shownSteps(steps).map((step) => [String(step), ...lines.map(({ norms }) => number(norms[step]))]);
  const factors = lines.map(({ norms }) => {
    const factor = stepFactor(norms);
    return factor === undefined ? "" : `x ${factor.toPrecision(3)}`;
  });
  return table([[axis, ...lines.map(({ name }) => name)], ...rows, ["a step back", ...factors]]);
}

function shownSteps(steps: number): readonly number[] {
  const count = Math.min(steps, MOST_ROWS);
  return Array.from({ length: count }, (_, row) => (count === 1 ? 0 : Math.round((row * (steps - 1)) / (count - 1))));
}

/** What a step back multiplies the norm by: the geometric mean over the steps between the first and the last norm that is not 0. */
export function stepFactor(norms: readonly number[]): number | undefined {
  const isProper = (norm: number): boolean => norm > 0 && norm < Number.POSITIVE_INFINITY;
  const [first, last] = [norms.findIndex(isProper), norms.findLastIndex(isProper)];
  const [early, late] = [norms[first], norms[last]];
  if (early === undefined || late === undefined || first === last) return undefined;
  return Math.exp((Math.log(early) - Math.log(late)) / (last - first));
}

function weightsTable({ weights, norm, clipped }: FlowReport): string {
  const more = (value: number | undefined): readonly string[] => (clipped === undefined ? [] : [number(value)]);
  return table([
    ["weight", "norm", ...(clipped === undefined ? [] : ["clipped"])],
    ...weights.map((weight) => [weight.name, number(weight.norm), ...more(weight.clipped)]),
    ["all", number(norm), ...more(clipped)],
  ]);
}

/** The first column to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cells = (row: readonly string[]): readonly string[] =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
  return rows.map((row) => `  ${cells(row).join("  ")}`.trimEnd()).join("\n");
}

function number(value: number | undefined): string {
  if (value === undefined) return "";
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return value < 1e-3 || value >= 1e4 ? value.toExponential(2) : value.toPrecision(3);
}

/** A chart for each axis, a line for each thing of each model. */
export function flowCharts(flows: readonly FlowReport[], loss: string): readonly Chart[] {
  const all = flows.flatMap(({ model, lines }) =>
    lines.map((line) => ({ ...line, shown: flows.length === 1 ? line.name : `${model}: ${line.name}` })),
  );
  return [...byAxis(all)].map(([axis, lines]) => ({
    title: `Gradient of ${lossText(loss)}`,
    across: `step of ${axis}`,
    up: "norm",
    lines: lines.map(({ shown, norms, kind }) => ({ name: shown, values: norms, isDashed: kind !== "state" })),
  }));
}

function byAxis<L extends { readonly axis: string }>(lines: readonly L[]): ReadonlyMap<string, readonly L[]> {
  const groups = new Map<string, L[]>();
  for (const line of lines) groups.set(line.axis, [...(groups.get(line.axis) ?? []), line]);
  return groups;
}
