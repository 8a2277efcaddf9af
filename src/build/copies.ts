import type { Report } from "../base/diagnostic.ts";
import { constantValue } from "../check/constants.ts";
import type { Regime } from "../check/regime.ts";
import { printExpression } from "../syntax/walk.ts";
import type { WeightSpec } from "./program.ts";
import { isPart, partNames } from "./weight-part.ts";

/** `copy q to target every 500 steps`, read: it is done before the first step, and again whenever so many are done. */
export interface Copy {
  /** Names of weights: the one that is read, the one that takes its value. */
  readonly pairs: readonly (readonly [from: string, to: string])[];
  readonly every: number;
  readonly unit: "steps" | "epochs";
}

/** Reads the `copy` clauses of a regime; parts that do not have the same weights are reported. */
export function readCopies(regime: Regime, weights: readonly WeightSpec[], report: Report): readonly Copy[] {
  return regime.copies.map((clause) => {
    const { from, to, unit, span } = clause;
    const [source] = partNames(from);
    const [target] = partNames(to);
    const count = constantValue(clause.every);
    if (typeof count !== "number" || !Number.isInteger(count) || count < 1) {
      report.add("wrong-option", clause.every.span, `a whole number of ${unit} from 1 on is needed here`, {
        hint: "write every 500 steps",
      });
    }
    const pairs = source === undefined || target === undefined ? [] : pairsOf(source, target, weights);
    const wrong = pairs.find(([, theirs, fits]) => !fits || theirs === undefined);
    if (source !== undefined && source === target) {
      report.add("wrong-option", span, `${source} is copied to itself`, {
        hint: "copy it to another part: copy q to target",
      });
    } else if (wrong !== undefined) {
      const [ours] = wrong;
      report.add("shape-mismatch", to.span, `${printExpression(to)} has no weight like ${ours}`, {
        related: [{ span: from.span, message: "it is copied from here" }],
        hint: "both are made alike: use q = MLP([S, 64, A]), target = MLP([S, 64, A])",
      });
    }
    return {
      pairs: pairs.flatMap(([ours, theirs]) => (theirs === undefined ? [] : [[ours, theirs] as const])),
      every: typeof count === "number" ? count : 1,
      unit,
    };
  });
}

/** The weights of two parts beside each other, and whether the shapes are equal; weights of the second that the first lacks count too. */
function pairsOf(
  source: string,
  target: string,
  weights: readonly WeightSpec[],
): readonly (readonly [ours: string, theirs: string | undefined, fits: boolean])[] {
  const shape = (name: string): string | undefined =>
    weights
      .find((spec) => spec.name === name)
      ?.shape.map(({ text }) => text)
      .join(", ");
  const one = (name: string, from: string, to: string): readonly [string, string | undefined, boolean] => {
    const other = `${to}${name.slice(from.length)}`;
    const found = shape(other);
    return [name, found === undefined ? undefined : other, found === shape(name)];
  };
  const names = (part: string): readonly string[] => weights.flatMap(({ name }) => (isPart(name, part) ? [name] : []));
  const back = names(target).map((name) => one(name, target, source));
  return [
    ...names(source).map((name) => one(name, source, target)),
    ...back.filter(([, theirs]) => theirs === undefined),
  ];
}
