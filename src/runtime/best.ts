import type { Regime } from "../check/regime.ts";
import type { Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import type { Best, Progress } from "./checkpoint.ts";

/** Metrics of which more is better; of all others, as losses and errors, less is. */
const RISING: ReadonlySet<string> = new Set(["accuracy", "exact", "f1", "span_f1", "bleu", "elbo"]);

/** A number that a regime watches. */
export interface Watched {
  /** `val.bpc`, among what an evaluation gives. */
  readonly name: string;
  readonly rising: boolean;
}

/**
 * Finds what `val.bpc`, `val.accuracy` (of `report accuracy(y)`) or `loss` means: a part (`val`, `test`, none for the training data)
 * and a report. Undefined where there is none; `watchable` lists what there is.
 */
export function findWatched(text: string, regime: Regime): Watched | undefined {
  const [, part = "", name = text] = /^(?:(val|test)\.)?(.*)$/s.exec(text) ?? [];
  const reports = regimeMetrics(regime);
  const found =
    reports.find((report) => report.name === name) ?? only(reports.filter((report) => calleeOf(report.value) === name));
  if (found === undefined || (part === "" && found.name !== "loss")) return undefined;
  if (part === "val" && regime.val === undefined) return undefined;
  if (part === "test") return undefined;
  return { name: part === "" ? found.name : `${part}.${found.name}`, rising: rises(found.value) };
}

export function watchable(regime: Regime): readonly string[] {
  const names = regimeMetrics(regime).map(({ name }) => name);
  return ["loss", ...(regime.val === undefined ? [] : names.map((name) => `val.${name}`))];
}

interface Reported {
  readonly name: string;
  readonly value: Expression | undefined;
}

/** `loss`, then the reports; with one objective, its text is a name of the loss too. */
function regimeMetrics(regime: Regime): readonly Reported[] {
  const [objective, ...more] = regime.objectives;
  const reports = regime.reports.map(({ name, value }) => ({ name: name?.text ?? printExpression(value), value }));
  const callee = more.length === 0 && objective?.direction === "minimize" ? calleeOf(objective.value) : undefined;
  const covered =
    callee === undefined || reports.some(({ name, value }) => name === callee || calleeOf(value) === callee);
  const loss: Reported = { name: "loss", value: covered ? undefined : objective?.value };
  return [loss, ...reports];
}

function calleeOf(value: Expression | undefined): string | undefined {
  return value?.kind === "call" && value.callee.kind === "reference" ? value.callee.name : undefined;
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

/** Whether more is better: `1 - exact(y)` falls as `exact(y)` rises. */
function rises(value: Expression | undefined): boolean {
  switch (value?.kind) {
    case "call": {
      const name = calleeOf(value) ?? "";
      const [argument] = value.args;
      return RISING.has(name) || (["log", "sqrt", "exp"].includes(name) && rises(argument?.value));
    }
    case "unary":
      return value.operator === "-" && !rises(value.operand) && mentionsMetric(value.operand);
    case "binary": {
      if (value.operator === "-") return mentionsMetric(value.left) ? rises(value.left) : falls(value.right);
      return rises(value.left) || (value.operator !== "/" && rises(value.right));
    }
    default:
      return false;
  }
}

function falls(value: Expression): boolean {
  return mentionsMetric(value) && !rises(value);
}

function mentionsMetric(value: Expression): boolean {
  if (value.kind === "call") return true;
  if (value.kind === "unary") return mentionsMetric(value.operand);
  return value.kind === "binary" && (mentionsMetric(value.left) || mentionsMetric(value.right));
}

/** The better of the best so far and a new value; NaN is never better. */
export function betterOf(best: Best | undefined, watched: Watched, value: number, at: Progress): Best | undefined {
  if (Number.isNaN(value)) return best;
  const better = best === undefined || (watched.rising ? value > best.value : value < best.value);
  return better ? { metric: watched.name, value, epoch: at.epoch, step: at.step } : best;
}
