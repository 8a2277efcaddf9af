import type { Related, Report } from "../base/diagnostic.ts";
import { circleHint } from "../build/equation.ts";
import { shownSize } from "../build/value.ts";
import type { Modules } from "../check/modules.ts";
import type { Origin } from "../ir/graph.ts";
import type { ProblemRead, ScheduleProblem } from "../schedule/problem.ts";
import type { Equation } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { circleThrough, definitionAt, type Step, type Way } from "./circle.ts";

/** Says why equations have no order of computation, in terms of the equations that the user wrote. */
export function reportProblems(
  problems: readonly ScheduleProblem[],
  modules: Modules | undefined,
  report: Report,
): void {
  for (const problem of problems) reportProblem(problem, modules, report);
}

function reportProblem(problem: ScheduleProblem, modules: Modules | undefined, report: Report): void {
  const [first] = problem.circle;
  if (first === undefined) throw new Error("internal: a circle of values that belong to no equation");
  switch (problem.kind) {
    case "no-delay": {
      const plain = circleIn(problem, modules, (way) => way === "same");
      const whole =
        plain === undefined ? circleIn(problem, modules, (way) => way === "same" || way === "whole") : undefined;
      if (whole !== undefined) reportWhole(whole, report);
      else reportNoDelay(problem.circle, plain, report);
      return;
    }
    case "two-directions":
      reportDirections(problem, first, modules, report);
      return;
    case "all": {
      const steps =
        circleIn(problem, modules, (way) => way === "same" || way === "whole") ??
        circleIn(problem, modules, () => true);
      const slice = steps?.find(
        ({ read }) => read.kind === "index" && read.subscripts.some((one) => one.kind === "slice"),
      );
      if (steps?.some(({ way }) => way === "whole")) reportWhole(steps, report);
      else if (slice !== undefined) reportSlice(slice, report);
      else reportAll(problem, first, report);
      return;
    }
    default:
      problem satisfies never;
  }
}

/** The circle as the user wrote it, through any of the equations that the schedule names. */
function circleIn(
  { circle }: ScheduleProblem,
  modules: Modules | undefined,
  allowed: (way: Way) => boolean,
): readonly Step[] | undefined {
  for (const { span } of circle) {
    const definition = modules === undefined ? undefined : definitionAt(modules, span);
    const steps = definition === undefined ? undefined : circleThrough(definition, span, allowed);
    if (steps !== undefined) return fromFirst(steps);
  }
  return undefined;
}

/** The same circle, from the equation that stands first in the file. */
function fromFirst(steps: readonly Step[]): readonly Step[] {
  const first = steps.reduce((best, step) => (step.equation.span.start < best.equation.span.start ? step : best));
  const at = steps.indexOf(first);
  return [...steps.slice(at), ...steps.slice(0, at)];
}

/** `a needs b and b needs a at the same index: a → b → a` */
function reportNoDelay(circle: readonly Origin[], steps: readonly Step[] | undefined, report: Report): void {
  const names = steps?.map(({ name }) => name) ?? circle.map((origin) => origin.name);
  const [first = ""] = names;
  const path = [...names, first].join(" → ");
  const needs =
    names.length === 1 ? `${first} needs itself` : `${first} needs ${names[1]} and ${names.at(-1)} needs ${first}`;
  const spans = steps?.map(({ read }) => read.span) ?? circle.map((origin) => origin.span);
  const equations = steps?.map(({ equation }) => equation) ?? [];
  const along = steps === undefined || equations.some(hasIndex) ? " at the same index" : "";
  const [span, ...others] = spans;
  if (span === undefined) return;
  report.add("no-delay", span, `${needs}${along}: ${path}`, {
    related: others.map((other, at) => ({
      span: other,
      message: `${names[at + 1]} needs ${names[(at + 2) % names.length]} here`,
    })),
    hint:
      equations.length > 0 ? circleHint(equations) : "read one of them at an earlier index, with an else for the start",
  });
}

function hasIndex({ targets }: Equation): boolean {
  return targets.some((target) => target.indices.length > 0);
}

