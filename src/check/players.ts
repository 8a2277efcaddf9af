import type { Report } from "../base/diagnostic.ts";
import type { Expression, ObjectiveClause } from "../syntax/tree.ts";
import { constantValue } from "./constants.ts";

/** Who trains what: objectives that say no part are one player, which trains all weights; each that says one is a player. */
export interface Player {
  readonly objectives: readonly ObjectiveClause[];
  /** `on G`: the parts that it trains; undefined where it trains all. */
  readonly parts: readonly Expression[] | undefined;
  /** It plays at every so many steps: 1 at all of them. */
  readonly every: number;
}

/** The players of a regime in the order in which they take turns; objectives that do not fit together are reported. */
export function readPlayers(objectives: readonly ObjectiveClause[], report: Report): readonly Player[] {
  const whole = objectives.filter(({ on }) => on.length === 0);
  for (const { every } of whole) if (every !== undefined) reportEvery(every, report);
  if (whole.length === objectives.length) return [{ objectives, parts: undefined, every: 1 }];
  const [other] = objectives.filter(({ on }) => on.length > 0);
  for (const { span } of whole) {
    report.add("wrong-option", span, "this objective names no part, and another one does", {
      related: other === undefined ? [] : [{ span: other.span, message: "this one trains a part only" }],
      hint: "say for each objective which part it trains, as in `minimize ... on G`, or for none",
    });
  }
  return objectives.map((objective) => ({
    objectives: [objective],
    parts: objective.on,
    every: objective.every === undefined ? 1 : wholeNumber(objective.every, report),
  }));
}

function reportEvery(every: Expression, report: Report): void {
  report.add("wrong-option", every.span, "`every` says how often a part is trained, and no part is named", {
    hint: "write `minimize ... on G every 5`",
  });
}

function wholeNumber(expression: Expression, report: Report): number {
  const value = constantValue(expression);
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  report.add("wrong-option", expression.span, "a player plays every whole number of steps, from 1 on", {
    hint: "write `every 5`",
  });
  return 1;
}
