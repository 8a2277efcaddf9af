import type { ProblemRead, ScheduleProblem } from "../../src/schedule/problem.ts";

/** A schedule problem in one line. */
export function explainText(problem: ScheduleProblem): string {
  const circle = problem.circle.map((origin) => origin.name).join(" → ");
  const fixed = problem.fixed.map((axis) => `, ${axis} fixed`).join("");
  const names = ({ origin, source }: ProblemRead, word: string): string =>
    `${origin?.name} reads ${word}${source?.name}`;
  switch (problem.kind) {
    case "no-delay":
      return `no-delay${fixed}: ${circle}`;
    case "two-directions":
      return `two-directions along ${problem.axis}${fixed}: ${names(problem.earlier, "")} earlier, ${names(problem.later, "")} later`;
    case "all":
      return `all along ${problem.axis}${fixed}: ${names(problem.whole, "all of ")}; ${circle}`;
    default:
      return problem satisfies never;
  }
}