/** `h[t] needs every h: softmax[T](h)` */
function reportWhole(steps: readonly Step[], report: Report): void {
  const at = steps.findIndex(({ way }) => way === "whole");
  const whole = steps[at];
  if (whole === undefined) return;
  const read = targetText(whole.next, whole.read);
  const names = steps.map(({ name }) => name);
  const others = steps.filter((step) => step !== whole);
  report.add(
    "reads-all",
    whole.read.span,
    steps.length === 1
      ? `${read.indexed} needs every ${read.name}, and so itself`
      : `${read.indexed} needs ${whole.name}, which needs every ${read.name}: ${[...names, names[0]].join(" → ")}`,
    {
      related: others.map(({ read: { span }, name, next }) => ({
        span,
        message: `${name} needs ${targetText(next).name} here`,
      })),
      hint: `read only what is earlier, as in ${read.name}[:${read.index}]`,
    },
  );
}

/** `h[t] needs h[:t+1], which ends with h[t] itself` */
function reportSlice({ read, next }: Step, report: Report): void {
  const target = targetText(next, read);
  const text = printExpression(read);
  report.add("reads-all", read.span, `${text} has ${target.indexed} in it, which is what it is read for`, {
    related: [{ span: next.span, message: `${target.indexed} is computed here` }],
    hint: `end the slice before it: ${target.name}[:${target.index}]`,
  });
}

function targetText(
  { targets }: Equation,
  read?: Step["read"],
): { readonly name: string; readonly indexed: string; readonly index: string } {
  const wanted = read?.kind === "index" ? read.object : read;
  const target = targets.find(({ name }) => wanted?.kind === "reference" && wanted.name === name.text) ?? targets[0];
  const name = `${target?.name.text ?? ""}${target?.primed ? "'" : ""}`;
  const indices = target?.indices.map((index) => index.name.text) ?? [];
  return { name, indexed: indices.length > 0 ? `${name}[${indices.join(", ")}]` : name, index: indices[0] ?? "t" };
}

/** `h reads itself earlier, h[t-1], and later, h[t+1], along T` */
function reportDirections(
  { earlier, later, axis, circle }: Extract<ScheduleProblem, { kind: "two-directions" }>,
  first: Origin,
  modules: Modules | undefined,
  report: Report,
): void {
  const reads = [readIn(circle, modules, "earlier"), readIn(circle, modules, "later")] as const;
  const text = (read: ProblemRead, step: Step | undefined, how: string): string =>
    `${step?.name ?? nameOf(read, first)} reads ${step === undefined ? sourceOf(read, first) : sourceName(step)} ${how}${step === undefined ? "" : `, ${printExpression(step.read)}`}`;
  const [back, ahead] = reads;
  const related: Related[] = [
    { span: ahead?.read.span ?? later.origin?.span ?? first.span, message: "it is read later here" },
  ];
  report.add(
    "two-directions",
    back?.read.span ?? earlier.origin?.span ?? first.span,
    `${text(earlier, back, "earlier")}, and ${text(later, ahead, "later")}, along ${shownSize(axis)}: no order computes it`,
    { related, hint: "use two names, one for each direction, and put them together in a third" },
  );
}

/** The read of one equation of a circle by another that looks one way. */
function readIn(circle: readonly Origin[], modules: Modules | undefined, wanted: Way): Step | undefined {
  for (const { span } of circle) {
    const definition = modules === undefined ? undefined : definitionAt(modules, span);
    if (definition === undefined) continue;
    const ways = [(way: Way) => way === wanted || way === "same", () => true];
    const found = ways
      .flatMap((allowed) => circleThrough(definition, span, allowed) ?? [])
      .find(({ way }) => way === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sourceName({ next, read, name }: Step): string {
  const source = targetText(next, read).name;
  return source === name ? "itself" : source;
}

function reportAll(
  { whole, axis, circle }: Extract<ScheduleProblem, { kind: "all" }>,
  first: Origin,
  report: Report,
): void {
  const related = circle
    .slice(1)
    .map((origin) => ({ span: origin.span, message: `${origin.name} is part of the circle` }));
  const source = sourceOf(whole, first);
  const along = shownSize(axis);
  report.add(
    "reads-all",
    whole.origin?.span ?? first.span,
    source === "itself"
      ? `${first.name} at one position of ${along} needs all of ${along}, and so itself`
      : `${first.name} at one position of ${along} needs ${source} at all of them, and so itself`,
    { related, hint: "cut what is read so that only earlier positions remain, as in x[:t]" },
  );
}

function nameOf(read: ProblemRead, fallback: Origin): string {
  return read.origin?.name ?? fallback.name;
}

function sourceOf(read: ProblemRead, fallback: Origin): string {
  const name = read.source?.name ?? fallback.name;
  return name === nameOf(read, fallback) ? "itself" : name;
}
