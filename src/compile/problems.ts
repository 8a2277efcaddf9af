import type { Report } from "../base/diagnostic.ts";
import type { Origin } from "../ir/graph.ts";
import type { ProblemRead, ScheduleProblem } from "../schedule/problem.ts";

/** Says why equations have no order of computation, in terms of the equations that the user wrote. */
export function reportProblems(problems: readonly ScheduleProblem[], report: Report): void {
  for (const problem of problems) reportProblem(problem, report);
}

function reportProblem(problem: ScheduleProblem, report: Report): void {
  const [first, ...rest] = problem.circle;
  if (first === undefined) throw new Error("internal: a circle of values that belong to no equation");
  const related = rest.map((origin) => ({ span: origin.span, message: `${origin.name} is part of the circle` }));
  switch (problem.kind) {
    case "no-delay":
      report.add("no-delay", first.span, circleText(problem.circle), {
        related,
        hint: "read one of them at an earlier index, with an `else` for the start",
      });
      return;
    case "two-directions": {
      const { earlier, later, axis } = problem;
      report.add(
        "two-directions",
        first.span,
        `${nameOf(earlier, first)} reads ${sourceOf(earlier, first)} earlier and ${nameOf(later, first)} reads ${sourceOf(later, first)} later along ${axis}: no order computes it`,
        { related: [...readPlaces(earlier, later), ...related], hint: "use two equations, one for each direction" },
      );
      return;
    }
    case "all": {
      const { whole, axis } = problem;
      report.add(
        "reads-all",
        whole.origin?.span ?? first.span,
        `${first.name} at one ${axis} needs ${sourceOf(whole, first)} at every ${axis}, and so itself`,
        { related, hint: `cut what is read so that only earlier positions remain, as in x[:t]` },
      );
      return;
    }
    default:
      problem satisfies never;
  }
}

/** `a needs b and b needs a at the same index: a → b → a` */
function circleText(circle: readonly Origin[]): string {
  const names = circle.map((origin) => origin.name);
  const [first] = names;
  if (names.length === 1) return `${first} needs itself at the same index: ${first} → ${first}`;
  return `${first} needs ${names[1]} and ${names.at(-1)} needs ${first} at the same index: ${[...names, first].join(" → ")}`;
}

function nameOf(read: ProblemRead, fallback: Origin): string {
  return read.origin?.name ?? fallback.name;
}

function sourceOf(read: ProblemRead, fallback: Origin): string {
  const name = read.source?.name ?? fallback.name;
  return name === nameOf(read, fallback) ? "itself" : name;
}

function readPlaces(earlier: ProblemRead, later: ProblemRead): { span: Origin["span"]; message: string }[] {
  const places = [];
  if (earlier.origin !== undefined) places.push({ span: earlier.origin.span, message: "reads earlier" });
  if (later.origin !== undefined) places.push({ span: later.origin.span, message: "reads later" });
  return places;
}
