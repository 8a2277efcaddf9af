import type { Report } from "../base/diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import type { Turn } from "../build/training.ts";
import { isPart, partNames } from "../build/weight-part.ts";
import { constantValue } from "../check/constants.ts";
import type { Player } from "../check/players.ts";
import type { Regime } from "../check/regime.ts";
import type { Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import type { Progress } from "./checkpoint.ts";

/** `freeze enc until epoch 3`, read. */
export interface Freeze {
  readonly weights: ReadonlySet<string>;
  /** Epochs or steps done from which on the weights are trained; undefined for good. */
  readonly until: { readonly count: number; readonly unit: "epoch" | "step" } | undefined;
}

/** Reads the `freeze` clauses; a part that names no weight is reported. */
export function readFreezes(regime: Regime, weights: readonly string[], report: Report): readonly Freeze[] {
  return regime.freezes.map(({ parts, until }) => {
    const names = parts.flatMap((part) => frozenBy(part, weights, report));
    const count = until === undefined ? undefined : constantValue(until.count);
    if (until !== undefined && (typeof count !== "number" || count < 0)) {
      report.add("wrong-option", until.count.span, `a number of ${until.unit}s is needed here`);
    }
    const limit = until === undefined ? undefined : { count: typeof count === "number" ? count : 0, unit: until.unit };
    return { weights: new Set(names), until: limit };
  });
}

function frozenBy(part: Expression, weights: readonly string[], report: Report): readonly string[] {
  const names = partNames(part).flatMap((name) => weights.filter((weight) => isPart(weight, name)));
  if (names.length > 0) return names;
  const known = new Set(weights.flatMap((weight) => [weight, weight.split(".")[0] ?? weight]));
  const near = nearest(printExpression(part), known);
  report.add("unknown-name", part.span, `there is no weight ${printExpression(part)}`, {
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
  return [];
}

/** What is frozen at a point of the training. */
export function frozenAt(freezes: readonly Freeze[], { step, epoch }: Progress): ReadonlySet<string> {
  const still = freezes.filter(
    ({ until }) => until === undefined || (until.unit === "epoch" ? epoch : step) < until.count,
  );
  return new Set(still.flatMap(({ weights }) => [...weights]));
}

/** Equal where the same rests. */
export function turnKey({ frozen, resting }: Turn): string {
  return JSON.stringify([[...frozen].sort(), [...resting].sort()]);
}

/** The players, by place, that rest at a step: one that plays `every 5` plays at the fifth, the tenth, ... */
export function restingAt(players: readonly Player[], { step }: Progress): ReadonlySet<number> {
  return new Set(players.flatMap(({ every }, place) => ((step + 1) % every === 0 ? [] : [place])));
}
