import type { Report } from "../base/diagnostic.ts";
import { constantValue } from "../check/constants.ts";
import type { Regime } from "../check/regime.ts";
import type { Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";

/** What a regime says beside its equations, as numbers. */
export interface Settings {
  readonly batch: { readonly size: number; readonly unit: "examples" | "tokens" };
  readonly duration: { readonly count: number; readonly unit: "epochs" | "steps" };
  /** Predictions a chunk. */
  readonly bptt: number | undefined;
  readonly seed: number;
  readonly stop: { readonly metric: string; readonly patience: number; readonly unit: "epochs" | "steps" } | undefined;
  readonly save: { readonly best: string | undefined; readonly path: string } | undefined;
}

/** What the command line says instead. */
export interface Overrides {
  readonly steps?: number | undefined;
  readonly seed?: number | undefined;
}

/** How many examples a batch has where nothing is said. */
export const USUAL_BATCH = 32;

/** Reads the numbers of a regime's clauses; what is no proper number is reported. */
export function readSettings(regime: Regime, overrides: Overrides, report: Report): Settings | undefined {
  const whole = (expression: Expression, what: string, least: number): number => {
    const value = constantValue(expression);
    if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
    report.add("wrong-option", expression.span, `${what} is a whole number from ${least} on`);
    return least;
  };
  const { batch, duration, bptt, seed, stop, save } = regime;
  const before = report.diagnostics.length;
  const settings: Settings = {
    batch: {
      size: batch === undefined ? USUAL_BATCH : whole(batch.size, "a batch", 1),
      unit: batch?.unit ?? "examples",
    },
    duration:
      overrides.steps === undefined
        ? {
            count: duration === undefined ? 1 : whole(duration.count, "the duration", 0),
            unit: duration?.unit ?? "epochs",
          }
        : { count: overrides.steps, unit: "steps" },
    bptt: bptt === undefined ? undefined : whole(bptt.length, "bptt", 1),
    seed: overrides.seed ?? (seed === undefined ? 0 : whole(seed.value, "a seed", 0)),
    stop:
      stop === undefined
        ? undefined
        : { metric: metricText(stop.metric), patience: whole(stop.patience, "the patience", 1), unit: stop.unit },
    save:
      save === undefined
        ? undefined
        : { best: save.best === undefined ? undefined : metricText(save.best), path: save.to.value },
  };
  return report.diagnostics.length > before ? undefined : settings;
}

/** `val.bpc` as the user wrote it. */
export function metricText(expression: Expression): string {
  return printExpression(expression);
}
