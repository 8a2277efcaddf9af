import Plot from "uplot";
import "uplot/dist/uPlot.min.css";

/** A loss curve that grows. */
export interface Chart {
  add(losses: readonly number[]): void;
  clear(): void;
}

/** How much of the mean stays from step to step. */
const KEPT = 0.95;

/** Losses of single batches are faint; the line is their running mean. */
export function openChart(parent: HTMLElement): Chart {
  const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const steps: number[] = [];
  const losses: number[] = [];
  const means: number[] = [];
  let [sum, weight] = [0, 0];
  const axis = {
    stroke: color("--soft"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line") },
  };
  const plot = new Plot(
    {
      width: parent.clientWidth || 400,
      height: 230,
      scales: { x: { time: false } },
      axes: [axis, { ...axis, size: 56 }],
      series: [
        { label: "step" },
        {
          label: "loss",
          stroke: `color-mix(in srgb, ${color("--accent")} 35%, transparent)`,
          width: 1,
          points: { show: false },
        },
        { label: "mean", stroke: color("--accent"), width: 2, points: { show: false } },
      ],
    },
    [steps, losses, means],
    parent,
  );
  new ResizeObserver(() => plot.setSize({ width: parent.clientWidth || 400, height: 230 })).observe(parent);
  const draw = (): void => plot.setData([steps, losses, means]);
  return {
    add(more) {
      for (const loss of more) {
        steps.push(steps.length + 1);
        losses.push(loss);
        // The first steps count fully: a mean of few is not held back by where it began.
        [sum, weight] = [sum * KEPT + loss, weight * KEPT + 1];
        means.push(sum / weight);
      }
      draw();
    },
    clear() {
      for (const list of [steps, losses, means]) list.length = 0;
      [sum, weight] = [0, 0];
      draw();
    },
  };
}
